"""Plain interpretations of readings: what a person would say when they see the chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.analysis.indicators import highest
from engine.domain.columns import Crossing

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Candles, Floats

    Reading = Callable[[str], Floats]

OVERSOLD, OVERBOUGHT = 30.0, 70.0
"""Wilder's limits of the RSI."""
CHANNEL = 20
"""Candles whose highest high or lowest low a breakout or breakdown leaves."""
HIGH_VOLUME = 1.5
"""Times the mean volume."""
_SQUEEZE_HISTORY, _SQUEEZE_SHARE = 120, 0.1
"""No flag looks further back than the first of these."""
_AT_ONCE = 8192
"""Rows whose windows are compared at a time: a million times 120 would be too much to hold."""
_IN_THE_CACHE = 32_768
"""Rows that are compared at a time, where something is made on the way."""
ROUNDING = 1e-13
"""The part of a mean that rounding alone makes."""


class Flag(StrEnum):
    """What can be said of a candle. Words with *crossed*, *cross*, *left* and *back* hold for one candle."""

    RSI_OVERSOLD = "rsi_oversold"
    RSI_OVERBOUGHT = "rsi_overbought"
    RSI_LEFT_OVERSOLD = "rsi_left_oversold"
    MACD_POSITIVE = "macd_positive"
    """The MACD line is above zero."""
    MACD_ABOVE_SIGNAL = "macd_above_signal"
    MACD_CROSSED_UP = "macd_crossed_up"
    MACD_CROSSED_DOWN = "macd_crossed_down"
    GOLDEN_CROSS = "golden_cross"
    """The 20-candle mean rose above the 50-candle mean."""
    DEATH_CROSS = "death_cross"
    ABOVE_MA_200 = "above_ma_200"
    BELOW_MA_200 = "below_ma_200"
    UPTREND = "uptrend"
    """The close and the 20-candle mean are above the 50-candle mean."""
    DOWNTREND = "downtrend"
    SQUEEZE = "squeeze"
    """The Bollinger bands are as narrow as in the narrowest tenth of the last 120 candles."""
    CLOSE_BELOW_LOWER_BAND = "close_below_lower_band"
    CLOSE_ABOVE_UPPER_BAND = "close_above_upper_band"
    CLOSE_BACK_IN_BANDS = "close_back_in_bands"
    """The candle before closed below the lower band, this one above it."""
    BREAKOUT = "breakout"
    """The close is above the highest high of the 20 candles before."""
    BREAKDOWN = "breakdown"
    HIGH_VOLUME = "high_volume"


FLAGS = tuple(Flag)


def column(flag: str, candles: Candles, reading: Reading) -> Bools:
    """``bool[n]``: where a flag holds; what is not known holds nothing.

    Args:
        flag: Which.
        candles: Closed candles.
        reading: A reading over them by its name, of the core set and ``channel_high_20``; only what is needed is asked.

    Raises:
        KeyError: There is no such flag.
    """
    return _HOLDS[flag](candles, reading)


def of_newest(candles: Candles, reading: Reading) -> tuple[Flag, ...]:
    """The flags that hold at the newest candle, as ``column`` says of each there."""
    first = max(0, len(candles) - _SQUEEZE_HISTORY)
    newest = candles.cut(first, len(candles))
    return tuple(flag for flag in FLAGS if column(flag, newest, lambda name: reading(name)[first:])[-1])


def crossed_above(values: Floats, level: float) -> Bools:
    """Where a value is above a level and the one before was not."""
    crossed = np.zeros(len(values), dtype=np.bool_)
    crossed[1:] = (values[:-1] <= level) & (level < values[1:])
    return crossed


def crossing(fast: Floats, slow: Floats) -> Crossing:
    """Where a fast mean rose above a slow one, and where it is below it (``simulation.crossings`` says the same)."""
    count = len(slow)
    above, below, was_not, rose = (np.zeros(count, dtype=np.bool_) for _ in range(4))
    near = np.empty(min(count, _IN_THE_CACHE))
    for first in range(0, count, _IN_THE_CACHE):
        rows = slice(first, first + _IN_THE_CACHE)
        mean, limit = fast[rows], slow[rows]
        near = near[: len(limit)]
        np.multiply(limit, 1 + ROUNDING, out=near)
        np.greater(mean, near, out=above[rows])
        np.less_equal(mean, near, out=was_not[rows])
        np.multiply(limit, 1 - ROUNDING, out=near)
        np.less(mean, near, out=below[rows])
    np.logical_and(above[1:], was_not[:-1], out=rose[1:])
    return Crossing(rose=rose, below=below)


