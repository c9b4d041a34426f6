"""Whether a strategy looks ahead: what it says of a candle must not change once later candles are known.

whole frames ─▶ columns ──────────────────┐
   cut after a row ─▶ columns ─▶ compared with their past ─▶ Peek

Readings of the house hang on no later candle (tests), so they are cut, not made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.setup import BacktestSetup
from engine.backtest.slots import frames_of
from engine.domain.columns import Columns, SignalColumns
from engine.domain.decisions import Frame
from engine.domain.errors import StrategyError
from engine.domain.market import Timeframe, from_millis
from engine.ports import Frames, Strategy
from engine.strategies.conditions import READINGS
from engine.strategies.guarded import GuardedStrategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.columns import Bools
    from engine.domain.market import Floats

_REMEDY = (
    "A row may be made of its own candle and older ones alone: no shift(-1), no [-1], no mean or extreme of the whole "
    "frame, no bfill, no centred window, and of longer candles only those that have closed."
)
_ROUNDING = 1e-9
"""How far a distance may be off, as a part of it: sums of another length are rounded otherwise."""
_ENTRIES, _EXITS, _FLIPS, _SPREAD = 24, 12, 4, 12
"""How many rows of each kind a sample has."""
_STRIDE = 0.618
"""Of all rows: how far apart rows are that are looked at one after the other, so that any part of them is spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """Where a strategy looked ahead.

    Attributes:
        at: When the candle closes of which it says something else.
        cut_at: When the newest candle closes that it was shown.
        column: What it says otherwise.
        knowing, before: What it says where later candles are known, and where they are not.
    """

    strategy: str
    symbol: str
    timeframe: Timeframe
    at: datetime
    cut_at: datetime
    column: str
    knowing: str
    before: str

    @property
    def error(self) -> StrategyError:
        """What people read."""
        return StrategyError(
            f"The strategy {self.strategy} looks ahead: on {self.symbol}, at the {self.timeframe} candle that closes "
            f"{self.at:%Y-%m-%d %H:%M} UTC, {self.column} is {self.knowing} once later candles are known, and "
            f"{self.before} with those up to {self.cut_at:%Y-%m-%d %H:%M} UTC.",
            _REMEDY,
        )


