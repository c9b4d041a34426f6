"""What was on an account before its books were opened, what of it counts, and what was paid in or out since. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.inventory import Holding, Inventory
from engine.domain.messages import BREAK, Card, Item
from engine.domain.transfers import PaymentNotice
from handlers.cards import wording


def card(found: Inventory) -> Card:
    """What there was, what counts of it, and how to have it otherwise."""
    counted = [each for each in found.holdings if each.position_id]
    beside = [each for each in found.holdings if not each.position_id]
    orders = wording.count(len(found.orders), "order")
    return Card(
        title=f"The account at {found.venue} was not empty",
        text=wording.lines(
            "What counts is in the equity as somebody else's: the bot trades none of it." if counted else "",
            "What does not count is left alone." if beside else "",
            f"{orders} of somebody else wait there: what fills is taken in and told of." if found.orders else "",
            "Otherwise: account.holdings: ignore, or refuse, and a new database." if found.adopted else "",
        ),
        items=(*(_counted(each, found.quote) for each in counted), *map(_beside, beside)),
    )


def paid(told: PaymentNotice) -> Card:
    """What somebody has paid in to an account, or taken out of it."""
    change = told.after - told.before
    amount = f"{wording.quantity(abs(change))} {told.currency}"
    return Card(
        title=f"Paid {'in' if change > 0 else 'out'} at {told.venue}: {BREAK}{amount}",
        fields=(
            ("Before", f"{wording.quantity(told.before)} {told.currency}"),
            ("Now", f"{wording.quantity(told.after)} {told.currency}"),
            ("Booked", wording.moment(told.at)),
        ),
        text="It is neither a profit nor a loss, and counts in no limit as one. If nobody of yours did it, "
        "see at the venue who has the key.",
    )


def _counted(holding: Holding, quote: str) -> Item:
    price = holding.price or Decimal(0)
    value = wording.money(holding.quantity * price, quote)
    return Item(title=f"{holding.position_id}: {_much(holding)}", text=f"counts {value}\nat {wording.price(price)}")


def _beside(holding: Holding) -> Item:
    why = "it was to be ignored" if holding.price else "nothing says its price"
    return Item(title=_much(holding), text=f"does not count: {why}")


def _much(holding: Holding) -> str:
    return f"{wording.quantity(holding.quantity)} {holding.currency}"
