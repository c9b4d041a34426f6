"""What calls for the emergency stop, or for no more entries, by itself: when, and when it counts anew. Pure.

    armed ─ at or above ``trips_at`` ─▶ tripped ─ at or below ``ends_at`` for ``calm_for`` ─▶ armed

Between both nothing changes, so that a figure that swings about a threshold trips once (hysteresis). What is not known
changes nothing either: no answer is neither a catastrophe nor the end of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class LeadsTo(StrEnum):
    """What a trigger comes to."""

    OFF = "off"
    """Nothing: it is not looked at."""
    REDUCING = "reducing"
    """No entries until it has been calm for long enough."""
    HALTED = "halted"
    """The emergency stop: only an admin ends it."""


class Cause(StrEnum):
    """What may trip."""

    CONNECTIVITY = "connectivity"
    """No prices of a venue come in; in hours."""
    FAILING_API = "failing_api"
    """The venue fails to answer about orders; in calls in a row."""
    FLASH_CRASH = "flash_crash"
    """What is held has fallen at once; as a fraction of its highest close within a time."""
    DRAWDOWN = "drawdown"
    """Equity is below its peak; as a fraction of that."""
    MISMATCH = "mismatch"
    """The venue has less than the books say; as a fraction of equity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """When something calls for a stop; figures in the unit of its cause.

    Attributes:
        trips_at: From here on it trips.
        ends_at: Up to here it is calm again.
        calm_for: How long it has to be so, without a break, before it counts anew.
    """

    leads_to: LeadsTo
    trips_at: Decimal
    ends_at: Decimal
    calm_for: timedelta

    @property
    def is_on(self) -> bool:
        """Whether it is looked at."""
        return self.leads_to is not LeadsTo.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerState:
    """Where a trigger is.

    Attributes:
        tripped: Whether it has tripped, and has not been calm for long enough since.
        calm_since: Since when it has been calm without a break; ``None`` where it is not, or is armed.
    """

    tripped: bool = False
    calm_since: datetime | None = None


ARMED = TriggerState()


def in_hours(length: timedelta) -> Decimal:
    """A length of time as the figure of ``Cause.CONNECTIVITY``."""
    return Decimal(length // timedelta(milliseconds=1)) / 3_600_000


def caller(cause: Cause) -> str:
    """Who has called an emergency stop that a trigger led to, where a person's name would stand."""
    return f"the trigger {cause}"


def is_person(by: str) -> bool:
    """Whether a person has called it."""
    return by not in map(caller, Cause)


def observed(trigger: Trigger, state: TriggerState, figure: Decimal | None, now: datetime) -> TriggerState:
    """The state after one more look; ``figure`` is ``None`` where nothing is known."""
    if not state.tripped:
        return TriggerState(tripped=True) if figure is not None and figure >= trigger.trips_at else state
    if figure is None or figure > trigger.ends_at:
        return replace(state, calm_since=None)
    since = state.calm_since or now
    return ARMED if now - since >= trigger.calm_for else replace(state, calm_since=since)
