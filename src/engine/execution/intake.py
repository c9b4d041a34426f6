"""Taking in what the venue did: orders change, positions grow and shrink, cash moves. One transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from engine.domain.events import OrderChanged, OrderFilled, PositionClosed, PositionOpened
from engine.domain.trading import Fill, OrderState, Position, Purpose, Side
from engine.execution import ledger
from engine.ports import VenueEvent
from engine.store.orders import Order
from engine.store.unit_of_work import UnitOfWork


def take_in(uow: UnitOfWork, events: Sequence[VenueEvent]) -> tuple[str, ...]:
    """Apply the venue's events in order; each counts once, however often it is seen.

    Returns:
        The ids of the positions that something happened to, in order.
    """
    touched: dict[str, None] = {}
    last = uow.account.venue_seq
    for event in events:
        if event.seq <= last:
            continue
        last = event.seq
        order = uow.orders.by_client_id(event.order.client_id)
        if order is None:
            continue  # an order that is not this program's own
        position_id = _apply_fill(uow, order, event.fill, event.order) if event.fill else order.position_id
        _apply_state(uow, order, event)
        if position_id:
            touched[position_id] = None
    uow.account.took(last)
    return tuple(touched)


def _apply_state(uow: UnitOfWork, order: Order, event: VenueEvent) -> None:
    if order.status.final or event.order.status is order.status:
        return
    at = event.fill.at if event.fill else event.at
    uow.orders.mark(order.id, event.order.status, at, venue_id=event.order.venue_id)
    if event.order.status.final:
        uow.emit(OrderChanged(at=at, order_id=order.id, status=event.order.status, approval_id=order.approval_id))


def _apply_fill(uow: UnitOfWork, order: Order, fill: Fill, state: OrderState) -> str:
    position, opened = _position_of(uow, order, fill)
    if not uow.orders.add_fill(order, fill, position.id):
        return position.id
    uow.account.settle(fill)
    after = (
        ledger.bought(position, fill)
        if fill.side is Side.BUY
        else ledger.sold(position, fill, state.closed_by or "exit")
    )
    uow.positions.put(after, order.decision_id if opened else uow.positions.decision_of(position.id))
    if opened:
        uow.orders.attach(order.id, position.id)
        uow.emit(PositionOpened(at=fill.at, position_id=position.id))
    uow.emit(
        OrderFilled(
            at=fill.at,
            order_id=order.id,
            market=fill.market,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            position_id=position.id,
            approval_id=order.approval_id,
        )
    )
    if not after.is_open:
        uow.emit(PositionClosed(at=fill.at, position_id=after.id, closed_by=after.closed_by, net=after.net))
    return position.id


def _position_of(uow: UnitOfWork, order: Order, fill: Fill) -> tuple[Position, bool]:
    known = uow.orders.get(order.id).position_id
    if known:
        return uow.positions.get(known), False
    if order.purpose is not Purpose.ENTRY:
        raise AssertionError(f"{order.id} reduces a position but names none")
    fresh = Position(
        id=uow.positions.next_id(),
        context=order.context,
        market=fill.market,
        quantity=Decimal(0),
        entry_price=fill.price,
        opened_at=fill.at,
    )
    return replace(fresh, stop=order.intent.stop, target=order.intent.target), True
