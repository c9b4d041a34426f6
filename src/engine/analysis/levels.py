"""Support and resistance: prices at which the market has turned before."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.talib_core import talib

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Candles, Floats

    Rows = NDArray[np.int64]

_SIDE = 3
"""A turning point is the extreme of so many candles on either side of it."""
_WIDTH = 0.5
"""Turning points within this fraction of an ATR are one level."""
_REACH = 10.0
"""Levels further from the price than so many ATRs say nothing about the next candles."""
_MOST = 3
"""Levels returned on each side of the price."""


def find(candles: Candles, atr: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Supports below and resistances above the newest close, nearest first.

    On each side the levels with the most touches are kept, the nearer one where they have as many. A turning point
    counts once the candles after it have confirmed it, so a level never comes from the future.

    Args:
        candles: Closed candles.
        atr: Average True Range in the quote currency; without a positive one there are no levels.
    """
    if not atr > 0:
        return (), ()
    close = float(candles.close[-1])
    turns = np.concatenate((candles.high[peaks(candles.high)], candles.low[peaks(-candles.low)]))
    near = np.sort(turns[np.abs(turns - close) <= _REACH * atr])
    levels = _cluster(near.tolist(), _WIDTH * atr)
    supports = _strongest([level for level in levels if level[0] < close], close)
    resistances = _strongest([level for level in levels if level[0] > close], close)
    return supports, resistances


def peaks(values: Floats) -> Rows:
    """Indices of the values above the three before them and not below the three after them.

    The first of equal neighbours counts, so a flat top is one peak.
    """
    if len(values) <= 2 * _SIDE:
        return np.empty(0, dtype=np.int64)
    middle = values[_SIDE:-_SIDE]
    around = talib().MAX(values, 2 * _SIDE + 1)[2 * _SIDE :]
    before = talib().MAX(values, _SIDE)[_SIDE - 1 : -_SIDE - 1]
    return np.flatnonzero((middle == around) & (middle > before)) + _SIDE


def _cluster(prices: list[float], width: float) -> list[tuple[float, int]]:
    """Mean price and number of the prices within ``width`` of the lowest of each cluster; ``prices`` ascend."""
    clusters = []
    start = 0
    while start < len(prices):
        stop = bisect_right(prices, prices[start] + width, lo=start)
        clusters.append((sum(prices[start:stop]) / (stop - start), stop - start))
        start = stop
    return clusters


def _strongest(levels: list[tuple[float, int]], close: float) -> tuple[float, ...]:
    kept = sorted(levels, key=lambda level: (-level[1], abs(level[0] - close)))[:_MOST]
    return tuple(sorted((price for price, _ in kept), key=lambda price: abs(price - close)))
