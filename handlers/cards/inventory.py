"""What was on an account before its books were opened, and what of it counts. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.inventory import Holding, Inventory
from engine.domain.messages import Card, Item
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


def _counted(holding: Holding, quote: str) -> Item:
    price = holding.price or Decimal(0)
    value = wording.money(holding.quantity * price, quote)
    return Item(title=f"{holding.position_id}: {_much(holding)}", text=f"counts {value}\nat {wording.price(price)}")


def _beside(holding: Holding) -> Item:
    why = "it was to be ignored" if holding.price else "nothing says its price"
    return Item(title=_much(holding), text=f"does not count: {why}")


def _much(holding: Holding) -> str:
    return f"{wording.quantity(holding.quantity)} {holding.currency}"
