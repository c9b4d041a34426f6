"""The account's days: each ends at a time of day where people live, whatever the clocks do there. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from zoneinfo import ZoneInfo

_ONE, _FAR = timedelta(days=1), 2
"""The end of a day is at most so many dates away from any moment of it, through every change of clock there was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: it begins when the one before ends.

    Attributes:
        date: Its date where people live; each date there is has one day.
        ends: When it ends, aware UTC.
    """

    date: date
    ends: datetime

    @property
    def name(self) -> str:
        """Its date, e.g. 2026-01-31."""
        return self.date.isoformat()


class Period(StrEnum):
    """Days counted together: a day alone, those of a week from Monday on, those of a month."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first(self, day: date) -> date:
        """The first date of the period that a date belongs to."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - day.weekday() * _ONE
            case Period.MONTH:
                return day.replace(day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Where days end.

    A day that ends at midnight has the date that is over by then; at any other time, the date of that time. Where the
    clocks jump over the time, it ends as they jump; where they show it twice, the first time.

    Attributes:
        at: The time of day.
        zone: Whose time of day.
    """

    at: time
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[Day]:
        """The days that end after a moment, oldest first, without end."""
        first = moment.astimezone(self.zone).date() - _FAR * _ONE
        days = (self._day(first + number * _ONE) for number in count())
        return (day for day in days if day is not None and day.ends > moment)

    def before(self, moment: datetime) -> Iterator[Day]:
        """The days that have ended by a moment, newest first, without end."""
        last = moment.astimezone(self.zone).date() + _FAR * _ONE
        days = (self._day(last - number * _ONE) for number in count())
        return (day for day in days if day is not None and day.ends <= moment)

    def running(self, moment: datetime) -> Day:
        """The day that a moment belongs to; the moment at which a day ends belongs to the next."""
        return next(self.after(moment))

    def begin(self, moment: datetime) -> datetime:
        """When the day that a moment belongs to began."""
        return next(self.before(moment)).ends

    def begin_of(self, day: date) -> datetime:
        """When the day of a date begins: when the last one before it ends, also where there is no such date."""
        before = (self._day(day - number * _ONE) for number in count(1))
        return next(found.ends for found in before if found is not None)

    def last(self, period: Period, number: int, now: datetime) -> list[tuple[datetime, Day]]:
        """When each of the last periods begins, and the period under its first date; the last one ends now."""
        spans: list[tuple[datetime, Day]] = []
        first, ends = period.first(self.running(now).date), now
        while len(spans) < number:
            begin = self.begin_of(first)
            if begin < ends or not spans:  # a date that was left out has no day
                spans.append((begin, Day(date=first, ends=ends)))
            first, ends = period.first(first - _ONE), begin
        return spans[::-1]

    def _day(self, day: date) -> Day | None:
        """A date's day; ``None`` for a date that was left out, as Samoa left out 30 December 2011."""
        following = day + _ONE
        if self._first(day, time()) == self._first(following, time()):
            return None
        ends = self._first(day, self.at) if self.at > time() else self._first(following, time())
        return Day(date=day, ends=ends)

    def _first(self, day: date, at: time) -> datetime:
        """When the clocks first show a time of a date, or a later one."""
        wanted = datetime.combine(day, at)
        found = wanted.replace(tzinfo=self.zone).astimezone(UTC)
        if found.astimezone(self.zone).replace(tzinfo=None) == wanted:
            return found
        return self._jump(wanted.replace(tzinfo=self.zone, fold=1).astimezone(UTC), found)

    def _jump(self, before: datetime, after: datetime) -> datetime:
        """When the clocks were set forward, between two moments."""
        set_to = after.astimezone(self.zone).utcoffset()

        def is_set(seconds: int) -> bool:
            return (before + timedelta(seconds=seconds)).astimezone(self.zone).utcoffset() == set_to

        seconds = range(int((after - before).total_seconds()))
        return before + timedelta(seconds=bisect_left(seconds, x=True, key=is_set))
