"""Candlestick patterns that candles complete, as TA-Lib defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.talib_core import talib
from engine.domain.decisions import Pattern

if TYPE_CHECKING:
    from engine.domain.columns import Signs
    from engine.domain.market import Candles

_FUNCTIONS = {  # the doji first: its sign is its size
    "CDLDOJI": "doji",
    "CDLHAMMER": "hammer",
    "CDLHANGINGMAN": "hanging man",
    "CDLSHOOTINGSTAR": "shooting star",
    "CDLENGULFING": "engulfing",
    "CDLHARAMI": "harami",
    "CDLPIERCING": "piercing line",
    "CDLDARKCLOUDCOVER": "dark cloud cover",
    "CDLMORNINGSTAR": "morning star",
    "CDLEVENINGSTAR": "evening star",
    "CDL3WHITESOLDIERS": "three white soldiers",
    "CDL3BLACKCROWS": "three black crows",
}
_RUN = 5
"""How many candles make the move that a doji speaks against."""
NAMES = tuple(_FUNCTIONS.values())


def columns(candles: Candles) -> Signs:
    """``int8[n, patterns]`` in the order of ``NAMES``: 1 where a candle completes a bullish pattern, -1 a bearish one.

    A doji has no direction of its own: it counts as bullish after a fall and as bearish after a rise.
    """
    count = len(candles)
    found = np.zeros((count, len(_FUNCTIONS)), dtype=np.int8)
    if not count:
        return found
    prices = (candles.open, candles.high, candles.low, candles.close)
    for column, function in enumerate(_FUNCTIONS):
        found[:, column] = np.sign(getattr(talib(), function)(*prices))
    before = candles.close[np.maximum(np.arange(count) - _RUN, 0)]
    found[:, 0] *= np.where(candles.close < before, 1, -1).astype(np.int8)
    return found


def told(row: Signs) -> tuple[Pattern, ...]:
    """The patterns of one candle."""
    return tuple(Pattern(name=NAMES[column], bullish=bool(row[column] > 0)) for column in np.flatnonzero(row))


def find(candles: Candles) -> tuple[Pattern, ...]:
    """The patterns completed by the newest candle; none where the history is too short for them."""
    return told(columns(candles)[-1]) if len(candles) else ()
