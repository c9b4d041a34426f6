"""Positions that no strategy manages: their context was renamed, removed, or trades something else now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.positions import Position
from engine.domain.results import AtWork


class Absence(StrEnum):
    """Why no strategy manages a position."""

    CONTEXT = "context"
    """No context has the name that it was opened under."""
    MARKET = "market"
    """That context does not trade its market."""
    VENUE = "venue"
    """That context trades it at another venue."""


class Ending(StrEnum):
    """What ended the time in which no strategy managed a position."""

    CLOSED = "closed"
    MANAGED = "managed"
    CHANGED = "changed"
    """It is another absence now, which is told of by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmanaged:
    """A time in which no strategy manages a position, as people are told of it: once, however often the bot starts."""

    id: str
    position_id: str
    why: Absence
    since: datetime
    ended_at: datetime | None = None
    ended_by: Ending | None = None


def absence(held: Position, contexts: Iterable[AtWork]) -> Absence | None:
    """Why no strategy manages an open position; ``None`` where one does, and for what somebody else looks after."""
    if held.is_external:
        return None
    own = next((each for each in contexts if each.name == held.context), None)
    if own is None:
        return Absence.CONTEXT
    if held.symbol not in own.markets:
        return Absence.MARKET
    return None if held.venue in (own.venue, *own.others) else Absence.VENUE
