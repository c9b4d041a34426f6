"""How far the bot may trade: everything, only what reduces risk, or nothing but an end of what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.halt_views import HaltView


class TradingState(StrEnum):
    """From the whole down to the least."""

    ACTIVE = "active"
    """Entries and exits."""
    REDUCING = "reducing"
    """No entries anywhere; exits and protection go on."""
    HALTED = "halted"
    """The emergency stop: orders are cancelled, what is held is sold, and only an admin ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A state, and why it is so.

    Attributes:
        at: Since when.
        reason: Of the halt that calls for it, or what ended the last one.
        by: Who or what called for that.
        halt_id: The halt; empty while active.
    """

    state: TradingState
    at: datetime
    reason: str
    by: str = ""
    halt_id: str = ""


def state_of(standing: Sequence[HaltView]) -> tuple[TradingState, HaltView | None]:
    """The state that halts call for, and which of them does: the strictest, of several the oldest.

    A halt of one market alone leaves the others, so it changes no state.

    Args:
        standing: Those that have not ended, oldest first.
    """
    everywhere = [found for found in standing if found.halt.concerns(None)]
    stops = [found for found in everywhere if found.halt.is_emergency]
    if stops:
        return TradingState.HALTED, stops[0]
    return (TradingState.REDUCING, everywhere[0]) if everywhere else (TradingState.ACTIVE, None)
