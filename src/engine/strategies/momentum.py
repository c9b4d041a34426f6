"""Momentum: enter where a move begins to run, leave when it has lost its strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.analysis.flags import Flag, crossed_above
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight

if TYPE_CHECKING:
    from engine.domain.market import Floats

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
    looks_back: ClassVar[int | None] = 2

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

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """A breakout began, or the MACD crossed up."""
        above_channel = sight.reading("close") - self._top(sight)
        said = f"the close rose above the high of {self.breakout} candles"
        return (
            Sign(shows=crossed_above(above_channel, 0.0), words=lambda _: said),
            Sign(shows=sight.flag(Flag.MACD_CROSSED_UP), words=lambda _: "the MACD rose above its signal"),
        )

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """The longer trends, the MACD, strength with room left, volume, the breakout, the candle."""
        see = sight.reading
        return (
            *look.uptrends(sight, self.higher),
            look.above("MACD positive", "MACD", see("macd"), 0.0),
            look.between("RSI strong, not hot", "RSI", see("rsi"), self.rsi_low, self.rsi_high),
            look.above("volume above average", "volume ratio", see("volume_ratio"), self.min_volume),
            look.above(f"{self.breakout}-candle breakout", "close", see("close"), self._top(sight)),
            look.bullish_pattern(sight, weight=0.5),
        )

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """The MACD is below its signal and the close below its 20-candle mean."""
        mean = sight.reading("ma_20")
        gone = (sight.reading("macd_histogram") < 0) & (sight.reading("close") < mean)
        said = "momentum is gone: MACD below its signal, close below its mean"
        return (Sign(shows=gone, words=lambda row: f"{said} {look.number(float(mean[row]))}"),)

    def _top(self, sight: Sight) -> Floats:
        """The top of the channel that the candles before make."""
        return sight.reading(f"channel_high_{self.breakout}")
