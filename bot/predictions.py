"""What is predicted of the markets, by the settings.

settings ─▶ timeframes, prompt ─▶ TrendPredictions ─▶ a job at each close of the shortest of them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.markets import Source
from config.settings import Settings
from engine.ai.account import Holdings
from engine.ai.alignment import GRACE
from engine.ai.predictor import PLACES, PURPOSE, AITrendPredictor
from engine.ai.prompt_files import Prompt, prompt_from, shipped_prompt
from engine.ai.trend_predictions import TrendPredictions
from engine.domain.decisions import Frame
from engine.domain.errors import BadInput
from engine.domain.market import Listing, Timeframe, named, names_of
from engine.domain.predictions import PredictionView
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.insights import AskSentiment
from engine.jobs.table import PREDICTIONS, Group, Job
from engine.llm.manager import LLMManager
from engine.ports import Clock, MarketDataAt
from engine.store.database import Database
from engine.timing.triggers import every
from engine.views.trading import no_predictions

_LEAST_GRACE = timedelta(minutes=1)
_SHOWN = 30
"""Characters that are shown of what is not known."""


def predictions_of(
    settings: Settings,
    market: Source,
    *,
    store: Database,
    clock: Clock,
    market_data: MarketDataAt,
    candles: CheckedCandles,
    frames: dict[Listing, dict[Timeframe, Frame]],
    derivatives: KeptDerivatives,
    sentiment: AskSentiment | None,
    manager: LLMManager,
) -> TrendPredictions | None:
    """What the settings have predicted of all that is traded; ``None`` where that is nothing.

    Raises:
        DataError: A prompt cannot be read, or lacks a part.
    """
    shortest = market.feed.timeframe.duration
    timeframes = [each for each in settings.predicts if each.duration >= shortest]
    if not timeframes:
        return None
    predictor = AITrendPredictor(
        clock=clock,
        candles=candles,
        analyzer=market.analyzer,
        frames=frames,
        derivatives=derivatives,
        sentiment=sentiment,
        holdings=Holdings(store=store).of,
        manager=manager,
        prompt=prediction_prompt(settings),
    )
    return TrendPredictions(
        predictor=predictor,
        store=store,
        clock=clock,
        market_data=market_data,
        listings=list(
            dict.fromkeys(Listing(each.venue, symbol) for each in market.contexts for symbol in each.markets)
        ),
        timeframes=timeframes,
        within=settings.ai.prediction.within.total_seconds(),
    )


def prediction_prompt(settings: Settings) -> Prompt:
    """How somebody is asked for a prediction.

    Raises:
        DataError: The prompt of one's own cannot be read, or lacks a part.
    """
    own = settings.ai.prediction.prompt
    return prompt_from(own, PLACES) if own else shipped_prompt(PURPOSE, PLACES)


def prediction_jobs(predictions: TrendPredictions | None, market: Source) -> tuple[Job, ...]:
    """What makes those that are due at a close, once its candles have come in, and at the start; nothing waits for it.

    Others of its group may have their turn before it: it is made as long as it would not be late.
    """
    if predictions is None:
        return ()
    shortest = predictions.timeframes[0]
    return (
        Job(
            name=PREDICTIONS,
            group=Group.RESEARCH,
            trigger=every(shortest),
            alarm=predictions.first_due,
            grace=max(shortest.duration / GRACE, _LEAST_GRACE),
            run=predictions.make,
            ready=market.live.closed if market.live else None,
        ),
    )


def prediction_view(predictions: TrendPredictions | None) -> Callable[[str, str], Awaitable[PredictionView]]:
    """Tells what is expected of a market that people name; it raises ``BadInput`` where that is not traded here."""
    if predictions is None:
        return no_predictions

    async def view(market: str, venue: str) -> PredictionView:
        found = [
            listing
            for listing in predictions.listings
            if market in names_of(listing.symbol) and venue in ("", listing.venue)
        ]
        if len(found) == 1:
            return await predictions.view(found[0])
        several = len({listing.venue for listing in predictions.listings}) > 1
        there = ", ".join(named(listing.symbol, listing.venue if several else "") for listing in predictions.listings)
        problem = "may be several markets" if found else "is not traded here"
        raise BadInput(f"{named(market[:_SHOWN], venue[:_SHOWN])} {problem}.", f"There are {there}.")

    return view
