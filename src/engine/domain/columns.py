"""Columns: what was read off candles, and what a strategy says of them, one row for each candle.

Row ``i`` is made of candles ``0..i`` alone, so a longer series has the same rows at its beginning. Live reads the
newest row; a backtest reads all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Candles, Floats, Timeframe

    Bools = NDArray[np.bool_]
    Signs = NDArray[np.int8]

Column = TypeVar("Column")


class Columns(Mapping[str, Column], Generic[Column]):
    """Columns by name, each made when it is first asked for.

    Args:
        names: Those that are told of; there may be more.
        rows: Makes a column's rows from a first up to, without, a last one.

    Raises:
        KeyError: There is no such column.
    """

    def __init__(self, names: Iterable[str], rows: Callable[[str, int, int], Column], start: int, stop: int) -> None:
        self._names, self._rows, self._start, self._stop = tuple(names), rows, start, stop

    def __getitem__(self, name: str) -> Column:
        return self._rows(name, self._start, self._stop)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def since(self, name: str, row: int) -> Column:
        """A column from one of its rows on; no other is made where it is made row by row."""
        return self._rows(name, self._start + row, self._stop)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossing:
    """On which side of a slow mean a fast one is, row by row, by more than rounding; on neither where one is not known.

    Attributes:
        rose: Where it is above, and was not a row before.
        below: Where it is below.
    """

    rose: Bools
    below: Bools


Cross = Callable[["Floats", "Floats"], Crossing]
"""Compares a fast mean with a slow one."""


class TechnicalSeries(Protocol):
    """A series of candles, and what was read off them."""

    @property
    def candles(self) -> Candles:
        """All of them."""
        ...

    @property
    def columns_made(self) -> int:
        """How many readings are held by now, whole."""
        ...

    def part(self, start: int, stop: int) -> TechnicalColumns:
        """The columns' rows from one up to, without, another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TechnicalColumns:
    """What was read off candles, for each of them; ``TechnicalSignals`` are the newest row.

    Attributes:
        count: How many rows there are.
        readings: In the quote currency where they are prices; ``NaN`` where the history is too short. Beside those of
            ``TechnicalSignals`` there are ``support`` (the nearest level below the close), ``ma_N`` and
            ``channel_high_N`` of any length.
        flags: Plain interpretations.
        find_patterns: Makes ``patterns``, when they are first asked for.
        pattern_names: Of the columns of ``patterns``.
        series: What they are a part of; ``None`` where that is not known.
        start: The row at which they begin there.
        cross: Compares two means faster than strategies do by themselves; ``None`` where nothing does.
    """

    count: int
    readings: Columns[Floats]
    flags: Columns[Bools]
    find_patterns: Callable[[], Signs]
    pattern_names: tuple[str, ...] = ()
    series: TechnicalSeries | None = None
    start: int = 0
    cross: Cross | None = None

    @property
    def newest(self) -> int:
        """The row of the series that is the newest here."""
        return self.start + self.count - 1

    @property
    def patterns(self) -> Signs:
        """``int8[n, patterns]``: 1 where a bullish candlestick pattern is completed, -1 a bearish one, 0 none."""
        return self.find_patterns()

    def reading(self, name: str, since: int = 0) -> Floats:
        """A reading by its name, from a row on; of one that is not there nothing is known."""
        try:
            return self.readings.since(name, since)
        except KeyError:
            return np.full(self.count - since, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutlookColumns:
    """What was expected of a market at each closed candle of one timeframe; ``NaN`` where no prediction was of now.

    Attributes:
        direction: Of all predictions together: 1 bullish, -1 bearish, 0 neutral.
        alignment: How far they agree, in [-1, 1].
        expected_move: What they expect together, as a signed fraction of the price.
        by_timeframe: The direction of each timeframe's own.
    """

    direction: Floats
    alignment: Floats
    expected_move: Floats
    by_timeframe: Mapping[Timeframe, Floats]

    def part(self, start: int, stop: int) -> OutlookColumns:
        """Its rows from one up to, without, another."""
        return OutlookColumns(
            direction=self.direction[start:stop],
            alignment=self.alignment[start:stop],
            expected_move=self.expected_move[start:stop],
            by_timeframe={each: column[start:stop] for each, column in self.by_timeframe.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionColumns:
    """The conditions of a strategy at each closed candle.

    Attributes:
        holds: ``bool[n, k]``, whether each holds.
        names, weights: Of each, in order.
    """

    holds: Bools
    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignalColumns:
    """What one strategy says of one market at each closed candle of its own timeframe; ``Signals`` tell the newest row.

    Attributes:
        entry: Where it enters: its trigger fires, it is warm, and it would not leave at once.
        exit: Where whatever is held is left.
        read_conditions: Makes the conditions, when they are asked for: a bare run asks for none.
        stop_distance, target_distance: From the entry price, in the quote currency; ``NaN`` where there is none.
        max_candles: How long a position is held at most, in candles of its own timeframe; ``None`` for no limit.
    """

    entry: Bools
    exit: Bools
    read_conditions: Callable[[], ConditionColumns]
    stop_distance: Floats
    target_distance: Floats
    max_candles: int | None = None

    def __len__(self) -> int:
        return len(self.entry)

    @property
    def conditions(self) -> Bools:
        """``bool[n, k]``, whether each condition holds."""
        return self.read_conditions().holds

    @property
    def names(self) -> tuple[str, ...]:
        """Of the conditions, in order."""
        return self.read_conditions().names

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the conditions, in order."""
        return self.read_conditions().weights

    @property
    def confidence(self) -> Floats:
        """The weighted share of the conditions that hold, in [0, 1]; reckoned as that of ``Signals`` is."""
        held = np.zeros(len(self))
        for column, weight in enumerate(self.weights):  # in their order: a sum of floats depends on it
            held += weight * self.conditions[:, column]
        total = sum(self.weights)
        return held / total if total else held
