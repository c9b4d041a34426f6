"""The emergency stop as people see it, and what others do to the account behind the bot's back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain.halt_views import EmergencyView, Exposed, HaltView
from engine.domain.messages import Card
from engine.domain.orders import Purpose, Side
from engine.domain.positions import Position
from engine.domain.trade_views import ExternalView
from handlers.cards import phrases, wording

NOW = "now"
"""The word that makes the command act."""
_ENDS = "Only an admin's /resume with a reason allows entries again."
_SHOWN_BY = "The card of {id} shows how far it is, until it is over; so does /emergency."


def preview(exposed: Exposed) -> Card:
    """What the emergency stop would do, before anybody calls it."""
    held = (
        "leaves what is held to its stops and targets"
        if exposed.keeps_stops
        else "sells every position at market, those too that were bought by hand"
    )
    return Card(
        title=f"The emergency stop {'ends all buying' if exposed.keeps_stops else 'sells everything'}",
        fields=_left(exposed),
        text=wording.lines(
            f"It halts new entries, answers open approvals with no, cancels what waits to buy, and {held}. It goes on "
            f"until that is done, also after a restart. {_ENDS}",
            f"/emergency {NOW} does it.",
        ),
    )


def progress(view: EmergencyView) -> Card:
    """How far the emergency stop is; one card from the call to its end."""
    halt, ended = view.halt.halt, view.halt.ended_at
    since = ("Called", f"{wording.moment(halt.since)} by {halt.by}")
    because = (("Because", halt.reason),) if halt.reason != f"{halt.by} called the emergency stop" else ()
    sold = (("Closed since", _results(view.closed)),) if view.closed else ()
    if ended is not None:
        over = ("Ended", f"{wording.moment(ended)} by {view.halt.ended_by}")
        why = (("Ended because", view.ended_because),) if view.ended_because else ()
        return Card(
            title=f"The emergency stop is over: entries are possible again ({view.halt.id})",
            fields=(since, *because, over, *why, *sold),
        )
    becomes = "what is held keeps its stops" if view.left.keeps_stops else "everything is sold"
    until = "nothing waits to buy" if view.left.keeps_stops else "nothing is left"
    return Card(
        title=f"EMERGENCY STOP: no new entries, {becomes} ({view.halt.id})",
        fields=(since, *because, ("State", view.note), *_left(view.left), *sold),
        text=f"It goes on by itself until {until}. {_ENDS}",
        alarm=True,
    )


def called(halt: HaltView) -> Card:
    """The answer to whoever called it, which is drawn anew as the stop goes on; true also where it cannot be."""
    stop = halt.halt
    return Card(
        title=f"The emergency stop is called ({halt.id})",
        fields=(("Called", f"{wording.moment(stop.since)} by {stop.by}"),),
        text=_SHOWN_BY.format(id=halt.id),
    )


def so_far(view: EmergencyView, now: datetime) -> Card:
    """How far it is, to somebody who has asked: as of a moment, for not every answer can be drawn anew."""
    card = progress(view)
    if view.halt.ended_at is not None:
        return card
    return replace(
        card,
        title=f"The emergency stop as of {wording.moment(now)} ({view.halt.id})",
        text=_SHOWN_BY.format(id=view.halt.id),
        alarm=False,
    )


def _left(exposed: Exposed) -> tuple[tuple[str, str], ...]:
    entries = [phrases.order(order) for order in exposed.entries]
    held = [f"{p.id}, {wording.quantity(p.quantity)} {p.symbol}" for p in exposed.positions]
    return (
        ("Orders to cancel", wording.lines(*entries) or "none"),
        (
            "Positions that keep their stops" if exposed.keeps_stops else "Positions to sell",
            wording.lines(*held) or "none",
        ),
        ("Open approvals", str(exposed.approvals) if exposed.approvals else "none"),
    )


def _results(closed: Sequence[Position]) -> str:
    return wording.lines(*(f"{p.id} {wording.gain(p.net, p.share(p.net), wording.quote(p.symbol))}" for p in closed))


def external(view: ExternalView) -> Card:
    """Somebody else traded on this account, or cancelled an order of ours."""
    return _traded(view) if view.order.purpose is Purpose.EXTERNAL else _cancelled(view)


def _traded(view: ExternalView) -> Card:
    order = view.order
    did = "bought" if order.request.side is Side.BUY else "sold"
    theirs = "They look after it: the bot sets no stop and does not sell it." if order.request.side is Side.BUY else ""
    what = f"{wording.quantity(order.filled)} {order.request.symbol}"
    return Card(
        title=f"Somebody else {did} {what} on this account ({order.id})",
        fields=(("Filled", phrases.fills(order)), *_position(view)),
        text=wording.lines("It is in the books now; stops of positions that became smaller are placed anew.", theirs),
    )


def _cancelled(view: ExternalView) -> Card:
    order = view.order
    return Card(
        title=f"{order.id} was cancelled at the venue, and not by the bot",
        fields=(("Order", phrases.order(order)), ("It was", order.purpose.value), *_position(view)),
        text=_consequence(view),
    )


def _consequence(view: ExternalView) -> str:
    held = view.position
    if view.order.purpose is not Purpose.PROTECTION or held is None or not held.is_open:
        return ""
    return (
        "The position is protected again."
        if view.protected
        else f"{held.id} has NO stop now: it is being placed again."
    )


def _position(view: ExternalView) -> tuple[tuple[str, str], ...]:
    return (("Position", phrases.position(view.position)),) if view.position else ()
