"""What is predicted of the markets, by the settings.

settings ─▶ timeframes, prompt ─▶ TrendPredictions ─▶ a job at each close of the shortest of them
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
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
from engine.strategies.context import StrategyContext
from engine.timing.triggers import every
from engine.views.absent import no_predictions

_LEAST_GRACE = timedelta(minutes=1)
_SHOWN = 30
"""Characters that are shown of what is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a context asks for predictions where it does not ask as all others do."""

    prompt: Prompt
    votes: int | None

    @property
    def key(self) -> str:
        """What tells its predictions from those of another way."""
        return self.prompt.key if self.votes is None else f"{self.prompt.key}, votes: {self.votes}"


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
    own = _own_ways(settings)
    predictor = AITrendPredictor(
        clock=clock,
        candles=candles,
        analyzer=market.analyzer,
        frames=frames,
        derivatives=derivatives,
        sentiment=sentiment,
        holdings=Holdings(store=store).of,
        manager=manager,
        prompts={"": prediction_prompt(settings)} | {each.key: each.prompt for each in own.values()},
        votes=settings.ai.prediction.votes,
        own_votes={each.key: each.votes for each in own.values() if each.votes is not None},
    )
    return TrendPredictions(
        predictor=predictor,
        store=store,
        clock=clock,
        market_data=market_data,
        asked=_asked(market.contexts, own),
        contexts={context: way.key for context, way in own.items()},
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


def _own_ways(settings: Settings) -> dict[str, _Way]:
    """How the contexts ask that have a prompt of their own, or another number of votes."""
    shared, found = settings.ai.prediction.votes, dict[str, _Way]()
    for each in settings.contexts:
        path, votes = each.prompts.get(PURPOSE), each.votes.prediction
        own = votes if votes != shared else None
        if path is not None or own is not None:
            prompt = prompt_from(path, PLACES) if path is not None else prediction_prompt(settings)
            found[each.name] = _Way(prompt=prompt, votes=own)
    return found


def _asked(contexts: Iterable[StrategyContext], own: Mapping[str, _Way]) -> dict[Listing, list[str]]:
    """The markets with the keys of the ways in which they are predicted, each once; that of all others first."""
    found: dict[Listing, list[str]] = {}
    for each in sorted(contexts, key=lambda context: context.name in own):
        key = own[each.name].key if each.name in own else ""
        for symbol in each.markets:
            keys = found.setdefault(Listing(each.venue, symbol), [])
            keys += [] if key in keys else [key]
    return found


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
            ready=market.live.all_closed if market.live else None,
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
