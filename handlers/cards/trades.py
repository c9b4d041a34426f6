"""Lists of what is held and of the last trades. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from engine.domain.market import named
from engine.domain.messages import BREAK, Card, Item
from engine.domain.positions import Position
from engine.domain.trade_views import PositionView
from handlers.cards import phrases, totals, wording


def positions(held: Sequence[PositionView], now: datetime, benchmark: Decimal | None = None) -> Card:
    """The open positions at the prices of now, how long they are held, and what they come to.

    Where several contexts hold one market each is named.

    Args:
        held: The positions.
        now: The market time.
        benchmark: What holding the traded markets has come to since the first of them was opened, where that is told.
    """
    if not held:
        return Card(title="No open positions")
    contexts = {(view.position.listing, view.position.context) for view in held}
    several = {each for each, count in Counter(listing for listing, _ in contexts).items() if count > 1}
    naked = [view.position.id for view in held if not view.protected]
    return Card(
        title=wording.count(len(held), "open position"),
        fields=totals.fields([view.position for view in held], held, benchmark),
        items=tuple(_position(view, now, names_context=view.position.listing in several) for view in held),
        text=wording.lines(
            f"Without a stop at the venue: {wording.listing(naked)}" if naked else "", phrases.OF_THEIR_COST
        ),
    )


def _position(view: PositionView, now: datetime, *, names_context: bool) -> Item:
    held = view.position
    gain = wording.gain_amount(view.net, view.share, wording.quote(held.symbol))
    levels = [
        f"{name} {wording.price(level)}" for name, level in (("stop", held.stop), ("target", held.target)) if level
    ]
    bought = f"{wording.quantity(held.quantity)} at {wording.price(held.entry_price)}"
    return Item(
        title=f"{held.id} {named(held.symbol, view.at)} {gain}",
        text=wording.lines(
            f"{bought} {BREAK}→ {wording.price(view.price)}",
            f"context {held.context}" if names_context and not held.is_external else "",
            f", {BREAK}".join(levels) or "no stop, no target",
            "no strategy manages it" if view.unmanaged else "",
            phrases.held_for(held.opened_at, now),
        ),
    )


def trades(
    newest_first: Sequence[Position],
    held: Sequence[PositionView],
    now: datetime,
    benchmark: Decimal | None = None,
    venues: Collection[str] = (),
) -> Card:
    """The last trades, open or closed, and what they come to.

    Args:
        newest_first: The trades.
        held: What is open among them, at the prices of now.
        now: The market time.
        benchmark: What holding the traded markets has come to since the first of them was opened.
        venues: Those that are told apart, where there are several.
    """
    if not newest_first:
        return Card(title="No trades yet")
    so_far = {view.position.id: view for view in held}
    return Card(
        title=f"The last {wording.count(len(newest_first), 'trade')}",
        fields=totals.fields(newest_first, held, benchmark),
        items=tuple(
            _trade(each, so_far.get(each.id), now, each.venue if each.venue in venues else "") for each in newest_first
        ),
        text=wording.lines(phrases.OF_THEIR_COST, f"/why {newest_first[0].id} {BREAK}tells the whole story of one."),
    )


def _trade(held: Position, so_far: PositionView | None, now: datetime, at: str) -> Item:
    """One trade in lines that a phone shows whole."""
    return Item(
        title=f"{held.id} {named(held.symbol, at)} {_result(held, so_far)}".rstrip(),
        text=wording.lines(phrases.prices(held), *_time_held(held, now)),
    )


def _result(held: Position, so_far: PositionView | None) -> str:
    """What a trade came to, or would if it ended now; empty where that is not known."""
    quote = wording.quote(held.symbol)
    if not held.is_open:
        return wording.gain_amount(held.net, held.share(held.net), quote)
    return wording.gain_amount(so_far.net, so_far.share, quote) if so_far is not None else ""


def _time_held(held: Position, now: datetime) -> tuple[str, ...]:
    if held.closed_at is None:
        return (phrases.held_for(held.opened_at, now), "still open")
    opened, closed = wording.moment(held.opened_at), wording.moment(held.closed_at)
    return (opened, f"to {closed}, {wording.span(held.closed_at - held.opened_at)}", f"by {phrases.closed_by(held)}")
