"""Halts that begin and end: kept, and told of on their own card and on those of the approvals they hold up."""

from __future__ import annotations

from datetime import datetime

from engine.domain.events import Halted, HaltEnded
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt
from engine.domain.trading_states import StateChange, TradingState, state_of
from engine.store.unit_of_work import UnitOfWork


def begin_halt(uow: UnitOfWork, halt: Halt) -> str:
    """Halt entries; the id of the halt."""
    halt_id = uow.halts.add(halt)
    _note_state(uow, halt.since)
    uow.emit(Halted(at=halt.since, halt_id=halt_id, kind=halt.kind, approvals=_approvals_held(uow, halt)))
    return halt_id


def end_halt(
    uow: UnitOfWork, found: HaltView, at: datetime, by: str = "", *, why: str = "", replaced: bool = False
) -> None:
    """End a halt, ``why`` in the words of whoever does; where it is replaced, by the next one of its kind."""
    uow.halts.end(found.id, at, by, replaced=replaced)
    if not replaced:
        _note_state(uow, at, by, f"{found.id} is over{f': {why}' if why else ''}")
    held_up = _approvals_held(uow, found.halt)
    uow.emit(HaltEnded(at=at, halt_id=found.id, kind=found.halt.kind, by=by, approvals=held_up))


def _approvals_held(uow: UnitOfWork, halt: Halt) -> tuple[str, ...]:
    """The open approvals about what it concerns."""
    return tuple(asked.id for asked in uow.approvals.open() if halt.concerns(asked.plan.listing))


def _note_state(uow: UnitOfWork, at: datetime, by: str = "", ended: str = "") -> None:
    """Keep how far the bot may trade, where that or its reason has changed; ``ended`` what is over, and why."""
    state, halt = state_of(uow.halts.open())
    current = uow.trading_states.current()
    known = (current.state, current.halt_id) if current else (TradingState.ACTIVE, "")
    if known == (state, halt.id if halt else ""):
        return
    if halt is not None:
        new = StateChange(state=state, at=at, reason=halt.halt.reason, by=halt.halt.by, halt_id=halt.id)
    else:
        new = StateChange(state=state, at=at, reason=ended, by=by)
    uow.trading_states.add(new)
