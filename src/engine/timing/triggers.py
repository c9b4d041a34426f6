"""When something is due, again and again and for ever. Pure: the same answers drive the wall clock and a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from engine.domain.days import Days
from engine.domain.market import Timeframe

_MORE_THAN_A_MONTH = timedelta(days=32)
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class Trigger(Protocol):
    """The times at which something is due. They have no beginning and no end."""

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment."""
        ...

    def latest(self, moment: datetime) -> datetime:
        """The newest time up to a moment, that included."""
        ...


@dataclass(frozen=True, slots=True)
class Regularly:
    """Fires so long apart, counted from midnight UTC of a Monday, as venues count their candles."""

    step: timedelta

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment."""
        return self.latest(moment) + self.step

    def latest(self, moment: datetime) -> datetime:
        """The newest time up to a moment."""
        return moment - (moment - _MONDAY) % self.step


@dataclass(frozen=True, slots=True)
class Daily:
    """Fires whenever a day ends."""

    days: Days

    def after(self, moment: datetime) -> datetime:
        """When the day ends that a moment belongs to."""
        return self.days.running(moment).ends

    def latest(self, moment: datetime) -> datetime:
        """When the day before that one ended."""
        return self.days.begin(moment)


@dataclass(frozen=True, slots=True)
class Monthly:
    """Fires at the beginning of each month, UTC."""

    def after(self, moment: datetime) -> datetime:
        """The beginning of the month after the one that a moment belongs to."""
        return self.latest(self.latest(moment) + _MORE_THAN_A_MONTH)

    def latest(self, moment: datetime) -> datetime:
        """The beginning of the month that a moment belongs to."""
        return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def every(timeframe: Timeframe) -> Trigger:
    """Fires at each close of a timeframe's candles."""
    return Regularly(timeframe.duration)


def often(interval: timedelta) -> Trigger:
    """Fires again and again."""
    return Regularly(interval)
