"""Halts and emergency stops as people see them: which stand, what they replaced, how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.halts import Halt
from engine.domain.orders import Order
from engine.domain.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltView:
    """A halt with its id; that is empty as long as the halt cannot be written down.

    Attributes:
        at: The venue of the market it concerns, where the account has several; else empty.
    """

    id: str
    halt: Halt
    ended_at: datetime | None = None
    ended_by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """What a call for a pause came to.

    Attributes:
        holds: The pause that is in force now: the new one, or one that lasts at least as long.
        ended: The shorter ones whose place it has taken.
        beside: What else stops entries everywhere.
    """

    holds: HaltView
    is_new: bool
    ended: tuple[HaltView, ...]
    beside: tuple[HaltView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How entries come back after a drawdown halt.

    Attributes:
        drawdown: Of now.
        size: What the drawdown leaves of the usual sizes of entries, as a fraction; 1 for all of it.
        whole_from: The equity from which on they have their usual size.
        standing: What stops entries all the same.
    """

    halt: HaltView
    quote: str
    drawdown: Decimal
    size: Decimal
    whole_from: Decimal
    standing: HaltView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What an emergency stop would end: orders that could still buy, everything held, how many open approvals.

    Attributes:
        keeps_stops: Whether positions are left to their stops and targets instead of being sold.
    """

    entries: tuple[Order, ...]
    positions: tuple[Position, ...]
    approvals: int
    keeps_stops: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyView:
    """How far an emergency stop is.

    Attributes:
        note: What it does now, or what keeps it from it.
        closed: What was sold since it was called.
        ended_because: The reason of whoever has ended it.
    """

    halt: HaltView
    note: str
    left: Exposed
    closed: tuple[Position, ...]
    ended_because: str = ""
