"""Mean reversion: enter when a fall has gone too far and turns, leave when the price is back at its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.analysis.flags import Flag
from engine.domain.decisions import Condition, Frame, TechnicalSignals
from engine.domain.figures import plain
from engine.ports import Frames
from engine.strategies import conditions as look
from engine.strategies.base import StrategyBase

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

    def trigger(self, own: Frame) -> str | None:
        """The close came back into the bands, or the RSI out of oversold, on the newest candle."""
        if Flag.CLOSE_BACK_IN_BANDS in own.signals.flags:
            return "the close came back above the lower Bollinger band"
        return "the RSI left oversold" if Flag.RSI_LEFT_OVERSOLD in own.signals.flags else None

    def conditions(self, own: Frame, frames: Frames) -> tuple[Condition, ...]:
        """Low enough, room to the mean, support, volume, a turning candle, and no fall on longer timeframes."""
        signals = own.signals
        return (
            look.below("RSI low", "RSI", signals.rsi, self.rsi_low),
            look.above("room to the mean", "ATRs to the middle band", _room(signals), self.min_room_atr),
            look.near_support(signals, self.support_atr),
            look.above("volume behind it", "volume ratio", signals.volume_ratio, self.min_volume),
            look.bullish_pattern(signals, weight=0.5),
            *look.no_downtrends(frames, self.higher),
        )

    def reversal(self, own: Frame) -> str | None:
        """The price is back at its mean, or as overbought as it was oversold."""
        signals = own.signals
        if signals.bollinger_middle is not None and signals.close >= signals.bollinger_middle:
            return f"back at the 20-candle mean {look.number(signals.bollinger_middle)}"
        if signals.rsi is not None and signals.rsi > self.rsi_exit:
            return f"RSI {signals.rsi:.1f} is above {plain(self.rsi_exit, 6)}"
        return None


def _room(signals: TechnicalSignals) -> float | None:
    if signals.bollinger_middle is None or not signals.atr:
        return None
    return (signals.bollinger_middle - signals.close) / signals.atr
