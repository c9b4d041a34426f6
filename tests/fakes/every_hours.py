"""A strategy that is always in the market: it knows nothing, so whatever is gained is gained by the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryHours(StrategyBase):
    """Buys whenever it holds nothing, and sells a few hours later."""

    name: ClassVar[str] = "every hours"
    higher: tuple[Timeframe, ...] = ()
    stop_atr: float | None = 4.0
    target_atr: float | None = 8.0
    max_candles: int | None = 8

    @property
    def warmup(self) -> int:
        return 60

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        return (Sign(shows=sight.reading("rsi") > -1, words=lambda _: "always"),)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        return (look.below("RSI", "RSI", sight.reading("rsi"), 101.0),)

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        return (Sign(shows=sight.reading("rsi") > 101, words=lambda _: "never"),)
