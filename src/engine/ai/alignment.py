"""What predictions of several timeframes come to together. Pure.

Each that is of now counts by its timeframe (``WEIGHTS``), and points +1 bullish, -1 bearish, or 0 neutral:

    alignment     = sum(weight x direction) / sum(weight), in [-1, 1]
    direction     bullish from an alignment of +1/3 on, bearish from -1/3 on, else neutral
    expected move the mean by weight of the moves of those that point that way; 0 where it is neutral
    confidence    the lowest that was measured of those that count

A policy may leave less of a weight (``weighed``); what is left of it counts in the place of the weight.

One is late once the next candle of its timeframe has closed and a tenth of its length has passed: until then the new
one is under way. A late one counts nothing, and is among those that are missing, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import Trend, TrendOutlook, TrendPrediction

WEIGHTS: Mapping[Timeframe, int] = {
    Timeframe.M1: 1,
    Timeframe.M5: 1,
    Timeframe.M15: 1,
    Timeframe.M30: 1,
    Timeframe.H1: 2,
    Timeframe.H4: 3,
    Timeframe.D1: 4,
    Timeframe.W1: 3,
}
"""How much a timeframe counts: a day the most, for what is shorter is noise, and what is longer is slow to turn."""
GRACE = 10
"""A prediction is late once this part of its timeframe's length has passed since a newer one was due."""
_ALIGNED = 3
"""The direction is theirs where the alignment is at least one part of so many."""
_POINTS = {Trend.BULLISH: 1, Trend.BEARISH: -1, Trend.NEUTRAL: 0}
NEVER_MADE = "none was made yet"


def late_from(prediction: TrendPrediction) -> datetime:
    """From when on a prediction counts nothing any more."""
    return prediction.good_until + prediction.timeframe.duration / GRACE


def outlook_of(
    listing: Listing,
    timeframes: Sequence[Timeframe],
    newest: Mapping[Timeframe, TrendPrediction],
    now: datetime,
    reasons: Mapping[Timeframe, str] | None = None,
) -> TrendOutlook:
    """What is expected of a market now.

    Args:
        listing: The market.
        timeframes: Those that are predicted, the shortest first.
        newest: The newest prediction of each; what is not yet known by ``now`` does not exist.
        now: For which time.
        reasons: Why there is none of a timeframe, or no newer one, as far as that is known.
    """
    known = {each: newest[each] for each in timeframes if each in newest and newest[each].made_at <= now}
    counting = [each for each in known.values() if now < late_from(each)]
    found = TrendOutlook(
        venue=listing.venue,
        symbol=listing.symbol,
        at=now,
        predictions=tuple(known.values()),
        direction=Trend.NEUTRAL,
        alignment=0.0,
        expected_move=0.0,
        missing=tuple(
            (each, _reason(known.get(each), now, (reasons or {}).get(each, "")))
            for each in timeframes
            if each not in known or known[each] not in counting
        ),
    )
    return weighed(found, {})


def weighed(outlook: TrendOutlook, scales: Mapping[Timeframe, float]) -> TrendOutlook:
    """The same predictions, put together with what is left of the weight of each.

    Args:
        outlook: What was predicted.
        scales: Of timeframes that count less than they would by themselves, in [0, 1].
    """
    late = {timeframe for timeframe, _ in outlook.missing}
    weights = {each: WEIGHTS[each] * scales.get(each, 1.0) for each in WEIGHTS}
    counting = [each for each in outlook.predictions if each.timeframe not in late and weights[each.timeframe]]
    counted = sum(weights[each.timeframe] for each in counting)
    points = sum(weights[each.timeframe] * _POINTS[each.direction] for each in counting)
    direction = _direction(points, counted)
    return replace(
        outlook,
        direction=direction,
        alignment=points / counted if counted else 0.0,
        expected_move=_move(counting, direction, weights),
        confidence=min((each.confidence for each in counting if each.confidence is not None), default=None),
        scales=tuple(
            (each.timeframe, scales[each.timeframe]) for each in outlook.predictions if each.timeframe in scales
        ),
    )


def _direction(points: float, counted: float) -> Trend:
    if not counted or abs(points) * _ALIGNED < counted:
        return Trend.NEUTRAL
    return Trend.BULLISH if points > 0 else Trend.BEARISH


def _move(counting: Sequence[TrendPrediction], direction: Trend, weights: Mapping[Timeframe, float]) -> float:
    alike = [each for each in counting if each.direction is direction and direction is not Trend.NEUTRAL]
    weight = sum(weights[each.timeframe] for each in alike)
    return sum(weights[each.timeframe] * each.expected_move for each in alike) / weight if weight else 0.0


def _reason(prediction: TrendPrediction | None, now: datetime, reason: str) -> str:
    if prediction is None:
        return reason or NEVER_MADE
    late = f"it was due anew {_hours(now - prediction.good_until)} ago"
    return f"{late}: {reason}" if reason else late


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):.1f} h"
