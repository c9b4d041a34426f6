"""How each venue is, as a card. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.messages import BREAK, Card, Item
from engine.domain.venue_views import VenueFacts, VenueView
from handlers.cards import wording
from handlers.cards.lines import listed

_NEARLY = 1.0
"""Seconds up to which two clocks agree, as far as it is known."""


def card(views: Sequence[VenueView]) -> Card:
    """The card that ``/venues`` answers with."""
    held_up = [view for view in views if view.obstacles or view.orders.trouble or view.facts.prices]
    state = f"{len(held_up)} {'does' if len(held_up) == 1 else 'do'} not trade freely" if held_up else "all well"
    return Card(
        title=f"{wording.count(len(views), 'venue')}: {BREAK}{state}",
        items=tuple(map(_venue, views)),
        text=f"/orders tells the orders, {BREAK}/health the program's parts.",
    )


def _venue(view: VenueView) -> Item:
    facts, orders = view.facts, view.orders
    at = f" at {facts.exchange}" if facts.exchange and facts.exchange != orders.venue else ""
    return Item(
        title=f"{orders.venue}: {BREAK}{facts.kind}{at}",
        text=wording.lines(
            listed(f"Not reached: {orders.trouble}") if orders.trouble else "reachable",
            listed(f"Prices: {facts.prices}") if facts.prices else "",
            _clock(facts),
            f"limits: {BREAK}{facts.used}" if facts.used else "",
            facts.updates and f"orders {facts.updates}",
            _orders(view),
            f"last change {BREAK}{wording.moment(view.last_at)}" if view.last_at else "no order yet",
            f"key ends in {facts.key}" if facts.key else "",
            *(listed(f"No entries: {reason}") for reason in view.obstacles),
        ),
    )


def _clock(facts: VenueFacts) -> str:
    if facts.skew is None:
        return ""
    if abs(facts.skew) <= _NEARLY:
        return "its clock agrees with ours"
    return f"its clock is {abs(facts.skew):.0f} s {'ahead' if facts.skew > 0 else 'behind'}"


def _orders(view: VenueView) -> str:
    others = len(view.orders.others)
    beside = f", {BREAK}{others} not ours" if others else ""
    return f"{wording.count(len(view.orders.own), 'open order')}{beside}"
