"""Losses in a row: what each trade that closes does to its context's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.events import LosingStreakChanged
from engine.domain.positions import Position
from engine.domain.streaks import NO_LOSSES, Losses, Streak
from engine.store.unit_of_work import UnitOfWork


def note_result(uow: UnitOfWork, closed: Position, at: datetime) -> None:
    """Lengthen the streak of a context by a loss, or end it by what is none."""
    running = uow.streaks.running(closed.context)
    if closed.net < 0:
        begun = running or _begin(uow, closed, at)
        longer = replace(begun, losses=begun.losses + 1, net=begun.net + closed.net, last=closed.id)
        uow.streaks.put(longer)
        uow.emit(LosingStreakChanged(at=at, streak_id=longer.id, losses=longer.losses))
    elif running is not None:
        uow.streaks.end(running, at, closed.id)
        uow.emit(LosingStreakChanged(at=at, streak_id=running.id, losses=running.losses))


def losses_of(uow: UnitOfWork, context: str) -> Losses:
    """What a context has lost in a row."""
    running = uow.streaks.running(context)
    if running is None:
        return NO_LOSSES
    return Losses(count=running.losses, newest_at=uow.positions.get(running.last).closed_at)


def _begin(uow: UnitOfWork, closed: Position, at: datetime) -> Streak:
    """A streak before its first loss."""
    return Streak(
        id=uow.streaks.next_id(),
        context=closed.context,
        quote=uow.account.quote,
        since=at,
        first=closed.id,
        last=closed.id,
        equity=uow.curve.equity_at(closed.opened_at),
    )
