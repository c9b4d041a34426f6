"""Taking in what the venue did: orders change, positions grow and shrink, cash moves. One transaction a batch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.events import ExternalCancelled, OrderChanged, OrderPartlyFilled
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import Fill, Order, OrderState, OrderStatus, Purpose, Side
from engine.domain.positions import Position
from engine.domain.triggers import is_person
from engine.execution import external, other_bots, position_changes
from engine.execution.answers import end_refusals, watch_refusals
from engine.execution.fills import LotOf, count_fill, fee_value, record_fill, take_from_beside
from engine.ports import EventBatch, VenueEvent
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork


def apply_venue_events(uow: UnitOfWork, venue: str, batch: EventBatch, lot_of: LotOf) -> tuple[str, ...]:
    """Apply a venue's events in order; each counts once, however often it is seen.

    Args:
        uow: The transaction in which they are applied.
        venue: The venue's name.
        batch: What it told of.
        lot_of: What is left of a position below a lot cannot be sold: it is written off when the rest is sold.

    Returns:
        The ids of the positions that something happened to, in order.
    """
    touched: dict[str, None] = {}
    for event in batch.events:
        order = uow.orders.by_client_id(event.order.client_id)
        if order is None and event.fill is not None:
            order = external.write_down(uow, venue, event.order, event.fill.at, event.fill)
        if order is None:
            continue  # somebody else's order of which nothing has traded
        paying = _paying(uow, event.fill)
        concerned = (*_apply(uow, order, event, lot_of), *paying)
        touched |= dict.fromkeys(concerned)
        if event.order.status.final:
            watch_refusals(uow, uow.orders.get(order.id), event.at)
        for position_id in concerned:
            end_refusals(uow, position_id, event.at)
    _tell_of_parts(uow, batch)
    if traded := [event for event in batch.events if event.fill is not None]:
        other_bots.note(uow, venue, [event.order for event in traded], traded[-1].at)
    uow.ledger.keep_cursor(venue, batch.cursor)
    return tuple(touched)


def _tell_of_parts(uow: UnitOfWork, batch: EventBatch) -> None:
    """Tell people of orders that are partly filled after the batch: one that walks a book has several fills in it."""
    traded = {event.order.client_id: event.fill.at for event in batch.events if event.fill is not None}
    for client_id, at in traded.items():
        order = uow.orders.by_client_id(client_id)
        if order is not None and order.status is OrderStatus.PARTLY_FILLED and order.purpose is not Purpose.EXTERNAL:
            uow.emit(OrderPartlyFilled(at=at, order_id=order.id, position_id=order.position_id))


def _paying(uow: UnitOfWork, fill: Fill | None) -> tuple[str, ...]:
    """The positions that a fee in a third currency may be taken from: their OCO would then be too large."""
    if fill is None or fill.fee is None or fill.fee.currency in (fill.base, fill.quote):
        return ()
    paid_in = (fill.venue, fill.fee.currency)
    return tuple(held.id for held in uow.positions.open() if (held.venue, held.base) == paid_in)


def _apply(uow: UnitOfWork, order: Order, event: VenueEvent, lot_of: LotOf) -> tuple[str, ...]:
    """Apply one event to its order; the ids of the positions it concerns."""
    if event.fill is None:
        positions: tuple[str, ...] = (order.position_id,) if order.position_id else ()
    elif order.purpose is Purpose.EXTERNAL:
        positions = external.book(uow, order, event.fill, lot_of)
    else:
        positions = _apply_fill(uow, order, event.fill, event.order, lot_of)
    _apply_state(uow, order, event)
    return positions


def _apply_state(uow: UnitOfWork, order: Order, event: VenueEvent) -> None:
    status = _status_of(order, event.order)
    has_ended = order.status.final and not (order.never_arrived and status.final)
    if has_ended or status is order.status:
        return
    at = event.fill.at if event.fill else event.at
    uow.orders.mark(order.id, status, at, venue_order_id=event.order.venue_order_id)
    if status.final:
        uow.emit(
            OrderChanged(
                at=at,
                order_id=order.id,
                status=status,
                approval_id=order.approval_id,
                position_id=order.position_id,
            )
        )
    else:
        uow.show_wishes(order.position_id)
    if status is OrderStatus.CANCELLED and not _was_ours_to_end(order):
        uow.emit(ExternalCancelled(at=at, order_id=order.id))


def _status_of(order: Order, state: OrderState) -> OrderStatus:
    """Where an order is after what its venue tells: what is being cancelled is so until that has come to an end."""
    if state.status.final or not state.status.at_venue:
        return state.status
    if order.status is OrderStatus.CANCELLING:
        return order.status
    return OrderStatus.PARTLY_FILLED if state.filled else state.status


def _was_ours_to_end(order: Order) -> bool:
    return order.purpose is Purpose.EXTERNAL or order.cancel_requested_at is not None


def _apply_fill(uow: UnitOfWork, order: Order, fill: Fill, state: OrderState, lot_of: LotOf) -> tuple[str, ...]:
    position, opened = _position_of(uow, order, fill)
    if not count_fill(uow, order, fill, position.id, lot_of):
        return ()
    if fill.side is Side.BUY:
        after = position_changes.increased(position, fill, fee_value(uow, fill))
        record_fill(uow, order, fill, after, opened=opened)
        return (position.id,)
    closed_by = state.closed_by or _closed_by(order)
    covered = min(fill.quantity, position.quantity)
    if covered:
        own = position_changes.part(fill, covered)
        person = _person(uow, order, closed_by)
        after = position_changes.reduced(position, own, fee_value(uow, own), closed_by, person)
        take_from_beside(uow, own, position, after)
        record_fill(
            uow, order, own, _without_dust(uow, after, lot_of(fill.symbol), fill, closed_by, person), opened=False
        )
    if covered == fill.quantity:
        return (position.id,)
    return (position.id, *_oversold(uow, order, position, position_changes.part(fill, fill.quantity - covered)))


def _without_dust(
    uow: UnitOfWork, position: Position, lot: Decimal, fill: Fill, closed_by: str, person: str
) -> Position:
    """A position after a sale: what is left below a lot can never be sold, and is the account's beside it."""
    if not position.is_open or position.quantity >= lot:
        return position
    uow.ledger.change(fill.venue, fill.base, position.quantity)
    return position_changes.closed(position, fill.at, closed_by, person)


def _closed_by(order: Order) -> str:
    """What closes a position with a sale at market: its strategy, a person, or what had to."""
    if order.decision_id:
        return "exit"
    return "close" if order.asked_by else "emergency"


def _person(uow: UnitOfWork, order: Order, closed_by: str) -> str:
    """Who had a position sold: by asking for it, or by calling the emergency stop that did; empty where nobody had."""
    if closed_by != "emergency":
        return order.asked_by
    called = [view.halt for view in uow.halts.open() if view.halt.kind is HaltKind.EMERGENCY]
    by = next((halt.by for halt in called if halt.since <= order.created_at), "")
    return by if is_person(by) else ""


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
    if kin := uow.orders.position_of_kin(order):
        return uow.positions.get(kin), False
    fresh = Position(
        id=uow.positions.next_id(),
        context=order.context,
        venue=fill.venue,
        symbol=fill.symbol,
        quantity=Decimal(0),
        entry_price=fill.price,
        opened_at=fill.at,
    )
    return replace(fresh, stop=order.stop, target=order.target), True
