"""The windows of a test that walks forward: what is chosen on the past is traded on what came next. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.errors import BadInput

_PARTS = 10
"""By itself half of the time comes before the first test, and each test is a tenth of it."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time to choose in, and the time after it to trade in: ``[begins, splits)`` and ``[splits, ends)``."""

    begins: datetime
    splits: datetime
    ends: datetime


def windows(
    begins: datetime,
    ends: datetime,
    *,
    inside: timedelta | None = None,
    outside: timedelta | None = None,
    anchored: bool = False,
) -> tuple[Window, ...]:
    """The windows of some time; the last test has what is left, from half to one and a half of the others.

    Args:
        begins: Where there are candles from.
        ends: Where they end.
        inside: How long what is chosen on is; anchored, how long it is at first.
        outside: How long a test is.
        anchored: Whether what is chosen on always begins at the beginning, and grows.

    Raises:
        BadInput: There is no time for a single test.
    """
    length = ends - begins
    before = _days(length / 2) if inside is None else inside
    step = _days(length / _PARTS) if outside is None else outside
    if before <= timedelta(0) or step <= timedelta(0):
        raise BadInput("A window needs some time.", "Write --train 365d and --test 90d.")
    if begins + before >= ends:
        message = f"There are {length.days:,} days of candles, and none is left after --train {before.days:,}d."
        raise BadInput(message, "Train on less, or give more candles.")
    return tuple(_windows(begins, ends, before, step, anchored=anchored))


def _windows(
    begins: datetime, ends: datetime, before: timedelta, step: timedelta, *, anchored: bool
) -> Iterator[Window]:
    splits = begins + before
    while splits < ends:
        until = splits + step if ends - splits >= 1.5 * step else ends
        yield Window(begins=begins if anchored else splits - before, splits=splits, ends=until)
        splits = until


def _days(length: timedelta) -> timedelta:
    """Whole days, where there are any."""
    return length // _DAY * _DAY or length
