"""Momentum: enter where a move begins to run, leave when it has lost its strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.analysis.flags import Flag, channel_high
from engine.domain.decisions import Condition, Frame
from engine.ports import Frames
from engine.strategies import conditions as look
from engine.strategies.base import StrategyBase

_MACD_SETTLED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum(StrategyBase):
    """Buys strength: the MACD crosses above its signal, or the close breaks out of its channel.

    Attributes:
        breakout: Candles whose highest high is the top of the channel.
        rsi_low, rsi_high: Range of an RSI that has strength and room left.
        min_volume: In mean volumes of 20 candles.
    """

    name: ClassVar[str] = "momentum"

    breakout: int = 20
    rsi_low: float = 50.0
    rsi_high: float = 72.0
    min_volume: float = 1.0
    stop_atr: float = 2.0
    target_atr: float = 3.5
    max_candles: int = 48

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(self.breakout > 0, "breakout must be above 0")
        self.demand(self.rsi_low < self.rsi_high, "rsi_low must be below rsi_high")

    @property
    def warmup(self) -> int:
        """Enough for a settled MACD and for a channel one candle ago."""
        return max(_MACD_SETTLED, self.breakout + 2)

    def trigger(self, own: Frame) -> str | None:
        """The MACD crossed up or a breakout began on the newest candle."""
        if self._breaks_out(own):
            return f"the close rose above the high of {self.breakout} candles"
        return "the MACD rose above its signal" if Flag.MACD_CROSSED_UP in own.signals.flags else None

    def conditions(self, own: Frame, frames: Frames) -> tuple[Condition, ...]:
        """The longer trends, the MACD, strength with room left, volume, the breakout, the candle."""
        signals = own.signals
        top = channel_high(own.candles.high, self.breakout)
        return (
            *look.uptrends(frames, self.higher),
            look.above("MACD positive", "MACD", signals.macd, 0.0),
            look.between("RSI strong, not hot", "RSI", signals.rsi, self.rsi_low, self.rsi_high),
            look.above("volume above average", "volume ratio", signals.volume_ratio, self.min_volume),
            look.above(f"{self.breakout}-candle breakout", "close", signals.close, top),
            look.bullish_pattern(signals, weight=0.5),
        )

    def reversal(self, own: Frame) -> str | None:
        """The MACD is below its signal and the close below its 20-candle mean."""
        signals = own.signals
        if signals.macd_histogram is None or signals.ma_20 is None:
            return None
        if signals.macd_histogram < 0 and signals.close < signals.ma_20:
            return f"momentum is gone: MACD below its signal, close below its mean {look.number(signals.ma_20)}"
        return None

    def _breaks_out(self, own: Frame) -> bool:
        close, high = own.candles.close, own.candles.high
        now = close[-1] > channel_high(high, self.breakout)
        return bool(now and close[-2] <= channel_high(high[:-1], self.breakout))
