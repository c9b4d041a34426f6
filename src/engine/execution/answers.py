"""Writing down what the venue answered, and the alarm where it refuses again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.domain.events import OrderChanged, PositionProtected, ProtectionMoved
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import Ack, Order, OrderStatus, Purpose, Refused, SubmitResult, Unknown, Unsent
from engine.domain.positions import Position
from engine.domain.replacements import replacement_of
from engine.execution.retries import ALARM_AFTER, failures, is_lost
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork

_SALES = {Purpose.PROTECTION: "protected", Purpose.EXIT: "sold"}


def record(uow: UnitOfWork, order: Order, answer: SubmitResult, now: datetime) -> None:
    """Write down what the venue answered to an order."""
    match answer:
        case Ack(venue_order_id=venue_order_id):
            mark(uow, order, OrderStatus.OPEN, now, venue_order_id=venue_order_id)
            if order.purpose is Purpose.PROTECTION:
                uow.emit(PositionProtected(at=now, position_id=order.position_id))
                _tell_of_move(uow, order, now)
        case Refused(reason=reason):
            mark(uow, order, OrderStatus.REJECTED, now, reason=reason)
        case Unknown(reason=reason):
            mark(uow, order, OrderStatus.UNKNOWN, now, reason=reason)
    watch_refusals(uow, order, now)


def _tell_of_move(uow: UnitOfWork, order: Order, now: datetime) -> None:
    """Tell people where a stop and target took the place of others, for another size or at another price."""
    found = replacement_of(uow.orders.of_position(order.position_id))
    if found is not None and found[1].id == order.id:
        approvals = uow.orders.approvals_of(order.position_id)
        uow.emit(ProtectionMoved(at=now, position_id=order.position_id, approvals=approvals))


def mark(
    uow: UnitOfWork,
    order: Order,
    status: OrderStatus,
    now: datetime,
    *,
    venue_order_id: str = "",
    reason: str = "",
    unsent: Unsent = Unsent.NO,
) -> None:
    """Write down where an order is in its life, and tell of it."""
    uow.orders.mark(order.id, status, now, venue_order_id=venue_order_id, reason=reason, unsent=unsent)
    uow.emit(
        OrderChanged(
            at=now,
            order_id=order.id,
            status=status,
            reason=reason,
            approval_id=order.approval_id,
            position_id=order.position_id,
        )
    )


def watch_refusals(uow: UnitOfWork, order: Order, now: datetime) -> None:
    """After an order was refused, lost or ended: halt its market where such orders come to nothing again and again."""
    if not order.position_id:
        return
    end_refusals(uow, order.position_id, now)
    position, orders = uow.positions.get(order.position_id), uow.orders.of_position(order.position_id)
    refused = failures(orders, order.purpose)
    if position.is_open and len(refused) >= ALARM_AFTER and not _is_told(uow, position, orders, order.purpose):
        begin_halt(uow, _halt(position, refused, now))


def end_refusals(uow: UnitOfWork, position_id: str, now: datetime) -> None:
    """End such a halt once the venue takes one of these orders, or the position is closed."""
    standing = _standing(uow)
    if not any(caller.startswith(f"{position_id} ") for caller in standing):
        return
    position, orders = uow.positions.get(position_id), uow.orders.of_position(position_id)
    for purpose in _SALES:
        view = standing.get(_caller(position, purpose))
        if view is not None and (not position.is_open or len(failures(orders, purpose)) < ALARM_AFTER):
            end_halt(uow, view, now)


def _standing(uow: UnitOfWork) -> Mapping[str, HaltView]:
    return {view.halt.by: view for view in uow.halts.open() if view.halt.kind is HaltKind.REFUSED}


def _is_told(uow: UnitOfWork, position: Position, orders: Sequence[Order], purpose: Purpose) -> bool:
    """Whether a halt tells of it already; a sale that is only tried for want of protection needs none of its own."""
    wants_protection = purpose is Purpose.EXIT and bool(failures(orders, Purpose.PROTECTION))
    return wants_protection or _caller(position, purpose) in _standing(uow)


def _caller(position: Position, purpose: Purpose) -> str:
    """Who calls for a halt: a position, for want of protection or of a sale; both may stand side by side."""
    return f"{position.id} {purpose}"


def _halt(position: Position, refused: Sequence[Order], now: datetime) -> Halt:
    purpose, why = refused[0].purpose, refused[0].reason or "it was cancelled"
    row = f"{len(refused)} orders in a row"
    what = f"{row} were lost or refused" if any(map(is_lost, refused)) else f"the venue refused {row}"
    return Halt(
        kind=HaltKind.REFUSED,
        reason=f"{position.id} cannot be {_SALES[purpose]}: {what} ({why})",
        since=now,
        symbol=position.symbol,
        venue=position.venue,
        by=_caller(position, purpose),
    )