def channel_high(high: Floats, length: int) -> Floats:
    """The highest of the ``length`` values before each; ``NaN`` where there are fewer."""
    top = np.full(len(high), np.nan)
    if len(high) > length:
        top[1:] = (highest(high, length) if length > 1 else high)[:-1]
    return top


def squeezed(width: Floats, middle: Floats) -> Bools:
    """Bollinger's squeeze, with the narrowest tenth for his narrowest of six months.

    Args:
        width: Between the bands.
        middle: The band in the middle, which the width is a share of.
    """
    share, narrow = width / middle, np.zeros(len(width), dtype=np.bool_)
    for first in range(_SQUEEZE_HISTORY - 1, len(share), _AT_ONCE):
        stop = min(first + _AT_ONCE, len(share))
        windows = sliding_window_view(share[first + 1 - _SQUEEZE_HISTORY : stop], _SQUEEZE_HISTORY)
        narrower = (windows < windows[:, -1:]).sum(axis=1)
        narrow[first:stop] = (narrower < _SQUEEZE_SHARE * _SQUEEZE_HISTORY) & ~np.isnan(windows[:, 0])
    return narrow


# A comparison with NaN is false, so readings that are not there yet raise no flag.
_HOLDS: Final[Mapping[str, Callable[[Candles, Reading], Bools]]] = {
    Flag.RSI_OVERSOLD: lambda _, see: see("rsi") < OVERSOLD,
    Flag.RSI_OVERBOUGHT: lambda _, see: see("rsi") > OVERBOUGHT,
    Flag.RSI_LEFT_OVERSOLD: lambda _, see: crossed_above(see("rsi"), OVERSOLD),
    Flag.MACD_POSITIVE: lambda _, see: see("macd") > 0,
    Flag.MACD_ABOVE_SIGNAL: lambda _, see: see("macd_histogram") > 0,
    Flag.MACD_CROSSED_UP: lambda _, see: crossed_above(see("macd_histogram"), 0.0),
    Flag.MACD_CROSSED_DOWN: lambda _, see: crossed_above(-see("macd_histogram"), 0.0),
    Flag.GOLDEN_CROSS: lambda _, see: crossed_above(see("ma_20") - see("ma_50"), 0.0),
    Flag.DEATH_CROSS: lambda _, see: crossed_above(see("ma_50") - see("ma_20"), 0.0),
    Flag.ABOVE_MA_200: lambda candles, see: candles.close > see("ma_200"),
    Flag.BELOW_MA_200: lambda candles, see: candles.close < see("ma_200"),
    Flag.UPTREND: lambda candles, see: (candles.close > see("ma_50")) & (see("ma_20") > see("ma_50")),
    Flag.DOWNTREND: lambda candles, see: (candles.close < see("ma_50")) & (see("ma_20") < see("ma_50")),
    Flag.SQUEEZE: lambda _, see: squeezed(see("bollinger_upper") - see("bollinger_lower"), see("bollinger_middle")),
    Flag.CLOSE_BELOW_LOWER_BAND: lambda candles, see: candles.close < see("bollinger_lower"),
    Flag.CLOSE_ABOVE_UPPER_BAND: lambda candles, see: candles.close > see("bollinger_upper"),
    Flag.CLOSE_BACK_IN_BANDS: lambda candles, see: crossed_above(candles.close - see("bollinger_lower"), 0.0),
    Flag.BREAKOUT: lambda candles, see: candles.close > see(f"channel_high_{CHANNEL}"),
    Flag.BREAKDOWN: lambda candles, _: candles.close < -channel_high(-candles.low, CHANNEL),
    Flag.HIGH_VOLUME: lambda _, see: see("volume_ratio") >= HIGH_VOLUME,
}
