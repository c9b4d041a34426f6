"""Plain interpretations of readings: what a person would say when they see the chart."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.analysis.indicators import IndicatorColumns
    from engine.domain.market import Candles, Floats

OVERSOLD, OVERBOUGHT = 30.0, 70.0
"""Wilder's limits of the RSI."""
CHANNEL = 20
"""Candles whose highest high or lowest low a breakout or breakdown leaves."""
HIGH_VOLUME = 1.5
"""Times the mean volume."""
_SQUEEZE_HISTORY, _SQUEEZE_SHARE = 120, 0.1


class Flag(StrEnum):
    """What can be said of the newest candle. Words with *crossed*, *cross*, *left* and *back* hold for one candle."""

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


def interpret(candles: Candles, columns: IndicatorColumns) -> tuple[Flag, ...]:
    """The flags that hold on the newest candle, in the order of ``Flag``; what is not known holds nothing."""
    if not len(candles):
        return ()
    close = candles.close[-1]
    # A comparison with NaN is false, so readings that are not there yet raise no flag.
    holds = {
        Flag.RSI_OVERSOLD: columns.rsi[-1] < OVERSOLD,
        Flag.RSI_OVERBOUGHT: columns.rsi[-1] > OVERBOUGHT,
        Flag.RSI_LEFT_OVERSOLD: crossed_above(columns.rsi, OVERSOLD),
        Flag.MACD_POSITIVE: columns.macd[-1] > 0,
        Flag.MACD_ABOVE_SIGNAL: columns.macd_histogram[-1] > 0,
        Flag.MACD_CROSSED_UP: crossed_above(columns.macd_histogram, 0.0),
        Flag.MACD_CROSSED_DOWN: crossed_above(-columns.macd_histogram[-2:], 0.0),
        Flag.GOLDEN_CROSS: crossed_above(columns.ma_20[-2:] - columns.ma_50[-2:], 0.0),
        Flag.DEATH_CROSS: crossed_above(columns.ma_50[-2:] - columns.ma_20[-2:], 0.0),
        Flag.ABOVE_MA_200: close > columns.ma_200[-1],
        Flag.BELOW_MA_200: close < columns.ma_200[-1],
        Flag.UPTREND: close > columns.ma_50[-1] and columns.ma_20[-1] > columns.ma_50[-1],
        Flag.DOWNTREND: close < columns.ma_50[-1] and columns.ma_20[-1] < columns.ma_50[-1],
        Flag.SQUEEZE: _squeezed(columns),
        Flag.CLOSE_BELOW_LOWER_BAND: close < columns.bollinger_lower[-1],
        Flag.CLOSE_ABOVE_UPPER_BAND: close > columns.bollinger_upper[-1],
        Flag.CLOSE_BACK_IN_BANDS: crossed_above(candles.close[-2:] - columns.bollinger_lower[-2:], 0.0),
        Flag.BREAKOUT: close > channel_high(candles.high, CHANNEL),
        Flag.BREAKDOWN: close < -channel_high(-candles.low[-CHANNEL - 1 :], CHANNEL),
        Flag.HIGH_VOLUME: columns.volume_ratio[-1] >= HIGH_VOLUME,
    }
    return tuple(flag for flag, held in holds.items() if held)


def crossed_above(values: Floats, level: float) -> bool:
    """Whether the newest value is above a level and the one before was not."""
    return len(values) > 1 and bool(values[-2] <= level < values[-1])


def channel_high(high: Floats, length: int) -> float:
    """The highest of the ``length`` values before the newest; ``NaN`` where there are fewer."""
    return float(high[-length - 1 : -1].max()) if len(high) > length else float("nan")


def _squeezed(columns: IndicatorColumns) -> bool:
    """Bollinger's squeeze, with the narrowest tenth for his narrowest of six months."""
    width = (columns.bollinger_upper[-_SQUEEZE_HISTORY:] - columns.bollinger_lower[-_SQUEEZE_HISTORY:]) / (
        columns.bollinger_middle[-_SQUEEZE_HISTORY:]
    )
    if len(width) < _SQUEEZE_HISTORY or np.isnan(width[0]):
        return False
    return int(np.count_nonzero(width < width[-1])) < _SQUEEZE_SHARE * _SQUEEZE_HISTORY
