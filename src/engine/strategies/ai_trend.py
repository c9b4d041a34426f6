"""AI trend: in once a rise is expected, out when a fall is; stop and target in ATRs.

What is expected is what predictions of several timeframes come to together. They are made at closes, so a close is
decided on with those of the close before. Without one of now nothing is entered, and nothing left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight

if TYPE_CHECKING:
    from engine.domain.columns import OutlookColumns

_FIRST_VALUE = 15
"""Candles until Wilder's ATR over 14 has a value."""
_SIDES = {1.0: "bullish", -1.0: "bearish", 0.0: "neutral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AITrend(StrategyBase):
    """Buys when predictions begin to expect a rise, and leaves when they expect a fall.

    Attributes:
        min_alignment: How far predictions of all timeframes must agree, up to 1, to speak for it.
        min_move_atr: The least move that must be expected to speak for it, in ATRs.
    """

    name: ClassVar[str] = "AI trend"
    looks_back: ClassVar[int | None] = 2
    reads_predictions: ClassVar[bool] = True

    min_alignment: float = 0.6
    min_move_atr: float = 1.0
    stop_atr: float | None = 2.0
    target_atr: float | None = 4.0
    max_candles: int | None = 48

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(0 <= self.min_alignment < 1, "min_alignment must be at least 0, and below 1")

    @property
    def warmup(self) -> int:
        """The first ATR."""
        return _FIRST_VALUE

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """A rise is expected, and was not a close ago, or nothing was known then."""
        outlook = sight.outlook
        rises = outlook.direction > 0
        begins = rises & ~np.concatenate([[False], rises[:-1]])
        return (Sign(shows=begins, words=lambda row: f"a rise is expected: {_told(outlook, row)}"),)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """Each timeframe expects it, they agree, the move is worth it, and no longer timeframe falls."""
        outlook, see = sight.outlook, sight.reading
        move = look.in_atrs(outlook.expected_move * see("close"), see("atr"))
        return (
            *(_expects(sight, outlook, timeframe) for timeframe in self.timeframes),
            look.above("predictions agree", "alignment", outlook.alignment, self.min_alignment, weight=2.0),
            look.above("move is worth it", "expected move in ATRs", move, self.min_move_atr),
            *look.no_downtrends(sight, self.higher),
        )

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """A fall is expected."""
        outlook = sight.outlook
        return (Sign(shows=outlook.direction < 0, words=lambda row: f"a fall is expected: {_told(outlook, row)}"),)


def _expects(sight: Sight, outlook: OutlookColumns, timeframe: Timeframe) -> ConditionColumn:
    """Holds where the prediction of a timeframe is bullish."""
    unknown = sight.reading("close") * math.nan
    side = outlook.by_timeframe.get(timeframe, unknown)
    return ConditionColumn(
        name=f"rise expected on {timeframe}",
        weight=1.0,
        holds=side > 0,
        detail=lambda row: f"the {timeframe} prediction is {_SIDES.get(float(side[row]), 'not known')}",
    )


def _told(outlook: OutlookColumns, row: int) -> str:
    move, alignment = float(outlook.expected_move[row]), float(outlook.alignment[row])
    return f"{move:+.1%}, alignment {alignment:+.2f}"
