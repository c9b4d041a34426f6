"""What the adjuster leaves of the weight of each timeframe's prediction, before they are put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.ai.alignment import weighed
from engine.domain.adjustments import AdjusterMode
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import Trend, TrendOutlook, TrendPrediction
from engine.domain.snapshots import MarketSnapshot
from engine.flow.adjusting import Place, observed
from engine.flow.services import CycleServices
from engine.learning.adjuster import PPOAdjuster
from engine.learning.features import Voices
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext

_POINTS = {Trend.BULLISH: 1.0, Trend.BEARISH: -1.0, Trend.NEUTRAL: 0.0}


def with_weights(
    services: CycleServices, uow: UnitOfWork, context: StrategyContext, seen: MarketSnapshot
) -> MarketSnapshot:
    """What was seen of a market, its predictions put together by what the adjuster leaves of their weights.

    The same where it is not to, leaves the context alone, is not active, or cannot be asked about any of their
    timeframes.
    """
    outlook = seen.insight.outlook
    if outlook is None or not (services.weighs_predictions and context.adjusted):
        return seen
    adjuster = services.adjuster(uow)
    if adjuster.mode is not AdjusterMode.ACTIVE:
        return seen
    scales = dict(_scales(services, uow, context, seen, adjuster, outlook))
    if not scales:
        return seen
    before = seen.insight.outlook_before
    insight = replace(
        seen.insight,
        outlook=weighed(outlook, scales),
        outlook_before=weighed(before, scales) if before is not None else None,
    )
    told = {each.name: each for each in insight.inputs(services.clock.now())}
    return replace(seen, insight=insight, inputs=tuple(told.get(each.name, each) for each in seen.inputs))


def _scales(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: MarketSnapshot,
    adjuster: PPOAdjuster,
    outlook: TrendOutlook,
) -> Iterator[tuple[Timeframe, float]]:
    """What is left of each timeframe of the context that the policy was trained on."""
    listing = Listing(context.venue, seen.market.symbol)
    for prediction in outlook.predictions:
        timeframe = prediction.timeframe
        frame = seen.frames.get(timeframe)
        if frame is None:
            continue
        place = Place(
            context=context.name,
            listing=listing,
            timeframe=timeframe,
            at=seen.candle_at,
            close=frame.signals.close,
            mean=frame.signals.ma_50,
        )
        stats = services.stats.of(context.venue, frame)
        shown = observed(adjuster, uow, place, _voices(seen, prediction), stats, services.risk.limits)
        scale = adjuster.weight_of(timeframe, seen.candle_at, shown)
        if scale is not None:
            yield timeframe, scale


def _voices(seen: MarketSnapshot, prediction: TrendPrediction) -> Voices:
    """How sure one prediction is, and where it points; one whose confidence was not measured lowers nothing."""
    sentiment = seen.insight.sentiment.aggregate() if seen.insight.sentiment else None
    return Voices(
        confidence=np.array([1.0 if prediction.confidence is None else prediction.confidence]),
        sentiment=np.array([sentiment or 0.0]),
        outlook=np.array([_POINTS[prediction.direction]]),
    )
