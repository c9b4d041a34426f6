"""The textbook's RSI bands: in while oversold, out when overbought, with a stop and a target in ATRs.

Bare: no filter and no time limit, unless they are set. RSI and ATR are Wilder's over 14 candles, from their first
value on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.domain.figures import plain
from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight

_FIRST_VALUE = 15
"""Candles until Wilder's RSI and ATR over 14 have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RsiBands(StrategyBase):
    """Buys while the RSI is below its lower band, again after an exit, and leaves when it is above the upper one.

    Attributes:
        rsi_low, rsi_high: The bands.
    """

    name: ClassVar[str] = "RSI bands"
    looks_back: ClassVar[int | None] = 1

    rsi_low: float = 30.0
    rsi_high: float = 70.0
    higher: tuple[Timeframe, ...] = ()
    stop_atr: float | None = 2.0
    target_atr: float | None = 4.0
    max_candles: int | None = None

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(self.rsi_low < self.rsi_high, "rsi_low must be below rsi_high")

    @property
    def warmup(self) -> int:
        """The first RSI and ATR."""
        return _FIRST_VALUE

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """The RSI is below its lower band: no edge, so that it buys again after a stop."""
        rsi, limit = sight.reading("rsi"), plain(self.rsi_low, 6)
        return (Sign(shows=rsi < self.rsi_low, words=lambda row: f"RSI {rsi[row]:.1f} is below {limit}"),)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """The rule itself: nothing else is asked."""
        return (look.below("RSI oversold", "RSI", sight.reading("rsi"), self.rsi_low),)

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """The RSI is above its upper band."""
        rsi, limit = sight.reading("rsi"), plain(self.rsi_high, 6)
        return (Sign(shows=rsi > self.rsi_high, words=lambda row: f"RSI {rsi[row]:.1f} is above {limit}"),)
