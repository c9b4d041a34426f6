"""Candlestick patterns that the newest candle completes, as TA-Lib defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.talib_core import talib
from engine.domain.decisions import Pattern

if TYPE_CHECKING:
    from engine.domain.market import Candles

_FUNCTIONS = {
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
_ENOUGH = 40
"""More than the longest history that any of these looks at (16 candles)."""
_RUN = 5
"""How many candles make the move that a doji speaks against."""


def find(candles: Candles) -> tuple[Pattern, ...]:
    """The patterns completed by the newest candle; none where the history is too short for them.

    A doji has no direction of its own: it counts as bullish after a fall and as bearish after a rise.
    """
    recent = candles.tail(_ENOUGH)
    if not len(recent):
        return ()
    columns = (recent.open, recent.high, recent.low, recent.close)
    found = []
    for function, name in _FUNCTIONS.items():
        strength = int(getattr(talib(), function)(*columns)[-1])
        if strength:
            found.append(Pattern(name=name, bullish=_after_a_fall(recent) if name == "doji" else strength > 0))
    return tuple(found)


def _after_a_fall(candles: Candles) -> bool:
    closes = candles.close[-_RUN - 1 :]
    return bool(closes[-1] < closes[0])
