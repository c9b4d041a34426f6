"""What fills make of positions: quantity, entry price, fees, profit. Pure, and exact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.errors import LedgerError
from engine.domain.orders import Fill
from engine.domain.positions import Position


def bought(position: Position, fill: Fill) -> Position:
    """A position after some more was bought; the entry price is the mean of what was paid.

    One that was closed meanwhile is open again: the rest of an entry may fill after the stop has sold what there was.
    """
    quantity = position.quantity + fill.quantity
    cost = position.quantity * position.entry_price + fill.quantity * fill.price
    return replace(
        position,
        quantity=quantity,
        entry_price=cost / quantity,
        fees=position.fees + fill.fee,
        closed_at=None,
        closed_by="",
        closed_by_person="",
        bought=position.bought + fill.quantity,
        cost=position.cost + fill.quantity * fill.price,
    )


def sold(position: Position, fill: Fill, closed_by: str, person: str = "") -> Position:
    """A position after some was sold; closed once nothing is left, by what and by whom.

    Raises:
        LedgerError: More was sold than it holds.
    """
    quantity = position.quantity - fill.quantity
    if quantity < 0:
        raise LedgerError(f"{fill.quantity} {fill.symbol} were sold of {position.id}, which holds {position.quantity}.")
    closed = quantity == 0
    return replace(
        position,
        quantity=quantity,
        realised=position.realised + fill.quantity * (fill.price - position.entry_price),
        fees=position.fees + fill.fee,
        closed_at=fill.at if closed else None,
        closed_by=closed_by if closed else "",
        closed_by_person=person if closed else "",
    )


def part(fill: Fill, quantity: Decimal) -> Fill:
    """A part of a fill, with its share of the fee."""
    return replace(fill, quantity=quantity, fee=fill.fee * quantity / fill.quantity)
