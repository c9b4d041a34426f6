"""A fill, written down: counted once with what it moved, then position by position, whoever sent the order.

What the account owns beside its positions moves here: the quote currency by the fill's value, the fee's currency by the
fee. A fee in the base is taken from what the position holds; one in a third currency from what is owned of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.events import OrderFilled, PositionClosed, PositionOpened
from engine.domain.market import Listing
from engine.domain.money import Money
from engine.domain.orders import Fill, Order, Side
from engine.domain.positions import Position
from engine.domain.trade_views import FillView
from engine.execution import position_changes
from engine.execution.streaks import note_result
from engine.store.unit_of_work import UnitOfWork

LotOf = Callable[[str], Decimal]
"""Takes a symbol; tells the smallest step of its quantity, 0 where that is not known."""
CLOSED_BY_FEES = "fees"
"""What has closed a position of which fees have left nothing that could be sold."""


def count_fill(uow: UnitOfWork, order: Order, fill: Fill, position_id: str, lot_of: LotOf) -> bool:
    """Count a fill and what it moved; ``False`` where it was counted already: then only its fee can be new.

    Args:
        uow: The transaction in which the fill is taken in.
        order: What was filled.
        fill: All of the fill.
        position_id: The first position that it changes; empty where it changes none.
        lot_of: A position of which a fee leaves less than a lot is over.
    """
    known = uow.orders.fill_like(fill)
    if known is not None:
        if known.fill.fee is None and fill.fee is not None:
            _take_late_fee(uow, known, fill, fill.fee, lot_of)
        return False
    uow.orders.add_fill(order, fill, fee_value(uow, fill), position_id)
    uow.ledger.change(fill.venue, fill.quote, -fill.value if fill.side is Side.BUY else fill.value)
    if fill.fee is not None and fill.fee.currency != fill.base:
        _pay(uow, fill.venue, fill.fee, fill.at, lot_of)
    return True


def fee_value(uow: UnitOfWork, fill: Fill) -> Decimal:
    """What the fee of a fill is worth in the quote currency, at its venue's last price of what it was taken in.

    0 where that has no known price, or the venue has not said yet.
    """
    if fill.fee is None:
        return Decimal(0)
    if fill.fee.currency == fill.quote:
        return fill.fee.amount
    if fill.fee.currency == fill.base:
        return fill.fee.amount * fill.price
    return fill.fee.amount * uow.account.marks().get(
        Listing(fill.venue, f"{fill.fee.currency}/{fill.quote}"), Decimal(0)
    )


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
            venue=fill.venue,
            symbol=fill.symbol,
            side=fill.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fee_value(uow, fill),
            fee_paid=fill.fee,
            position_id=after.id,
            approval_id=order.approval_id,
        )
    )
    if not after.is_open:
        _tell_closed(uow, after, fill.at)


def take_from_beside(uow: UnitOfWork, fill: Fill, before: Position, after: Position) -> None:
    """Take from the account what a fee in the base currency takes and the position does not have."""
    lacking = fill.quantity + fill.fee_in(fill.base) - (before.quantity - after.quantity)
    if lacking:
        uow.ledger.change(fill.venue, fill.base, -lacking)


def _pay(uow: UnitOfWork, venue: str, fee: Money, at: datetime, lot_of: LotOf) -> None:
    """Take a fee from what there is of its currency: beside the positions, else in them, somebody else's first.

    A position of which less than a lot is left is closed: there is nothing to sell.
    """
    beside = uow.ledger.balances().get((venue, fee.currency), Decimal(0))
    lacking = fee.amount if beside < fee.amount else Decimal(0)
    held = [each for each in uow.positions.open() if (each.venue, each.base) == (venue, fee.currency)]
    for position in sorted(held, key=lambda position: not position.is_external):
        taken = min(lacking, position.quantity)
        if taken:
            price = uow.account.marks().get(position.listing, position.entry_price)
            _keep_charged(uow, position_changes.spent(position, taken, price), at, lot_of)
            lacking -= taken
            fee = replace(fee, amount=fee.amount - taken)
    uow.ledger.pay_fee(venue, fee)


def _take_late_fee(uow: UnitOfWork, known: FillView, fill: Fill, fee: Money, lot_of: LotOf) -> None:
    """Take in the fee of a fill that was counted when the venue had not said yet what it took."""
    value = fee_value(uow, fill)
    uow.orders.add_fee(known, fee, value)
    in_base = fee.currency == fill.base
    if not in_base:
        _pay(uow, fill.venue, fee, fill.at, lot_of)
    lacking = fee.amount if in_base else Decimal(0)
    if known.position_id:
        position = uow.positions.get(known.position_id)
        after, lacking = position_changes.charged(position, fill, value, lacking)
        _keep_charged(uow, after, fill.at, lot_of)
    if lacking:
        uow.ledger.change(fill.venue, fill.base, -lacking)


def _keep_charged(uow: UnitOfWork, after: Position, at: datetime, lot_of: LotOf) -> None:
    """Keep a position that a fee was taken from; one that it has used up is over.

    What is left below a lot can never be sold, unless more is being bought: it is the account's beside its positions.
    """
    is_dust = after.quantity < lot_of(after.symbol) and not _grows(uow, after)
    used_up = after.is_open and (not after.quantity or is_dust)
    if used_up and after.quantity:
        uow.ledger.change(after.venue, after.base, after.quantity)
    kept = position_changes.closed(after, at, CLOSED_BY_FEES) if used_up else after
    uow.positions.put(kept, uow.positions.decision_of(kept.id))
    if used_up:
        _tell_closed(uow, kept, at)


def _grows(uow: UnitOfWork, position: Position) -> bool:
    """Whether an order may still buy more of a position."""
    bought = (order for order in uow.orders.of_position(position.id) if order.request.side is Side.BUY)
    return any(not order.status.final for order in bought)


def _tell_closed(uow: UnitOfWork, position: Position, at: datetime) -> None:
    """Write down that a position is closed, and the approvals it came from.

    What the bot has not opened is no loss or win of its own.
    """
    uow.emit(
        PositionClosed(
            at=at,
            position_id=position.id,
            closed_by=position.closed_by,
            net=position.net,
            approvals=uow.orders.approvals_of(position.id),
        )
    )
    if uow.positions.decision_of(position.id):
        note_result(uow, position, at)
