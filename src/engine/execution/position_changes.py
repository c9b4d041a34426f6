"""What fills make of positions: quantity, entry price, fees, profit. Pure, and exact.

A fee that is taken in the base makes what was bought less: the coins that came are valued at the fill's price, and the
fee at the same price counts as paid, so that profit is what came in less what went out, whatever the fee was taken in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.errors import LedgerError
from engine.domain.orders import Fill, Side
from engine.domain.positions import Position


def increased(position: Position, fill: Fill, fee_value: Decimal) -> Position:
    """A position after some more was bought (of a short one: sold); the entry price is the mean of what it was.

    One that was closed meanwhile is open again: the rest of an entry may fill after the stop has sold what there was.

    Args:
        position: As it was.
        fill: What was bought or sold.
        fee_value: What its fee was worth, in the quote currency.
    """
    came = fill.quantity - (fill.fee_in(fill.base) if fill.side is Side.BUY else 0)
    quantity = position.quantity + came
    cost = position.quantity * position.entry_price + came * fill.price
    return replace(
        position,
        quantity=quantity,
        entry_price=cost / quantity if quantity else fill.price,
        fees=position.fees + fee_value,
        closed_at=None,
        closed_by="",
        closed_by_person="",
        bought=position.bought + came,
        cost=position.cost + came * position.multiplier * fill.price,
    )


def reduced(position: Position, fill: Fill, fee_value: Decimal, closed_by: str, person: str = "") -> Position:
    """A position after some was sold (of a short one: bought back); closed once nothing is left, by what and by whom.

    A fee in the base is taken from what is left, as far as that goes.

    Raises:
        LedgerError: More was sold than it holds.
    """
    quantity = position.quantity - fill.quantity
    if quantity < 0:
        raise LedgerError(f"{fill.quantity} {fill.symbol} were sold of {position.id}, which holds {position.quantity}.")
    after = replace(
        position,
        quantity=quantity,
        realised=position.realised + position.gain(fill.quantity, fill.price),
        fees=position.fees + fee_value,
    )
    after = spent(after, min(quantity, fill.fee_in(fill.base)), fill.price)
    return closed(after, fill.at, closed_by, person) if not after.quantity else after


def closed(position: Position, at: datetime, closed_by: str, person: str = "") -> Position:
    """A position that is over, by what and by whom; what cannot be sold of it any more is written off."""
    return replace(
        position,
        quantity=Decimal(0),
        realised=position.realised + position.gain(position.quantity, Decimal(0)),
        closed_at=at,
        closed_by=closed_by,
        closed_by_person=person,
    )


def charged(position: Position, fill: Fill, fee_value: Decimal, coins: Decimal) -> tuple[Position, Decimal]:
    """A position after the fee of one of its fills came later, and how many of the fee's coins it does not hold.

    Args:
        position: As it is, open or closed.
        fill: The fill that the fee is for.
        fee_value: What the fee is worth, in the quote currency.
        coins: What it takes of the base currency; 0 for a fee in another.
    """
    taken = min(position.quantity, coins)
    quantity = position.quantity - taken
    rest = position.quantity * position.entry_price - taken * fill.price
    after = replace(
        position,
        quantity=quantity,
        entry_price=rest / quantity if taken and quantity else position.entry_price,
        fees=position.fees + fee_value,
        bought=position.bought - taken,
        cost=position.cost - taken * position.multiplier * fill.price,
    )
    return after, coins - taken


def spent(position: Position, quantity: Decimal, price: Decimal) -> Position:
    """A position of which some has paid for something else, at a price; it stays open, as nobody sold it."""
    return replace(
        position,
        quantity=position.quantity - quantity,
        realised=position.realised + position.gain(quantity, price),
    )


def part(fill: Fill, quantity: Decimal) -> Fill:
    """A part of a fill, with its share of the fee."""
    return replace(fill, quantity=quantity, fee=fill.fee and fill.fee.share(quantity, fill.quantity))