class LookAhead:
    """Looks at one strategy on one market.

    Args:
        strategy: Whatever speaks in columns.
        frames: Whole ones, as ``TechnicalAnalyzer.whole`` makes them.

    Raises:
        StrategyError: It fails, asks for a reading that there is not, or says something else each time it is asked.
    """

    def __init__(self, strategy: Strategy, frames: Frames) -> None:
        self._strategy, self._frames = strategy, frames
        self._timeframe = strategy.timeframes[0]
        self.said = said_of(strategy, frames)
        self._open_ms = frames[self._timeframe].candles.open_ms
        again = strategy.columns(frames)
        if _names(again) != _names(self.said) or any(where.any() for _, where in _differences(self.said, again)):
            message = f"The strategy {strategy.name} says something else each time it is asked about the same candles."
            raise StrategyError(message, "Leave chance, clocks and what it remembers out of it.")

    def sample(self) -> list[int]:
        """Rows at which a look ahead is likely to show: changes, a few more, and the early ones last.

        What fails on a few candles alone may look ahead as well, which is worse.
        """
        rows, warm = telling_rows(self.said), self._strategy.warmup
        early = (0, 1, warm // 2, warm - 2, warm - 1, warm, warm + 1, 2 * warm)
        every = {*rows, *(row for row in early if 0 <= row < len(self._open_ms))}
        return sorted(every, key=lambda row: (row < warm, row))

    def all(self) -> Iterator[int]:
        """Every row, in an order in which any part of them is spread over all."""
        count = len(self._open_ms)
        stride = max(1, int(count * _STRIDE))
        while gcd(stride, count) > 1:
            stride += 1
        return (number * stride % count for number in range(count))

    def at(self, row: int) -> Peek | None:
        """What it says otherwise of any row up to this one, if no later candle is known.

        Raises:
            StrategyError: It fails on so few candles.
        """
        early = self._columns(row)
        if len(early) != row + 1:
            raise StrategyError(f"The strategy {self._strategy.name} says {len(early)} rows of {row + 1} candles.")
        if _names(early) != _names(self.said):
            return self._peek(row, 0, "the list of its conditions", "another", "this one")
        differ = {name: np.flatnonzero(where) for name, where in _differences(self.said, early)}
        rows = {name: int(where[0]) for name, where in differ.items() if len(where)}
        if not rows:
            return None
        column = min(rows, key=rows.__getitem__)
        first = rows[column]
        knowing, before = (_told(said, column, first) for said in (self.said, early))
        return self._peek(row, first, column, knowing, before)

    def _columns(self, row: int) -> SignalColumns:
        """What it says of the candles up to a row."""
        try:
            return self._strategy.columns(cut_after(self._frames, self._timeframe, row))
        except StrategyError as error:
            shown = f"It was shown {row + 1:,} candles of {self._frames[self._timeframe].candles.symbol}."
            raise StrategyError(f"{error.message} {shown}", error.remedy) from error

    def _peek(self, row: int, first: int, column: str, knowing: str, before: str) -> Peek:
        span = self._timeframe.millis
        return Peek(
            strategy=self._strategy.name,
            symbol=self._frames[self._timeframe].candles.symbol,
            timeframe=self._timeframe,
            at=from_millis(int(self._open_ms[first]) + span),
            cut_at=from_millis(int(self._open_ms[row]) + span),
            column=column,
            knowing=knowing,
            before=before,
        )

    def demand(self, rows: Iterable[int]) -> None:
        """See that it does not look ahead, as far as some rows show.

        Raises:
            StrategyError: It does, or fails.
        """
        for row in rows:
            if found := self.at(row):
                raise found.error


def refuse_peeking(setup: BacktestSetup) -> None:
    """See that no strategy of somebody's own looks ahead, on a sample of rows; those of the house do not (tests).

    Raises:
        StrategyError: One does, or fails.
    """
    for context in setup.contexts:
        if isinstance(context.strategy, GuardedStrategy):
            for symbol in context.markets:
                look = LookAhead(context.strategy, frames_of(setup, context.strategy, symbol))
                look.demand(look.sample())


def said_of(strategy: Strategy, frames: Frames) -> SignalColumns:
    """What it says of whole frames.

    Raises:
        StrategyError: It fails, or asks for a reading that there is not: nothing would ever be known of that.
    """
    unknown: list[str] = []
    noted = {
        each: replace(frame, columns=replace(frame.columns, readings=_NotedReadings(frame.columns.readings, unknown)))
        for each, frame in frames.items()
    }
    said = strategy.columns(noted)
    for name in unknown:
        near = get_close_matches(name, (*READINGS, "support"), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(READINGS)}, ma_N and channel_high_N."
        message = f"The strategy {strategy.name} asks for the reading {name}, which there is not."
        raise StrategyError(message, f"{hint} What is under indicators in the settings adds others.")
    return said


class _NotedReadings(Columns["Floats"]):
    """Readings that note which of them somebody has asked for in vain."""

    def __init__(self, readings: Columns[Floats], unknown: list[str]) -> None:
        self._readings, self._unknown = readings, unknown

    def __getitem__(self, name: str) -> Floats:
        return self.since(name, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)

    def since(self, name: str, row: int) -> Floats:
        try:
            return self._readings.since(name, row)
        except KeyError:
            self._unknown.append(name)
            raise


def telling_rows(said: SignalColumns) -> list[int]:
    """Rows at which an error in a strategy is likely to show: where it begins or ends to say something, and a few more.

    At most about a hundred, in order.
    """
    changes = [np.flatnonzero(np.diff(each)) for each in (said.entry, said.exit, *said.conditions.T)]
    most = (_ENTRIES, _EXITS, *(_FLIPS for _ in said.names))
    before = np.concatenate([_some(each, count) for each, count in zip(changes, most, strict=True)])
    found = [before, before + 1, _some(np.flatnonzero(said.entry), _ENTRIES), _some(np.arange(len(said)), _SPREAD)]
    return [int(row) for row in np.unique(np.concatenate(found))]


def cut_after(frames: Frames, timeframe: Timeframe, row: int) -> Frames:
    """What was known at the close of a row of the frame of a timeframe: no later candle, and no longer one open."""
    own = frames[timeframe].candles
    at = int(own.open_ms[row]) + timeframe.millis
    stops = {
        each: row + 1 if each is timeframe else int(frame.candles.open_ms.searchsorted(at - each.millis, side="right"))
        for each, frame in frames.items()
    }
    return {each: _cut(frames[each], stop) for each, stop in stops.items() if stop}


def _cut(frame: Frame, stop: int) -> Frame:
    candles, series = frame.candles.cut(0, stop), frame.columns.series
    if series is None:
        raise ValueError("frames that are looked at are whole")
    signals = replace(frame.signals, at=candles.closed_at, close=float(candles.close[-1]))
    columns = replace(series.part(0, stop), series=None)
    outlook = frame.outlook.part(0, stop) if frame.outlook else None
    return Frame(candles=candles, columns=columns, signals=signals, outlook=outlook)


def _some(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most so many of them, spread evenly."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]


def _names(said: SignalColumns) -> tuple[object, ...]:
    return said.names, said.weights, said.max_candles


def _differences(said: SignalColumns, early: SignalColumns) -> Iterator[tuple[str, Bools]]:
    """Each column by its name, and where the two say something else of it."""
    rows = len(early)
    yield "entry", said.entry[:rows] != early.entry
    yield "exit", said.exit[:rows] != early.exit
    for name in ("stop_distance", "target_distance"):
        one, other = getattr(said, name)[:rows], getattr(early, name)
        yield name, ~np.isclose(one, other, rtol=_ROUNDING, atol=0, equal_nan=True)
    for number, name in enumerate(said.names):
        yield f"the condition {name!r}", said.conditions[:rows, number] != early.conditions[:, number]


def _told(said: SignalColumns, column: str, row: int) -> str:
    if column in ("entry", "exit"):
        return "yes" if getattr(said, column)[row] else "no"
    if column in ("stop_distance", "target_distance"):
        value = float(getattr(said, column)[row])
        return "not known" if np.isnan(value) else f"{value:.8g}"
    number = [f"the condition {name!r}" for name in said.names].index(column)
    return "yes" if said.conditions[row, number] else "no"
