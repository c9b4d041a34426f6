"""The textbook's cross of two means: in when the fast one rises above the slow one, out when it falls below.

Bare: no filter, no stop, no target, no time limit, unless they are set. What it comes to is what the rule alone is
worth; ``ma_cross`` is the one to trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class SmaCross(StrategyBase):
    """Holds from the close at which the fast simple mean of the close rises above the slow one until it is below.

    Attributes:
        fast, slow: Lengths of the means, in candles.
    """

    name: ClassVar[str] = "SMA cross"
    looks_back: ClassVar[int | None] = 2

    fast: int = 20
    slow: int = 50
    higher: tuple[Timeframe, ...] = ()
    stop_atr: float | None = None
    target_atr: float | None = None
    max_candles: int | None = None

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(0 < self.fast < self.slow, "fast must be above 0 and below slow")

    @property
    def warmup(self) -> int:
        """The slow mean, and one candle more to see a cross."""
        return self.slow + 1

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """The fast mean rose above the slow one."""
        said = f"the {self.fast}-candle mean rose above the {self.slow}-candle mean"
        return (Sign(shows=sight.crossing(self.fast, self.slow).rose, words=lambda _: said),)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """The rule itself: nothing else is asked."""
        fast, slow = (sight.reading(f"ma_{length}") for length in (self.fast, self.slow))
        return (look.above("fast mean above the slow one", f"MA{self.fast}", fast, slow),)

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """The fast mean is below the slow one."""
        said = f"the {self.fast}-candle mean fell below the {self.slow}-candle mean"
        return (Sign(shows=sight.crossing(self.fast, self.slow).below, words=lambda _: said),)
