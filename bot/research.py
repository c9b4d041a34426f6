"""What is found out beside the cycle: candles that are checked, risk figures, what models and sources say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.derivatives import derivatives_of
from bot.externals import Externals
from bot.grounds import Grounds
from bot.markets import Source
from bot.models import Models, build_models
from bot.predictions import predictions_of
from bot.sentiment import history_of, sentiment_of_settings
from bot.terms import Terms
from config.settings import Settings
from engine.ai.trend_predictions import TrendPredictions
from engine.analysis.quality import DataQualityMonitor, nobody_confirms
from engine.domain.decisions import Frame
from engine.domain.market import Listing, Timeframe
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.insights import AskSentiment, KeptInsights
from engine.inputs.stats import KeptStats
from engine.sentiment.engine import SentimentEngine
from engine.sentiment.history import SentimentHistory
from engine.timing.clocks import MarketClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Research:
    """Who is asked, and what is kept of it.

    Attributes:
        sentiment: Who is asked what is said of the markets; ``None`` where nobody is.
        history: What was said of them, where that is read from files; ``None`` where it is not.
        predictions: What is predicted of the markets; ``None`` where nothing is.
        frames: What strategies see of each market, for predictors to read too.
    """

    candles: CheckedCandles
    stats: KeptStats
    models: Models
    sentiment: SentimentEngine | None
    history: SentimentHistory | None
    derivatives: KeptDerivatives
    predictions: TrendPredictions | None
    insights: KeptInsights
    frames: dict[Listing, dict[Timeframe, Frame]]


async def research_of(settings: Settings, market: Source, on: Grounds, externals: Externals, terms: Terms) -> Research:
    """Put together who is asked about the markets of an account; nobody is asked yet."""
    quality = DataQualityMonitor(
        limits=terms.quality, confirms=market.live.confirms if market.live else nobody_confirms
    )
    candles = CheckedCandles(market_data=on.market_data, quality=quality, history=market.history)
    source = derivatives_of(settings, market.feed, on.clock)
    models = build_models(settings, on.store, on.clock, externals.wall, externals.models)
    sentiment = sentiment_of_settings(settings, market.feed, on.store, on.clock, source, models.manager)
    history = await _history(settings, on, terms)
    told = history.by(on.clock) if history is not None else _told(sentiment)
    derivatives = KeptDerivatives(
        source=source,
        clock=on.clock,
        refresh_after=settings.derivatives.refresh_after,
        max_age=settings.derivatives.max_age,
    )
    frames: dict[Listing, dict[Timeframe, Frame]] = {}
    predictions = predictions_of(
        settings,
        market,
        store=on.store,
        clock=on.clock,
        market_data=on.market_data,
        candles=candles,
        frames=frames,
        derivatives=derivatives,
        sentiment=told,
        manager=models.manager,
    )
    return Research(
        candles=candles,
        stats=_stats(market, on, quality),
        models=models,
        sentiment=sentiment,
        history=history,
        derivatives=derivatives,
        predictions=predictions,
        insights=KeptInsights(
            sentiment=told,
            outlook=predictions.outlook if predictions else None,
            outlook_at=predictions.outlook_at if predictions else None,
        ),
        frames=frames,
    )


async def _history(settings: Settings, on: Grounds, terms: Terms) -> SentimentHistory | None:
    """What was said of the markets of a replay: by other terms, else from the files of the settings."""
    if terms.history is None and isinstance(on.clock, MarketClock):
        return await asyncio.to_thread(history_of, settings)
    return terms.history


def _told(sentiment: SentimentEngine | None) -> AskSentiment | None:
    """What decisions are told: what is made up decides nothing, as it hangs on when the program was started."""
    return sentiment.analyze if sentiment is not None and not sentiment.is_made_up else None


def _stats(market: Source, on: Grounds, quality: DataQualityMonitor) -> KeptStats:
    return KeptStats(
        market_data=on.market_data,
        quality=quality,
        clock=on.clock,
        history=market.history,
        traded=tuple(
            (Listing(each.venue, symbol), each.timeframe) for each in market.contexts for symbol in each.markets
        ),
    )
