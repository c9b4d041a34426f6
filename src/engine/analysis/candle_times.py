"""When candles open, told from numbers and texts: in which unit a number is, and which times can be.

Within these years a number is a time in one of the units at most, so its size tells the unit for certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.domain.market import to_millis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Millis

YEARS = (2009, 2100)
"""From the first coin's year on, up to the beginning of a year that no candle reaches."""
TWELVE_HOURS = re.compile(r"(\d{4}-\d\d-\d\d) (0[1-9]|1[0-2])-(AM|PM)")
_EARLIEST, _LATEST = (to_millis(datetime(year, 1, 1, tzinfo=UTC)) for year in YEARS)
_SPAN = f"between {YEARS[0]} and {YEARS[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeUnit:
    """A unit that times are written in: ``times`` of it are ``millis`` milliseconds."""

    name: str
    times: int
    millis: int

    def bounds(self) -> tuple[int, int]:
        """The earliest time that can be, and the first that cannot be any more."""
        return _EARLIEST * self.times // self.millis, _LATEST * self.times // self.millis


MILLISECONDS = TimeUnit(name="milliseconds", times=1, millis=1)
UNITS = (
    TimeUnit(name="seconds", times=1, millis=1000),
    MILLISECONDS,
    TimeUnit(name="microseconds", times=1000, millis=1),
    TimeUnit(name="nanoseconds", times=1_000_000, millis=1),
)


class BadTime(Exception):
    """A time that cannot be read.

    Args:
        index: Which of the times it is, from 0.
        detail: What it says and why that is no time, to stand after the row's name.
    """

    def __init__(self, index: int, detail: str) -> None:
        super().__init__(index, detail)
        self.index = index
        self.detail = detail


def millis_of(times: NDArray[Any], unit: TimeUnit | None = None) -> Millis:
    """Turn whole or floating numbers into milliseconds since 1970.

    Args:
        times: The numbers, all in one unit.
        unit: The unit, where something beside their size tells it.

    Raises:
        BadTime: One is no whole millisecond of these years, or in another unit than the first.
    """
    if not len(times):
        return np.empty(0, dtype=np.int64)
    unit = unit or _unit_of(times[0], 0)
    low, high = unit.bounds()
    wrong = ~((times >= low) & (times < high))
    if wrong.any():
        raise _out_of_bounds(times, int(np.flatnonzero(wrong)[0]), unit)
    whole = times.astype(np.int64)
    broken = (whole != times) | (whole * unit.millis % unit.times != 0)
    if broken.any():
        index = int(np.flatnonzero(broken)[0])
        raise BadTime(index, f"has the time {times[index]}, which is no whole millisecond")
    return whole * unit.millis // unit.times


def _unit_of(number: Any, index: int) -> TimeUnit:
    for unit in UNITS:
        low, high = unit.bounds()
        if low <= number < high:
            return unit
    raise BadTime(index, f"has the time {number}, which is none {_SPAN} in seconds down to nanoseconds")


def _out_of_bounds(times: NDArray[Any], index: int, unit: TimeUnit) -> BadTime:
    try:
        other = _unit_of(times[index], index)
    except BadTime as none:
        return none
    return BadTime(index, f"has the time {times[index]}, which is in {other.name}; the rows before are in {unit.name}")


def number_of(text: str) -> tuple[int, TimeUnit]:
    """Milliseconds since 1970 of a number that is text, and the unit that it is in.

    Raises:
        ValueError: It is no number, or no whole millisecond of these years; says which, to stand after the text.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("is no number") from None
    for unit in UNITS if number.is_finite() else ():
        low, high = unit.bounds()
        if low <= number < high and (millis := number * unit.millis / unit.times) == int(millis):
            return int(millis), unit
    raise ValueError(f"is no time {_SPAN} in seconds down to nanoseconds")


def date_of(text: str) -> int:
    """Milliseconds since 1970 of a date, in UTC where it names no zone; ``2017-08-17 04-AM`` is one too.

    Raises:
        ValueError: It cannot be read, or lies outside these years; says which, to stand after the text.
    """
    try:
        if match := TWELVE_HOURS.fullmatch(text):
            day, hour, half = match.groups()
            at = datetime.fromisoformat(day) + timedelta(hours=int(hour) % 12 + 12 * (half == "PM"))
        else:
            at = datetime.fromisoformat(text)
        millis = to_millis(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError("cannot be read") from None
    if not _EARLIEST <= millis < _LATEST:
        raise ValueError(f"is not {_SPAN}")
    return millis
