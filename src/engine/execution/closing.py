"""Telling that a position is closed, to everybody who watches it."""

from __future__ import annotations

from datetime import datetime

from engine.domain.events import PositionClosed
from engine.domain.trading import Position
from engine.store.unit_of_work import UnitOfWork


def tell_closed(uow: UnitOfWork, position: Position, at: datetime) -> None:
    """Write down that a position is closed; the question it came from and an alarm about it show it too."""
    asked = uow.approvals.of_decision(uow.positions.decision_of(position.id))
    uow.emit(
        PositionClosed(
            at=at,
            position_id=position.id,
            closed_by=position.closed_by,
            net=position.net,
            approval_id=asked.id if asked else "",
            alarmed=uow.outbox.knows(f"unprotected:{position.id}"),
        )
    )
