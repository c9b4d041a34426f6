"""Moving-average cross: enter when the fast mean rises above the slow one, leave when it is below again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight

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
    looks_back: ClassVar[int | None] = 2

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

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """The fast average rose above the slow one."""
        said = f"the {self.fast}-candle mean rose above the {self.slow}-candle mean"
        return (Sign(shows=sight.crossing(self.fast, self.slow).rose, words=lambda _: said),)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """The longer trends, the side of the 200-candle mean, strength, volume, and not being late."""
        close, see = sight.reading("close"), sight.reading
        stretch = look.in_atrs(close - see(f"ma_{self.fast}"), see("atr"))
        return (
            *look.uptrends(sight, self.higher),
            look.above("above the 200-candle mean", "close", close, see("ma_200")),
            look.above("MACD above its signal", "MACD histogram", see("macd_histogram"), 0.0),
            look.between("RSI strong, not hot", "RSI", see("rsi"), self.rsi_low, self.rsi_high),
            look.above("volume behind it", "volume ratio", see("volume_ratio"), self.min_volume),
            look.below("not late", "ATRs above the fast mean", stretch, self.max_stretch_atr),
        )

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """The fast average is below the slow one: the trend it followed has ended."""
        said = f"the {self.fast}-candle mean fell below the {self.slow}-candle mean"
        return (Sign(shows=sight.crossing(self.fast, self.slow).below, words=lambda _: said),)
