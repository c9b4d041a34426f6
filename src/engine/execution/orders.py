"""Writing orders down: what must be true before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.closing import Closing
from engine.domain.events import OrderIntended
from engine.domain.market import Book
from engine.domain.orders import Order, OrderRequest, OrderStatus, OrderType, Purpose, Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Position
from engine.execution.coverage import sellable
from engine.execution.signing import signed_id
from engine.store.unit_of_work import UnitOfWork


def intend(
    uow: UnitOfWork,
    plan: TradePlan,
    now: datetime,
    *,
    decision_id: str,
    approval_id: str = "",
    book: Book | None = None,
) -> Order:
    """Write down the one order of a decision, or the first slice of it, with what is to follow.

    Its client id follows from the plan's key, so it can exist only once. ``book`` is the one that it was judged by:
    what it would pay there is kept beside what it will.
    """
    at_market = plan.execution.type is OrderType.MARKET
    quantity, slicing = plan.execution.slice or plan.quantity, plan.execution.slicing
    follows = quantity < plan.quantity
    order = Order(
        id=uow.orders.next_id(),
        request=OrderRequest(
            client_id=signed_id(uow, plan.key),
            venue=plan.venue,
            symbol=plan.symbol,
            side=plan.side,
            type=plan.execution.type,
            quantity=quantity,
            limit_price=plan.execution.limit_price,
            post_only=plan.execution.post_only,
            reduce_only=plan.reduce_only,
            parent_id=uow.orders.get(plan.starter).request.client_id if plan.starter else "",
        ),
        purpose=Purpose.EXIT if plan.reduce_only else Purpose.ENTRY,
        context=plan.context,
        price=plan.price,
        status=OrderStatus.INTENT,
        created_at=now,
        updated_at=now,
        decision_id=decision_id,
        approval_id=approval_id,
        position_id=plan.position_id or "",
        stop=plan.stop,
        target=plan.target,
        wait_until=None if plan.execution.patience is None else now + plan.execution.patience,
        worst_price=plan.execution.worst_price,
        expected=book.mean_price(quantity, buying=plan.side is Side.BUY) if book and at_market else None,
        to_follow=plan.quantity - quantity if follows else None,
        follows_at=slicing.next_after(now, now) if slicing and follows else None,
    )
    return _write(uow, order)


def intend_slice(
    uow: UnitOfWork, before: Order, plan: TradePlan, now: datetime, book: Book, follows_at: datetime | None
) -> Order:
    """Write down the next slice of an entry, after the one before; one for each, so it can exist only once.

    Args:
        uow: The transaction in which what followed the one before is this one's from now on.
        before: The slice before.
        plan: What is left to be bought of the whole, as it was judged now, with the slice that is sent.
        now: Market time.
        book: What it was judged by.
        follows_at: When the next one has its time.
    """
    quantity = plan.execution.slice or plan.quantity
    request = replace(
        before.request,
        client_id=signed_id(uow, before.request.client_id, child=1),
        quantity=quantity,
        parent_id=before.request.client_id,
    )
    left = plan.quantity - quantity
    order = Order(
        id=uow.orders.next_id(),
        request=request,
        purpose=before.purpose,
        context=before.context,
        price=plan.price,
        status=OrderStatus.INTENT,
        created_at=now,
        updated_at=now,
        decision_id=before.decision_id,
        approval_id=before.approval_id,
        position_id=plan.position_id or "",
        stop=before.stop,
        target=before.target,
        expected=book.mean_price(quantity, buying=True),
        to_follow=left or None,
        follows_at=follows_at if left else None,
    )
    uow.orders.follow(before.id, None)
    return _write(uow, order)


def intend_rest(uow: UnitOfWork, waited: Order, now: datetime) -> Order:
    """Write down the purchase at market of what an entry at a limit has not got, in its place; one for each."""
    request = replace(
        waited.request,
        client_id=signed_id(uow, waited.request.client_id, child=1),
        type=OrderType.MARKET,
        quantity=waited.rest,
        limit_price=None,
        post_only=False,
        parent_id=waited.request.client_id,
    )
    order = Order(
        id=uow.orders.next_id(),
        request=request,
        purpose=waited.purpose,
        context=waited.context,
        price=waited.worst_price or waited.price,
        status=OrderStatus.INTENT,
        created_at=now,
        updated_at=now,
        decision_id=waited.decision_id,
        approval_id=waited.approval_id,
        position_id=waited.position_id,
        stop=waited.stop,
        target=waited.target,
    )
    return _write(uow, order)


def intend_oco(uow: UnitOfWork, position: Position, number: int, quantity: Decimal, now: datetime) -> Order:
    """Write down the n-th stop and target of a position, for so much of it."""
    return _intend_reducing(uow, position, "oco", number, quantity, now)


def intend_emergency_exit(uow: UnitOfWork, position: Position, number: int, quantity: Decimal, now: datetime) -> Order:
    """Write down the sale of so much of a position as could not be protected."""
    return _intend_reducing(uow, position, "emergency", number, quantity, now)


def intend_sale(uow: UnitOfWork, position_id: str, lot: Decimal, now: datetime) -> Order | None:
    """Write down the sale of all that may be sold of a position, in whole lots; ``None`` where that is nothing."""
    position, orders = uow.positions.get(position_id), uow.orders.of_position(position_id)
    quantity = sellable(position, orders, lot)
    return _intend_reducing(uow, position, "sale", len(orders) + 1, quantity, now) if quantity > 0 else None


def intend_closing(uow: UnitOfWork, position: Position, closing: Closing, quantity: Decimal, now: datetime) -> Order:
    """Write down the sale of so much of a position that a person has confirmed: one a position and wish."""
    return _intend_reducing(uow, position, "closing", int(closing.id[1:]), quantity, now, closing.person)


def _intend_reducing(
    uow: UnitOfWork,
    position: Position,
    name: str,
    number: int,
    quantity: Decimal,
    now: datetime,
    asked_by: str = "",
) -> Order:
    """Write down the n-th order of a name that sells of a position."""
    oco = name == "oco"
    order = Order(
        id=uow.orders.next_id(),
        request=OrderRequest(
            client_id=signed_id(uow, f"{name}|{position.id}|{number}|{position.opened_at.isoformat()}"),
            venue=position.venue,
            symbol=position.symbol,
            side=Side.SELL,
            type=OrderType.OCO if oco else OrderType.MARKET,
            quantity=quantity,
            trigger_price=position.stop if oco else None,
            limit_price=position.target if oco else None,
            reduce_only=True,
        ),
        purpose=Purpose.PROTECTION if oco else Purpose.EXIT,
        context=position.context,
        price=position.entry_price,
        status=OrderStatus.INTENT,
        created_at=now,
        updated_at=now,
        position_id=position.id,
        asked_by=asked_by,
    )
    return _write(uow, order)


def _write(uow: UnitOfWork, order: Order) -> Order:
    uow.orders.add(order)
    uow.emit(
        OrderIntended(
            at=order.created_at, order_id=order.id, approval_id=order.approval_id, position_id=order.position_id
        )
    )
    return order
