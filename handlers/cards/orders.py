"""Open orders, and one order with all that is known of it, as cards. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.market import named
from engine.domain.messages import BREAK, Card, Item
from engine.domain.orders import Order, OrderState, OrderType, Purpose
from engine.domain.trade_views import FillView
from engine.domain.venue_views import OrderView, VenueOrders
from handlers.cards import phrases, wording

_TYPES = {
    OrderType.MARKET: "at market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop limit",
    OrderType.TAKE_PROFIT: "take profit",
    OrderType.TRAILING_STOP: "trailing stop",
    OrderType.OCO: "stop and target",
}
_PURPOSES = {
    Purpose.ENTRY: "buys for {}",
    Purpose.EXIT: "sells for {}",
    Purpose.PROTECTION: "protects {}",
    Purpose.EXTERNAL: "somebody else's",
}


def open_orders(found: Sequence[VenueOrders]) -> Card:
    """What is open at each venue."""
    number = sum(len(each.own) + len(each.following) + len(each.others) for each in found)
    several = len(found) > 1
    return Card(
        title=wording.count(number, "open order") if number else "No open orders",
        items=tuple(item for each in found for item in _at_venue(each, each.venue if several else "")),
        text=f"/order ID tells more, {BREAK}/cancel ID cancels one." if number else "",
    )


def _at_venue(found: VenueOrders, at: str) -> tuple[Item, ...]:
    said = wording.lines(wording.sentence(found.trouble), "What follows is of the books.")
    return (
        *((Item(title=f"{found.venue} does not answer", text=said),) if found.trouble else ()),
        *(_own(order, at, missing=order.id in found.missing) for order in found.own),
        *(_following(order, at) for order in found.following),
        *(_other(state, at) for state in found.others),
    )


def _own(order: Order, at: str, *, missing: bool) -> Item:
    asked = order.request
    lost = "the venue does not list it: it is asked" if missing else ""
    return Item(
        title=f"{order.id} {asked.side} {wording.quantity(asked.quantity)} {BREAK}{named(asked.symbol, at)}",
        text=wording.lines(_terms(order), _filled(order), _for(order), lost),
    )


def _following(newest: Order, at: str) -> Item:
    """What is still to be bought of an entry in slices: nothing of it is at the venue."""
    told = [text for _, text in phrases.follows(newest)]
    return Item(
        title=f"{newest.id} {newest.request.side} slices {BREAK}{named(newest.request.symbol, at)}",
        text=wording.lines(*told, _for(newest)),
    )


def _other(state: OrderState, at: str) -> Item:
    prices = _prices(state.limit_price, state.trigger_price)
    return Item(
        title=f"{state.side} {wording.quantity(state.quantity)} {BREAK}{named(state.symbol, at)}",
        text=wording.lines(f"{_TYPES[state.type]}{prices}", "somebody else's"),
    )


def _terms(order: Order) -> str:
    asked = order.request
    return f"{_TYPES[asked.type]}{_prices(asked.limit_price, asked.trigger_price)}"


def _prices(limit: Decimal | None, trigger: Decimal | None) -> str:
    """The prices of an order, the stop first."""
    told = [wording.price(each) for each in (trigger, limit) if each is not None]
    return f" {BREAK}{' / '.join(told)}" if told else ""


def _filled(order: Order) -> str:
    return f"{wording.quantity(order.filled)} filled" if order.filled else f"nothing filled, {order.status.value}"


def _for(order: Order) -> str:
    """What an order is for: ``buys for T3 (trend)``."""
    subject = order.position_id or order.approval_id or order.decision_id
    words = _PURPOSES[order.purpose].format(subject).removesuffix(" for ")
    return words if order.purpose is Purpose.EXTERNAL else f"{words} {BREAK}({order.context})"


def order(view: OrderView) -> Card:
    """The card that ``/order`` answers with."""
    shown, asked = view.order, view.order.request
    slices = phrases.follows(shown)
    return Card(
        title=f"{shown.id}: {asked.side} {wording.quantity(asked.quantity)} {BREAK}{named(asked.symbol, view.at)}",
        fields=(
            ("State", shown.status.value.replace("_", " ")),
            *((("Because", shown.reason),) if shown.reason and not slices else ()),
            *slices,
            *phrases.routed(view.quotes, asked.venue, asked.symbol),
            ("How", _terms(shown)),
            ("What for", _for(shown)),
            ("Filled", _progress(shown)),
            *((("Fees", wording.money(shown.fee, wording.quote(asked.symbol))),) if shown.fee else ()),
            *_protected(view),
            ("Written down", wording.moment(shown.created_at)),
            ("Changed", wording.moment(shown.updated_at)),
        ),
        items=(
            *map(_fill, view.fills),
            Item(title="Id with us", text=asked.client_id),
            *((Item(title="Id there", text=view.venue_order_id),) if view.venue_order_id else ()),
        ),
        text=f"/why {shown.id} tells why.",
    )


def _progress(order: Order) -> str:
    average = f" {BREAK}@ {wording.price(order.average)}" if order.average is not None else ""
    return f"{wording.quantity(order.filled)} of {wording.quantity(order.request.quantity)}{average}"


def _protected(view: OrderView) -> tuple[tuple[str, str], ...]:
    levels = (("Stop", view.stop), ("Target", view.target))
    return tuple((name, wording.price(level)) for name, level in levels if level is not None)


def _fill(view: FillView) -> Item:
    traded = view.fill
    fee = f"fee {wording.figure(traded.fee.amount)} {traded.fee.currency}" if traded.fee else "fee not told yet"
    return Item(
        title=f"{view.id} {wording.quantity(traded.quantity)} {BREAK}@ {wording.price(traded.price)}",
        text=wording.lines(wording.moment(traded.at), fee),
    )
