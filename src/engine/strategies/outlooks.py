"""What is expected of a market, as strategies are told of it: columns whose newest row is what is known now. Pure.

Live knows that row and the one before; what was expected at older closes is not asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.columns import OutlookColumns
from engine.domain.market import Timeframe
from engine.domain.predictions import Trend, TrendOutlook
from engine.ports import Frames

if TYPE_CHECKING:
    from engine.domain.market import Floats

_SIDES: Mapping[Trend, float] = {Trend.BULLISH: 1.0, Trend.BEARISH: -1.0, Trend.NEUTRAL: 0.0}
_NOBODY = "nothing is predicted: ai.enabled and ai.prediction say whether anything is"


def with_outlook(
    frames: Frames, timeframe: Timeframe, outlook: TrendOutlook | None, before: TrendOutlook | None = None
) -> Frames:
    """The same frames, that of a timeframe with what is expected at its newest close, and was at the one before.

    Late predictions say nothing.
    """
    own = frames.get(timeframe)
    if own is None or outlook is None:
        return frames
    count, told = own.columns.count, (before, outlook)
    columns = OutlookColumns(
        direction=_column(count, [_SIDES[each.direction] if each and _counting(each) else np.nan for each in told]),
        alignment=_column(count, [each.alignment if each and _counting(each) else np.nan for each in told]),
        expected_move=_column(count, [each.expected_move if each and _counting(each) else np.nan for each in told]),
        by_timeframe={
            timeframe: _column(count, [_counting(each).get(timeframe, np.nan) if each else np.nan for each in told])
            for timeframe in _counting(outlook)
        },
    )
    return {**frames, timeframe: replace(own, outlook=columns)}


def why_unknown(outlook: TrendOutlook | None) -> str:
    """Why nothing is expected of a market now; empty where something is."""
    if outlook is None:
        return _NOBODY
    if _counting(outlook):
        return ""
    reasons = "; ".join(f"{timeframe}: {reason}" for timeframe, reason in outlook.missing)
    return f"there is no prediction of now: {reasons or 'none was made'}"


def _counting(outlook: TrendOutlook) -> dict[Timeframe, float]:
    """On which side each prediction is that is of now."""
    late = {timeframe for timeframe, _ in outlook.missing}
    return {each.timeframe: _SIDES[each.direction] for each in outlook.predictions if each.timeframe not in late}


def _column(count: int, newest: Sequence[float]) -> Floats:
    """Of older rows nothing is known."""
    return np.concatenate([np.full(count, np.nan), newest])[-count:]
