"""Trades on the same account that are not this program's: taken over into the books, and told of.

What somebody else bought becomes a position of its own without a stop; it is theirs to look after. What they sold is
taken from such positions first, then from ours, oldest first, and last from what was held before the books began. What
that last brings counts as paid in: it was never part of the account's equity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.events import ExternalTraded
from engine.domain.orders import Fill, Order, OrderRequest, OrderState, OrderStatus, Purpose, Side
from engine.domain.positions import EXTERNAL, Position
from engine.execution import position_changes
from engine.execution.fills import LotOf, count_fill, fee_value, record_fill, take_from_beside
from engine.store.unit_of_work import UnitOfWork

CONTEXT = EXTERNAL
"""The context of positions that somebody else opened."""
CLOSED_BY = "somebody else"
"""By whom a position was closed that somebody else sold."""


def write_down(uow: UnitOfWork, venue: str, state: OrderState, at: datetime, traded: Fill | None = None) -> Order:
    """Keep an order that nobody here wrote down, once something of it has traded, or because people are told of it.

    Args:
        uow: Where it is kept.
        venue: The venue's name.
        state: What the venue tells of it.
        at: Market time.
        traded: What has just traded of it, to be counted next; without it all that has traded was before the books.
    """
    before = state.filled if traded is None else Decimal(0)
    price = state.limit_price or state.trigger_price or (traded.price if traded else Decimal(0))
    order = Order(
        id=uow.orders.next_id(),
        request=OrderRequest(
            client_id=state.client_id,
            venue=venue,
            symbol=state.symbol,
            side=state.side,
            type=state.type,
            quantity=state.quantity,
            limit_price=state.limit_price,
            trigger_price=state.trigger_price,
        ),
        purpose=Purpose.EXTERNAL,
        context=CONTEXT,
        price=price,
        status=OrderStatus.OPEN,
        created_at=at,
        updated_at=at,
        filled=before,
        cost=before * price,
    )
    uow.orders.add(order)
    return order


def book(uow: UnitOfWork, order: Order, fill: Fill, lot_of: LotOf) -> tuple[str, ...]:
    """Count a fill of somebody else's order; the ids of the positions that it changed."""
    if fill.quote != uow.account.quote:
        return _book_aside(uow, order, fill, lot_of)
    parts = [_bought(uow, fill)] if fill.side is Side.BUY else _sold(uow, fill)
    if not count_fill(uow, order, fill, parts[0][0].id if parts else "", lot_of):
        return ()
    _book_parts(uow, order, fill, parts)
    uow.emit(ExternalTraded(at=fill.at, order_id=order.id))
    return tuple(position.id for position, _ in parts)


def book_excess(uow: UnitOfWork, order: Order, fill: Fill) -> tuple[str, ...]:
    """Count what an order of ours sold beyond its own position, out of what else is held; whose coins these were.

    The fill itself, and its cash, are counted by who sees that it is too large.
    """
    parts = _sold(uow, fill)
    _book_parts(uow, order, fill, parts)
    return tuple(position.id for position, _ in parts)


def _book_parts(uow: UnitOfWork, order: Order, fill: Fill, parts: Sequence[tuple[Position, Fill]]) -> None:
    """Change each position by its part of a fill; what is none of theirs was held beside the positions."""
    for position, part in parts:
        _change(uow, order, position, part)
    rest = fill.quantity - sum((part.quantity for _, part in parts), Decimal(0))
    if rest:
        beside = position_changes.part(fill, rest)
        uow.ledger.change(fill.venue, fill.base, -rest - beside.fee_in(fill.base))
        uow.account.count_as_paid(beside.value - beside.fee_in(fill.quote), fill.at)


def _book_aside(uow: UnitOfWork, order: Order, fill: Fill, lot_of: LotOf) -> tuple[str, ...]:
    """A trade in another currency than the account's: what came and went is none of our positions."""
    if count_fill(uow, order, fill, "", lot_of):
        uow.ledger.change(fill.venue, fill.base, fill.moved()[fill.base])
        uow.emit(ExternalTraded(at=fill.at, order_id=order.id))
    return ()


def _bought(uow: UnitOfWork, fill: Fill) -> tuple[Position, Fill]:
    held = [p for p in _held(uow, fill) if p.context == CONTEXT]
    fresh = Position(
        id="",
        context=CONTEXT,
        venue=fill.venue,
        symbol=fill.symbol,
        quantity=Decimal(0),
        entry_price=fill.price,
        opened_at=fill.at,
    )
    return held[0] if held else replace(fresh, id=uow.positions.next_id()), fill


def _sold(uow: UnitOfWork, fill: Fill) -> list[tuple[Position, Fill]]:
    """Which positions a sale comes out of, each with its part of the fill; fees by quantity."""
    rest, parts = fill.quantity, []
    for position in sorted(_held(uow, fill), key=lambda position: position.context != CONTEXT):
        quantity = min(rest, position.quantity)
        if quantity > 0:
            parts.append((position, position_changes.part(fill, quantity)))
            rest -= quantity
    return parts


def _held(uow: UnitOfWork, fill: Fill) -> list[Position]:
    """The open positions of a fill's market."""
    return [p for p in uow.positions.open() if (p.venue, p.symbol) == (fill.venue, fill.symbol)]


def _change(uow: UnitOfWork, order: Order, position: Position, fill: Fill) -> None:
    opened = not position.quantity
    if fill.side is Side.BUY:
        after = position_changes.increased(position, fill, fee_value(uow, fill))
    else:
        after = position_changes.reduced(position, fill, fee_value(uow, fill), CLOSED_BY)
        take_from_beside(uow, fill, position, after)
    record_fill(uow, order, fill, after, opened=opened)
