"""Hours of the week in which nothing is entered."""

from __future__ import annotations

from datetime import datetime, time
from typing import NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(NamedTuple):
    """From one time of day up to another, on some days; past midnight where it ends no later than it begins.

    Attributes:
        days: On which it begins, Monday is 0.
    """

    days: tuple[int, ...]
    begins: time
    ends: time

    def has(self, at: datetime) -> bool:
        """Whether a moment is within, by the clock that it is told by."""
        of_day = at.time().replace(tzinfo=None)
        if self.begins < self.ends:
            return at.weekday() in self.days and self.begins <= of_day < self.ends
        begun = at.weekday() in self.days and of_day >= self.begins
        return begun or ((at.weekday() - 1) % 7 in self.days and of_day < self.ends)

    def __str__(self) -> str:
        """As settings have it: ``sat,sun 00:00-00:00``; every day has no name."""
        named = "" if len(self.days) == len(DAYS) else f"{','.join(DAYS[day] for day in self.days)} "
        return f"{named}{self.begins:%H:%M}-{self.ends:%H:%M}"
