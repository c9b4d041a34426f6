"""Moving-average cross: enter when the fast mean rises above the slow one, leave when it is below again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.analysis import flags, indicators
from engine.domain.decisions import Condition, Frame
from engine.ports import Frames
from engine.strategies import conditions as look
from engine.strategies.base import StrategyBase

if TYPE_CHECKING:
    from engine.domain.market import Floats

_LONG_RUN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingAverageCross(StrategyBase):
    """Follows a trend from where two simple moving averages of the close cross.

    Attributes:
        fast, slow: Lengths of the averages, in candles.
        rsi_low, rsi_high: Range of an RSI that has strength and room left.
        min_volume: In mean volumes of 20 candles.
        max_stretch_atr: How far the close may be above the fast average, in ATRs: later is too late.
    """

    name: ClassVar[str] = "moving-average cross"

    fast: int = 20
    slow: int = 50
    rsi_low: float = 50.0
    rsi_high: float = 68.0
    min_volume: float = 1.0
    max_stretch_atr: float = 1.5
    stop_atr: float = 2.5
    target_atr: float = 5.0
    max_candles: int = 96

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(0 < self.fast < self.slow, "fast must be above 0 and below slow")

    @property
    def warmup(self) -> int:
        """The longest average it reads, and one candle more to see a cross."""
        return max(self.slow, _LONG_RUN) + 1

    def trigger(self, own: Frame) -> str | None:
        """The fast average rose above the slow one on the newest candle."""
        if flags.crossed_above(self._spread(own), 0.0):
            return f"the {self.fast}-candle mean rose above the {self.slow}-candle mean"
        return None

    def conditions(self, own: Frame, frames: Frames) -> tuple[Condition, ...]:
        """The longer trends, the side of the 200-candle mean, strength, volume, and not being late."""
        signals = own.signals
        fast = float(indicators.sma(own.candles.close[-self.fast :], self.fast)[-1])
        stretch = (signals.close - fast) / signals.atr if signals.atr else None
        return (
            *look.uptrends(frames, self.higher),
            look.above("above the 200-candle mean", "close", signals.close, signals.ma_200),
            look.above("MACD above its signal", "MACD histogram", signals.macd_histogram, 0.0),
            look.between("RSI strong, not hot", "RSI", signals.rsi, self.rsi_low, self.rsi_high),
            look.above("volume behind it", "volume ratio", signals.volume_ratio, self.min_volume),
            look.below("not late", "ATRs above the fast mean", stretch, self.max_stretch_atr),
        )

    def reversal(self, own: Frame) -> str | None:
        """The fast average is below the slow one: the trend it followed has ended."""
        spread = self._spread(own)
        if len(spread) and spread[-1] < 0:
            return f"the {self.fast}-candle mean fell below the {self.slow}-candle mean"
        return None

    def _spread(self, own: Frame) -> Floats:
        """Fast less slow average of the newest two candles, ``NaN`` where the history is too short."""
        recent = own.candles.close[-self.slow - 1 :]
        return (indicators.sma(recent, self.fast) - indicators.sma(recent, self.slow))[-2:]
