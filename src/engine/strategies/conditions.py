"""Conditions that strategies are made of: a column each, with a detail of any row that reads well in chat.

A reading that is not there yet makes a condition not hold, and the detail says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.decisions import Condition, TechnicalSignals
from engine.domain.figures import grouped
from engine.domain.market import Timeframe
from engine.strategies.sight import Sight

if TYPE_CHECKING:
    from engine.domain.columns import Bools
    from engine.domain.market import Floats

_SMALL = 0.1
_MOST_PLACES = 12


READINGS = tuple(each.name for each in fields(TechnicalSignals) if each.type in ("float", "float | None"))
"""The readings that are always there, by name: ``rsi``, ``ma_200`` ...; configured indicators add their columns."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionColumn:
    """A named thing a strategy looks for, and where it holds.

    Attributes:
        holds: A value for each row; anything that numpy takes for yes and no.
        detail: What was found at a row, in words.
    """

    name: str
    weight: float
    holds: Bools
    detail: Callable[[int], str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", np.asarray(self.holds, dtype=np.bool_))

    def at(self, row: int) -> Condition:
        """The condition at one row."""
        return Condition(name=self.name, holds=bool(self.holds[row]), weight=self.weight, detail=self.detail(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCondition:
    """A condition of the user's own: holds where a reading is above one limit and below another.

    Attributes:
        column: One of ``READINGS``, or a column of a configured indicator: ``ADX_14``.
        above, below: A number, or the name of another reading; at least one is given.
        weight: How much it counts among the others.
        timeframe: Where it is read; ``None`` for the strategy's own candles.
    """

    column: str
    above: float | str | None = None
    below: float | str | None = None
    weight: float = 1.0
    timeframe: Timeframe | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every reading that it names."""
        return (self.column, *(limit for limit in (self.above, self.below) if isinstance(limit, str)))

    def look(self, sight: Sight) -> ConditionColumn:
        """Where it holds."""
        timeframe = self.timeframe or sight.timeframe
        value = sight.reading(self.column, timeframe)
        sides = tuple(
            (side, limit) for side, limit in (("above", self.above), ("below", self.below)) if limit is not None
        )
        parts = [
            _compared("", self.column, value, self._limit(sight, limit, timeframe), side=side, weight=self.weight)
            for side, limit in sides
        ]
        limits = " and ".join(
            f"{side} {grouped(limit, 6) if isinstance(limit, float | int) else limit}" for side, limit in sides
        )
        on = "" if timeframe is sight.timeframe else f" on {timeframe}"
        return ConditionColumn(
            name=f"{self.column} {limits}{on}",
            weight=self.weight,
            holds=np.logical_and.reduce([part.holds for part in parts])
            if parts
            else np.ones(len(sight), dtype=np.bool_),
            detail=lambda row: "; ".join(dict.fromkeys(part.detail(row) for part in parts)),
        )

    @staticmethod
    def _limit(sight: Sight, limit: float | str, timeframe: Timeframe) -> Floats | float:
        return sight.reading(limit, timeframe) if isinstance(limit, str) else limit


def above(name: str, what: str, values: Floats, limit: Floats | float, *, weight: float = 1.0) -> ConditionColumn:
    """Holds where a reading is above a limit, e.g. ``volume 1.83, wants above 1.20``."""
    return _compared(name, what, values, limit, side="above", weight=weight)


def below(name: str, what: str, values: Floats, limit: Floats | float, *, weight: float = 1.0) -> ConditionColumn:
    """Holds where a reading is below a limit, e.g. ``RSI 34.20, wants below 35.00``."""
    return _compared(name, what, values, limit, side="below", weight=weight)


def between(name: str, what: str, values: Floats, low: float, high: float, *, weight: float = 1.0) -> ConditionColumn:
    """Holds where a reading lies in a range, its ends included."""
    values = np.asarray(values)

    def detail(row: int) -> str:
        value, wants = float(values[row]), f"wants {grouped(low, 6)} to {grouped(high, 6)}"
        if math.isnan(value):
            return f"{what} is not known yet, {wants}"
        reads, *_ = distinctly(value, low, high)
        return f"{what} {reads}, {wants}"

    return ConditionColumn(name=name, weight=weight, holds=(low <= values) & (values <= high), detail=detail)


def uptrends(sight: Sight, timeframes: Sequence[Timeframe]) -> tuple[ConditionColumn, ...]:
    """One for each timeframe: holds where its close and 20-candle mean are above its 50-candle mean.

    The nearest timeframe counts fully, the next one half, and so on: a daily trend takes months to turn.
    """
    return tuple(
        _trend(f"trend up on {timeframe}", sight, timeframe, weight=1 / place, rising=True)
        for place, timeframe in enumerate(timeframes, start=1)
    )


def no_downtrends(sight: Sight, timeframes: Sequence[Timeframe]) -> tuple[ConditionColumn, ...]:
    """One for each timeframe: holds unless its close and 20-candle mean are below its 50-candle mean.

    Weighted as in ``uptrends``.
    """
    return tuple(
        _trend(f"no downtrend on {timeframe}", sight, timeframe, weight=1 / place, rising=False)
        for place, timeframe in enumerate(timeframes, start=1)
    )


def bullish_pattern(sight: Sight, *, weight: float = 1.0) -> ConditionColumn:
    """Holds where a candle completes a bullish pattern and no bearish one."""
    found, names = sight.patterns()

    def detail(row: int) -> str:
        signs = ((names[column], found[row, column]) for column in np.flatnonzero(found[row]))
        return ", ".join(f"{'bullish' if sign > 0 else 'bearish'} {name}" for name, sign in signs) or "no pattern"

    holds = np.any(found > 0, axis=1) & np.all(found >= 0, axis=1)
    return ConditionColumn(name="bullish candle", weight=weight, holds=holds, detail=detail)


def near_support(sight: Sight, reach_atr: float, *, weight: float = 1.0) -> ConditionColumn:
    """Holds where the nearest support is at most so many ATRs below the close."""
    support, atr = sight.reading("support"), sight.reading("atr")
    distance = in_atrs(sight.reading("close") - support, atr)

    def detail(row: int) -> str:
        if math.isnan(distance[row]):
            return "no support known below the price"
        away, _ = distinctly(float(distance[row]), reach_atr, places=1)
        return f"support {number(float(support[row]))} is {away} ATR below, wants at most {grouped(reach_atr, 6)}"

    return ConditionColumn(name="support near", weight=weight, holds=distance <= reach_atr, detail=detail)


def in_atrs(distance: Floats, atr: Floats) -> Floats:
    """Distances in ATRs; ``NaN`` where either is not known, or the ATR is 0."""
    return distance / np.where(atr > 0, atr, np.nan)


def number(value: float, places: int = 2) -> str:
    """A reading with two decimals and thousands set off; below 0.1 with two significant digits more than that."""
    return grouped(value, places + 2) if 0 < abs(value) < _SMALL else f"{value:,.{places}f}"


def distinctly(*values: float, places: int = 2) -> tuple[str, ...]:
    """Readings that are compared, with as many decimals as it takes to see which are not the same.

    Where all that may be shown are not enough, there is no use in any of them.
    """
    for enough in range(places, _MOST_PLACES + 1):
        reads = tuple(number(value, enough) for value in values)
        if len(set(reads)) >= len(set(values)):
            return reads
    return tuple(number(value, places) for value in values)


def _compared(
    name: str, what: str, values: Floats, limit: Floats | float, *, side: str, weight: float
) -> ConditionColumn:
    values, limit = np.asarray(values), limit if isinstance(limit, float | int) else np.asarray(limit)

    def detail(row: int) -> str:
        value, wanted = float(values[row]), float(limit if isinstance(limit, float | int) else limit[row])
        if math.isnan(value) or math.isnan(wanted):
            return f"{what} is not known yet"
        reads, wants = number(value), number(wanted)
        if reads == wants:
            reads, wants = distinctly(value, wanted)
        if reads == wants and value != wanted:
            reads = f"just {'above' if value > wanted else 'below'} {reads}"
        return f"{what} {reads}, wants {side} {wants}"

    holds = values > limit if side == "above" else values < limit
    return ConditionColumn(name=name, weight=weight, holds=holds, detail=detail)


def _trend(name: str, sight: Sight, timeframe: Timeframe, *, weight: float, rising: bool) -> ConditionColumn:
    """Holds in a rising trend, or else where there is no falling one."""
    close, fast, slow = (sight.reading(reading, timeframe) for reading in ("close", "ma_20", "ma_50"))
    is_so = (close > slow) & (fast > slow) if rising else (close < slow) & (fast < slow)
    # Where there is a slow mean there is a fast one.
    holds = is_so if rising else ~(is_so | np.isnan(slow))

    def detail(row: int) -> str:
        if math.isnan(slow[row]) or math.isnan(fast[row]):
            return f"too few {timeframe} candles to see a trend"
        means = float(close[row]), float(fast[row]), float(slow[row])
        return _trend_words(*means, rising=rising, is_so=bool(is_so[row]))

    return ConditionColumn(name=name, weight=weight, holds=holds, detail=detail)


@lru_cache(maxsize=64)
def _trend_words(close: float, fast: float, slow: float, *, rising: bool, is_so: bool) -> str:
    """What a longer candle says is told at each close until the next one of its length."""
    at, near, far = distinctly(close, fast, slow)
    return f"close {at} and MA20 {near} {'>' if rising else '<'} MA50 {far}: {'yes' if is_so else 'no'}"
