"""What every strategy shares: when it may speak, where its stop and target lie, when a position has had its time.

A strategy is a frozen dataclass of its parameters, so the configuration checks them by their types. It says four
things: ``warmup``, ``trigger``, ``conditions`` and ``reversal``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.domain.decisions import Condition, Exit, Frame, Signals
from engine.domain.errors import ConfigError, DataError
from engine.domain.market import Timeframe
from engine.domain.positions import Position
from engine.ports import Frames
from engine.strategies.conditions import ColumnCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyBase(ABC):
    """A long-only strategy: it enters when its trigger fires, with a confidence that is the agreement of conditions.

    Attributes:
        name: What people call it.
        timeframe: The candles it trades on.
        higher: Longer timeframes whose trend it looks at.
        stop_atr, target_atr: Distances of stop and target from the entry, in ATRs of its own timeframe.
        max_candles: How long a position is held at most, in candles of its own timeframe.
        further: Conditions of the user's own, which count beside the strategy's.
    """

    name: ClassVar[str]

    timeframe: Timeframe = Timeframe.H1
    higher: tuple[Timeframe, ...] = (Timeframe.H4, Timeframe.D1)
    stop_atr: float = 2.0
    target_atr: float = 3.0
    max_candles: int = 48
    further: tuple[ColumnCondition, ...] = ()

    def __post_init__(self) -> None:
        self.demand(self.stop_atr > 0 and self.target_atr > 0, "stop_atr and target_atr must be above 0")
        self.demand(self.max_candles > 0, "max_candles must be above 0")
        longer = all(timeframe.duration > self.timeframe.duration for timeframe in self.higher)
        self.demand(longer, f"every timeframe in higher must be longer than {self.timeframe}")

    @property
    @abstractmethod
    def warmup(self) -> int:
        """How many closed candles of its own timeframe it needs before it says anything."""

    @abstractmethod
    def trigger(self, own: Frame) -> str | None:
        """What set it off on the newest candle, in words; an edge, so it holds for one candle. ``None`` for nothing."""

    @abstractmethod
    def conditions(self, own: Frame, frames: Frames) -> tuple[Condition, ...]:
        """The named conditions whose weighted agreement is the confidence."""

    @abstractmethod
    def reversal(self, own: Frame) -> str | None:
        """Why a position should be left now, in words; ``None`` to hold on."""

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The timeframes it looks at, its own first."""
        return (self.timeframe, *self.higher)

    def generate_signals(self, frames: Frames) -> Signals:
        """Say whether to enter now, and which conditions speak for it. It never enters where it would leave at once.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        own = self.own(frames)
        atr = own.signals.atr or 0.0
        ready = atr > 0 and len(own.candles) >= self.warmup
        return Signals(
            trigger=(self.trigger(own) or "") if ready and self.reversal(own) is None else "",
            conditions=(*self.conditions(own, frames), *(each.look(frames, self.timeframe) for each in self.further)),
            stop_distance=self.stop_atr * atr if atr > 0 else None,
            target_distance=self.target_atr * atr if atr > 0 else None,
        )

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        """Say which of the positions held in this market to leave now, and why.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        own = self.own(frames)
        reversal = self.reversal(own)
        reasons = ((position, reversal or self._overstayed(position, own)) for position in held if position.is_open)
        return tuple(Exit(position_id=position.id, reason=reason) for position, reason in reasons if reason)

    def own(self, frames: Frames) -> Frame:
        """The frame of its own timeframe.

        Raises:
            DataError: The frames lack it.
        """
        frame = frames.get(self.timeframe)
        if frame is None:
            raise DataError(f"The strategy {self.name} needs {self.timeframe} candles and was given none.")
        return frame

    def demand(self, holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as the rule it checks
        """Refuse parameters that break a rule.

        Raises:
            ConfigError: The rule does not hold.
        """
        if not holds:
            raise ConfigError(f"The strategy {self.name} cannot work like this: {rule}.", "Check its params.")

    def _overstayed(self, position: Position, own: Frame) -> str | None:
        candles = (own.signals.at - position.opened_at) // self.timeframe.duration
        return f"held for {candles} candles, at most {self.max_candles}" if candles >= self.max_candles else None
