"""A fill, written down: counted once with the cash that it moved, then position by position, whoever sent the order."""

from __future__ import annotations

from datetime import datetime

from engine.domain.events import OrderFilled, PositionClosed, PositionOpened
from engine.domain.orders import Fill, Order, Side
from engine.domain.positions import Position
from engine.execution.streaks import note_result
from engine.store.unit_of_work import UnitOfWork


def count_fill(uow: UnitOfWork, order: Order, fill: Fill, position_id: str) -> bool:
    """Count a fill and the cash it moved; ``False`` where it was counted already, and nothing is to be done.

    Args:
        uow: The transaction in which the fill is taken in.
        order: What was filled.
        fill: All of the fill.
        position_id: The first position that it changes; empty where it changes none.
    """
    if not uow.orders.add_fill(order, fill, position_id):
        return False
    uow.account.move_cash(fill)
    return True


def record_fill(uow: UnitOfWork, order: Order, fill: Fill, after: Position, *, opened: bool) -> None:
    """Keep a position as a fill leaves it, and tell of what happened to it.

    Args:
        uow: The transaction in which the fill is taken in.
        order: What was filled.
        fill: The fill, or this position's part of it.
        after: The position once it is taken in.
        opened: Whether the fill has opened it.
    """
    uow.positions.put(after, order.decision_id if opened else uow.positions.decision_of(after.id))
    if fill.side is Side.BUY and not order.position_id:
        uow.orders.attach(order.id, after.id)
    if opened:
        uow.emit(PositionOpened(at=fill.at, position_id=after.id))
    uow.emit(
        OrderFilled(
            at=fill.at,
            order_id=order.id,
            symbol=fill.symbol,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            position_id=after.id,
            approval_id=order.approval_id,
        )
    )
    if not after.is_open:
        _tell_closed(uow, after, fill.at)


def _tell_closed(uow: UnitOfWork, position: Position, at: datetime) -> None:
    """Write down that a position is closed, and the question it came from.

    What the bot has not opened is no loss or win of its own.
    """
    asked = uow.approvals.of_decision(uow.positions.decision_of(position.id))
    uow.emit(
        PositionClosed(
            at=at,
            position_id=position.id,
            closed_by=position.closed_by,
            net=position.net,
            approval_id=asked.id if asked else "",
        )
    )
    if uow.positions.decision_of(position.id):
        note_result(uow, position, at)
