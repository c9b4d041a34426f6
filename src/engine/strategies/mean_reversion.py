"""Mean reversion: enter when a fall has gone too far and turns, leave when the price is back at its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.analysis.flags import Flag
from engine.domain.figures import plain
from engine.strategies import conditions as look
from engine.strategies.base import Sign, StrategyBase
from engine.strategies.conditions import ConditionColumn
from engine.strategies.sight import Sight

_SETTLED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanReversion(StrategyBase):
    """Buys weakness that turns: the close comes back above the lower Bollinger band, or the RSI leaves oversold.

    Attributes:
        rsi_low: Below this RSI there is enough to be made good.
        rsi_exit: Above this RSI there is nothing left to be made good.
        min_room_atr: Least distance to the middle band, in ATRs.
        support_atr: How near a support must be, in ATRs.
        min_volume: In mean volumes of 20 candles; a sell-off ends on volume.
    """

    name: ClassVar[str] = "mean reversion"
    looks_back: ClassVar[int | None] = 2

    rsi_low: float = 40.0
    rsi_exit: float = 70.0
    min_room_atr: float = 1.5
    support_atr: float = 1.0
    min_volume: float = 1.0
    stop_atr: float = 2.0
    target_atr: float = 2.5
    max_candles: int = 24

    def __post_init__(self) -> None:
        StrategyBase.__post_init__(self)
        self.demand(self.rsi_low < self.rsi_exit, "rsi_low must be below rsi_exit")

    @property
    def warmup(self) -> int:
        """Enough for a settled RSI and for bands one candle ago."""
        return _SETTLED

    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """The close came back into the bands, or the RSI out of oversold."""
        back = "the close came back above the lower Bollinger band"
        return (
            Sign(shows=sight.flag(Flag.CLOSE_BACK_IN_BANDS), words=lambda _: back),
            Sign(shows=sight.flag(Flag.RSI_LEFT_OVERSOLD), words=lambda _: "the RSI left oversold"),
        )

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """Low enough, room to the mean, support, volume, a turning candle, and no fall on longer timeframes."""
        see = sight.reading
        room = look.in_atrs(see("bollinger_middle") - see("close"), see("atr"))
        return (
            look.below("RSI low", "RSI", see("rsi"), self.rsi_low),
            look.above("room to the mean", "ATRs to the middle band", room, self.min_room_atr),
            look.near_support(sight, self.support_atr),
            look.above("volume behind it", "volume ratio", see("volume_ratio"), self.min_volume),
            look.bullish_pattern(sight, weight=0.5),
            *look.no_downtrends(sight, self.higher),
        )

    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """The price is back at its mean, or as overbought as it was oversold."""
        middle, rsi, limit = sight.reading("bollinger_middle"), sight.reading("rsi"), plain(self.rsi_exit, 6)
        return (
            Sign(
                shows=sight.reading("close") >= middle,
                words=lambda row: f"back at the 20-candle mean {look.number(float(middle[row]))}",
            ),
            Sign(shows=rsi > self.rsi_exit, words=lambda row: f"RSI {rsi[row]:.1f} is above {limit}"),
        )
