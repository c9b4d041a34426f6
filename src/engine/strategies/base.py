"""What every strategy shares: when it may speak, where its stop and target lie, when a position has had its time.

A strategy is a frozen dataclass of its parameters, so the configuration checks them by their types. It says four
things: ``warmup``, ``triggers``, ``conditions`` and ``reversals``, the last three as columns with a row for each
candle: a backtest takes all rows, live the newest one and its words.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from engine.domain.columns import ConditionColumns, SignalColumns
from engine.domain.decisions import Exit, Frame, Signals
from engine.domain.errors import ConfigError, DataError
from engine.domain.market import Timeframe
from engine.domain.positions import Position
from engine.ports import Frames
from engine.strategies.conditions import ColumnCondition, ConditionColumn
from engine.strategies.sight import Sight

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Floats

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sign:
    """Something that sets a strategy off or makes it leave: at which rows, and how it is told of one.

    Attributes:
        shows: A value for each row; anything that numpy takes for yes and no.
        words: What is told of a row at which it shows.
    """

    shows: Bools
    words: Callable[[int], str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shows", np.asarray(self.shows, dtype=np.bool_))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What a strategy says of some rows, and what it can be told with."""

    triggers: tuple[Sign, ...]
    conditions: Callable[[], tuple[ConditionColumn, ...]]
    columns: SignalColumns

    def signals(self, row: int) -> Signals:
        """One row in words."""
        stop, target = float(self.columns.stop_distance[row]), float(self.columns.target_distance[row])
        return Signals(
            trigger=_told(self.triggers, row) if self.columns.entry[row] else "",
            conditions=tuple(condition.at(row) for condition in self.conditions()),
            stop_distance=stop if stop > 0 else None,
            target_distance=target if target > 0 else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyBase(ABC):
    """A long-only strategy: it enters when its trigger fires, with a confidence that is the agreement of conditions.

    Attributes:
        name: What people call it.
        timeframe: The candles it trades on.
        higher: Longer timeframes whose trend it looks at.
        stop_atr, target_atr: Distances of stop and target from the entry, in ATRs of its own timeframe; ``None`` for
            none.
        max_candles: How long a position is held at most, in candles of its own timeframe; ``None`` for no limit.
        further: Conditions of the user's own, which count beside the strategy's.
    """

    name: ClassVar[str]
    looks_back: ClassVar[int | None] = None
    """How many rows its formulas need to say the newest one, beside what readings remember; ``None`` for all."""

    reads_predictions: ClassVar[bool] = False
    """Whether it looks at what is expected: then no backtest trades it but one that makes predictions as it goes."""

    timeframe: Timeframe = Timeframe.H1
    higher: tuple[Timeframe, ...] = (Timeframe.H4, Timeframe.D1)
    stop_atr: float | None = 2.0
    target_atr: float | None = 3.0
    max_candles: int | None = 48
    further: tuple[ColumnCondition, ...] = ()

    def __post_init__(self) -> None:
        distances = (self.stop_atr, self.target_atr)
        self.demand(all(each is None or each > 0 for each in distances), "stop_atr and target_atr must be above 0")
        both = (self.stop_atr is None) == (self.target_atr is None)
        self.demand(both, "stop_atr and target_atr go together: one order at the venue is for both")
        self.demand(self.max_candles is None or self.max_candles > 0, "max_candles must be above 0")
        longer = all(timeframe.duration > self.timeframe.duration for timeframe in self.higher)
        self.demand(longer, f"every timeframe in higher must be longer than {self.timeframe}")

    @property
    @abstractmethod
    def warmup(self) -> int:
        """How many closed candles of its own timeframe it needs before it says anything."""

    @abstractmethod
    def triggers(self, sight: Sight) -> tuple[Sign, ...]:
        """What sets it off: edges, each of which shows for one candle. The first that shows is told."""

    @abstractmethod
    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """The named conditions whose weighted agreement is the confidence."""

    @abstractmethod
    def reversals(self, sight: Sight) -> tuple[Sign, ...]:
        """What makes it leave. The first that shows is told."""

    def stops(self, sight: Sight) -> Floats:
        """How far below the entry its stop lies at each row, in the quote currency; without one nothing is entered.

        Asked unless ``stop_atr`` is ``None``.
        """
        return self._distance(sight, self.stop_atr)

    def targets(self, sight: Sight) -> Floats:
        """How far above the entry its target lies at each row, in the quote currency; see ``stops``."""
        return self._distance(sight, self.target_atr)

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """The timeframes it looks at, its own first."""
        return (self.timeframe, *self.higher)

    @property
    def history(self) -> int:
        """What it needs before it says anything; one whose own formulas remember for longer says so here."""
        return self.warmup

    def columns(self, frames: Frames) -> SignalColumns:
        """Say of every candle whether to enter or leave there. It never enters where it would leave at once.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        self.own(frames)
        return self.say(Sight(frames=frames, timeframe=self.timeframe)).columns

    def generate_signals(self, frames: Frames) -> Signals:
        """Say whether to enter now, and which conditions speak for it: the newest row of the columns, in words.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        said = self.say(self._recent(frames))
        return said.signals(len(said.columns) - 1)

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        """Say which of the positions held in this market to leave now, and why.

        Raises:
            DataError: The frames lack its own timeframe.
        """
        own = self.own(frames)
        if not any(position.is_open for position in held):
            return ()
        sight = self._recent(frames)
        reversal = _told(_all_of(Sign, "reversals", self.reversals(sight)), len(sight) - 1)
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

    def _recent(self, frames: Frames) -> Sight:
        """What it has to look at to say the newest row."""
        count = self.own(frames).columns.count
        since = 0 if self.looks_back is None else max(0, count - self.looks_back)
        return Sight(frames=frames, timeframe=self.timeframe, since=since)

    def say(self, sight: Sight) -> Said:
        """What it says of each row in sight, but for the first ones where ``looks_back`` is more than one."""
        triggers = _all_of(Sign, "triggers", self.triggers(sight))
        reversals = _all_of(Sign, "reversals", self.reversals(sight))
        leaves = _anywhere(reversals, len(sight))
        enters = np.greater(_anywhere(triggers, len(sight)), leaves)
        enters[: max(0, self.warmup - 1 - sight.since)] = False
        stop = target = np.broadcast_to(np.nan, len(sight))
        if self.stop_atr is not None:
            stop, target = (np.asarray(each, dtype=np.float64) for each in (self.stops(sight), self.targets(sight)))
            enters &= (stop > 0) & (target > 0)
        conditions = cache(lambda: self._conditions(sight))
        columns = SignalColumns(
            entry=enters,
            exit=leaves,
            read_conditions=cache(lambda: _side_by_side(conditions(), len(sight))),
            stop_distance=stop,
            target_distance=target,
            max_candles=self.max_candles,
        )
        return Said(triggers=triggers, conditions=conditions, columns=columns)

    def _conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        """Its own, and those of the user."""
        own = _all_of(ConditionColumn, "conditions", self.conditions(sight))
        return (*own, *(each.look(sight) for each in self.further))

    def _distance(self, sight: Sight, atrs: float | None) -> Floats:
        """So many ATRs at each row; ``NaN`` where none is wanted, or nothing moves."""
        atr = sight.reading("atr")
        return (np.nan if atrs is None else atrs) * np.where(atr > 0, atr, np.nan)

    def _overstayed(self, position: Position, own: Frame) -> str | None:
        if self.max_candles is None:
            return None
        candles = (own.signals.at - position.opened_at) // self.timeframe.duration
        return f"held for {candles} candles, at most {self.max_candles}" if candles >= self.max_candles else None


def _all_of(kind: type[Part], name: str, given: object) -> tuple[Part, ...]:
    """What a method has given, where it is what it has to be.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(given, tuple | list) or not all(isinstance(each, kind) for each in given):
        got = "something else" if isinstance(given, tuple | list) else f"a {type(given).__name__}"
        raise TypeError(f"{name} must give a tuple of {kind.__name__}s, (one,) or (one, two), and gives {got}")
    return tuple(given)


def _side_by_side(conditions: Sequence[ConditionColumn], count: int) -> ConditionColumns:
    """The columns of conditions, of so many rows."""
    return ConditionColumns(
        holds=np.array([each.holds for each in conditions], dtype=np.bool_).reshape(-1, count).T,
        names=tuple(each.name for each in conditions),
        weights=tuple(each.weight for each in conditions),
    )


def _anywhere(signs: Sequence[Sign], count: int) -> Bools:
    """Where any of some signs shows; of a single one this is its own column."""
    if len(signs) == 1 and signs[0].shows.shape == (count,):
        return signs[0].shows
    shows = np.zeros(count, dtype=np.bool_)
    for sign in signs:
        shows |= sign.shows
    return shows


def _told(signs: Sequence[Sign], row: int) -> str:
    """The words of the first sign that shows at a row; empty where none does."""
    return next((sign.words(row) for sign in signs if sign.shows[row]), "")
