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
WINDOW = 300
"""Candles in which turning points are looked for: a level that nobody has come near for longer is forgotten."""


class Levels:
    """The turning points of some candles, and the levels that they make at any of these.

    Args:
        candles: Closed candles.
    """

    def __init__(self, candles: Candles) -> None:
        self._close = candles.close
        self._turns = [(found, values[found]) for values, found in (_tops(candles.high), _bottoms(candles.low))]

    def at(self, row: int, atr: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Supports below and resistances above the close of a row, nearest first.

        On each side the levels with the most touches are kept, the nearer one where they have as many. A turning point
        counts once the candles after it have confirmed it, so a level never comes from the future.

        Args:
            row: Of the candles.
            atr: Average True Range in the quote currency; without a positive one there are no levels.
        """
        if not atr > 0:
            return (), ()
        close = float(self._close[row])
        turns = np.concatenate([self._within(rows, prices, row) for rows, prices in self._turns])
        near = np.sort(turns[np.abs(turns - close) <= _REACH * atr])
        levels = _cluster(near.tolist(), _WIDTH * atr)
        supports = _strongest([level for level in levels if level[0] < close], close)
        resistances = _strongest([level for level in levels if level[0] > close], close)
        return supports, resistances

    @staticmethod
    def _within(rows: Rows, prices: Floats, newest: int) -> Floats:
        """The prices of the turning points that are seen and confirmed within the window up to a row."""
        first, last = max(0, newest + 1 - WINDOW) + _SIDE, newest - _SIDE
        return prices[rows.searchsorted(first) : rows.searchsorted(last, side="right")]


def find(candles: Candles, atr: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The levels at the newest candle, see ``Levels.at``."""
    return Levels(candles).at(len(candles) - 1, atr)


def _tops(high: Floats) -> tuple[Floats, Rows]:
    return high, peaks(high)


def _bottoms(low: Floats) -> tuple[Floats, Rows]:
    return low, peaks(-low)


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
