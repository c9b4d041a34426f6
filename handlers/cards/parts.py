"""What becomes of orders bit by bit: those that are filled in part, and protection that was placed anew. Pure."""

from __future__ import annotations

from engine.domain.market import named
from engine.domain.messages import BREAK, Card
from engine.domain.orders import Order, OrderStatus
from engine.domain.trade_views import MovedView, PartView
from handlers.cards import phrases, wording

_ENDED = {
    OrderStatus.FILLED: "filled whole after all",
    OrderStatus.CANCELLED: "cancelled after a part was filled",
    OrderStatus.EXPIRED: "expired after a part was filled",
}


def partly_filled(view: PartView) -> Card:
    """An order of which a part has traded and the rest waits, or how that ended: one card, edited as it goes on."""
    order, asked = view.order, view.order.request
    state = _ENDED.get(order.status, "partly filled")
    rest = "" if order.status.final else f"{wording.quantity(order.rest)} {asked.symbol.partition('/')[0]}"
    return Card(
        title=f"{order.id}: {asked.side} {named(asked.symbol, view.at)}, {BREAK}{state}",
        fields=(
            ("Filled", phrases.fills(order)),
            *((("Still waits", rest),) if rest else ()),
            *((("Position", order.position_id),) if order.position_id else ()),
        ),
        text="" if order.status.final else f"What is held is protected; {BREAK}/order {order.id} tells more.",
    )


def moved(view: MovedView) -> Card:
    """The stop and target of a position as they were placed anew, beside those before: one card, edited each time."""
    held = view.position
    return Card(
        title=f"{held.id}: stop and target of {named(held.symbol, view.at)} {BREAK}placed anew",
        fields=(("Now", _protection(view.after)), ("Before", _protection(view.before))),
        text=f"/order {view.after.id} tells more.",
    )


def _protection(order: Order) -> str:
    """What protects: ``58,000.00 / 65,000.00 for 0.05 BTC``, the stop first."""
    asked = order.request
    levels = " / ".join(wording.price(each) for each in (asked.trigger_price, asked.limit_price) if each is not None)
    return f"{levels} for {wording.quantity(asked.quantity)} {asked.symbol.partition('/')[0]}"
