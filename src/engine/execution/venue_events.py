"""Taking in what the venue did: orders change, positions grow and shrink, cash moves. One transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from engine.domain.events import ExternalCancelled, OrderChanged
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import TAKEN_BACK, Fill, Order, OrderState, OrderStatus, Purpose, Side
from engine.domain.positions import Position
from engine.execution import external, position_changes
from engine.execution.answers import end_refusals, watch_refusals
from engine.execution.fills import count_fill, record_fill
from engine.ports import VenueEvent
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork


def apply_venue_events(uow: UnitOfWork, events: Sequence[VenueEvent]) -> tuple[str, ...]:
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
        if order is None and event.fill is not None:
            order = external.write_down(uow, event.order, event.fill)
        if order is None:
            continue  # somebody else's order of which nothing has traded
        concerned = _apply(uow, order, event)
        touched |= dict.fromkeys(concerned)
        if event.order.status.final:
            watch_refusals(uow, uow.orders.get(order.id), event.at)
        for position_id in concerned:
            end_refusals(uow, position_id, event.at)
    uow.account.took(last)
    return tuple(touched)


def _apply(uow: UnitOfWork, order: Order, event: VenueEvent) -> tuple[str, ...]:
    """Apply one event to its order; the ids of the positions it concerns."""
    if event.fill is None:
        positions: tuple[str, ...] = (order.position_id,) if order.position_id else ()
    elif order.purpose is Purpose.EXTERNAL:
        positions = external.book(uow, order, event.fill)
    else:
        positions = _apply_fill(uow, order, event.fill, event.order)
    _apply_state(uow, order, event)
    return positions


def _apply_state(uow: UnitOfWork, order: Order, event: VenueEvent) -> None:
    if order.status.final or event.order.status is order.status:
        return
    at = event.fill.at if event.fill else event.at
    uow.orders.mark(order.id, event.order.status, at, venue_order_id=event.order.venue_order_id)
    if event.order.status.final:
        uow.emit(
            OrderChanged(
                at=at,
                order_id=order.id,
                status=event.order.status,
                approval_id=order.approval_id,
                position_id=order.position_id,
            )
        )
    else:
        uow.show_wishes(order.position_id)
    if event.order.status is OrderStatus.CANCELLED and not _was_ours_to_end(order):
        uow.emit(ExternalCancelled(at=at, order_id=order.id))


def _was_ours_to_end(order: Order) -> bool:
    return order.purpose is Purpose.EXTERNAL or order.reason.startswith(TAKEN_BACK)


def _apply_fill(uow: UnitOfWork, order: Order, fill: Fill, state: OrderState) -> tuple[str, ...]:
    position, opened = _position_of(uow, order, fill)
    if not count_fill(uow, order, fill, position.id):
        return (position.id,)
    if fill.side is Side.BUY:
        record_fill(uow, order, fill, position_changes.bought(position, fill), opened=opened)
        return (position.id,)
    closed_by = state.closed_by or _closed_by(order)
    covered = min(fill.quantity, position.quantity)
    if covered:
        own = position_changes.part(fill, covered)
        record_fill(uow, order, own, position_changes.sold(position, own, closed_by, order.asked_by), opened=False)
    if covered == fill.quantity:
        return (position.id,)
    return (position.id, *_oversold(uow, order, position, position_changes.part(fill, fill.quantity - covered)))


def _closed_by(order: Order) -> str:
    """What closes a position with a sale at market: its strategy, a person, or what had to."""
    if order.decision_id:
        return "exit"
    return "close" if order.asked_by else "emergency"


def _oversold(uow: UnitOfWork, order: Order, position: Position, excess: Fill) -> tuple[str, ...]:
    """An order sold more than its position held: whose coins these were is booked, entries stop, people are told."""
    others = external.book_excess(uow, order, excess)
    whose = f"of {', '.join(others)}" if others else "that no position here holds"
    base = excess.symbol.partition("/")[0]
    if any((view.halt.kind, view.halt.by) == (HaltKind.LEDGER, order.id) for view in uow.halts.open()):
        return others  # people know: a sale that walks a book comes in several fills
    halt = Halt(
        kind=HaltKind.LEDGER,
        reason=f"{order.id} sold {excess.quantity:f} {base} more than {position.id} held: coins {whose}",
        since=excess.at,
        by=order.id,
    )
    begin_halt(uow, halt)
    return others


def _position_of(uow: UnitOfWork, order: Order, fill: Fill) -> tuple[Position, bool]:
    known = uow.orders.get(order.id).position_id
    if known:
        return uow.positions.get(known), False
    if order.purpose is not Purpose.ENTRY:
        raise AssertionError(f"{order.id} reduces a position but names none")
    fresh = Position(
        id=uow.positions.next_id(),
        context=order.context,
        symbol=fill.symbol,
        quantity=Decimal(0),
        entry_price=fill.price,
        opened_at=fill.at,
    )
    return replace(fresh, stop=order.request.stop, target=order.request.target), True
