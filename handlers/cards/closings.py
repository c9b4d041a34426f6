"""Positions that people close by hand: what a press would do, and what it did. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.closing import ALL, TOPIC, WHOLE, Choice, Closing, ClosingView, Sale, Stage, Unsold
from engine.domain.market import named
from engine.domain.messages import BREAK, Button, Card, Item
from engine.domain.orders import Order, OrderStatus
from engine.domain.positions import Position
from handlers.cards import phrases, wording

HALF = Decimal("0.5")

_ON_ITS_WAY = {
    OrderStatus.INTENT: "being sent; the venue has not answered yet",
    OrderStatus.SENT: "being sent; the venue has not answered yet",
    OrderStatus.OPEN: "being sold: {done} so far",
    OrderStatus.PARTLY_FILLED: "being sold: {done} so far",
    OrderStatus.CANCELLING: "being cancelled after {done}",
    OrderStatus.UNKNOWN: "sent, but the venue's answer was lost: it is being asked, and nothing is sent twice",
    OrderStatus.CANCELLED: "the venue ended it after {done}",
    OrderStatus.EXPIRED: "its time was up after {done}",
}


def card(view: ClosingView) -> Card:
    """A wish to close positions, in whatever stage it is; one card from the question to what came of it."""
    closing = view.closing
    if closing.is_open(view.now):
        return _question(view)
    if not closing.sales:
        return Card(title="Nothing can be closed now", items=_unsold(view))
    topic = f"{TOPIC}:{closing.id}"
    match closing.stage:
        case Stage.ASKED | Stage.EXPIRED:
            return Card(title=f"Time is up: nothing was sold ({closing.id})", topic=topic, text=_again(view))
        case Stage.KEPT:
            return Card(title=f"Kept: nothing was sold ({closing.id})", topic=topic)
        case Stage.CONFIRMED:
            return Card(title=_outcome(view), topic=topic, items=(*_sold(view), *_unsold(view)))


def _question(view: ClosingView) -> Card:
    closing, sales = view.closing, view.closing.sales
    return Card(
        title=f"{_headline(closing)}? ({closing.id})",
        topic=f"{TOPIC}:{closing.id}",
        fields=(("Until", phrases.expiry(closing.expires_at, view.now, view.wall_left)),),
        items=(*map(_sale, sales), *_unsold(view)),
        text="It sells at what the market pays then.\nOnly you can press it.",
        buttons=(
            Button(label=_label(closing), verb=Choice.CLOSE, about=closing.id),
            Button(label="Keep", verb=Choice.KEEP, about=closing.id),
        ),
    )


def _again(view: ClosingView) -> str:
    """How it is asked again, in words that stay true: the card is not shown anew once all is sold."""
    return f"While it is held, /close {' '.join(_said(view.closing))} asks again."


def _headline(closing: Closing) -> str:
    """What would happen, in a line."""
    if len(closing.sales) > 1:
        return f"Close {_parts(closing)}"
    (sale,) = closing.sales
    return f"Close {_part(closing, sale)}{sale.position_id}: {BREAK}sell {_quantity(sale.quantity, sale)}"


def _label(closing: Closing) -> str:
    sales = closing.sales
    if len(sales) > 1:
        return f"Close {len(sales)}"
    return f"Close {_part(closing, sales[0])}{sales[0].position_id}"


def _parts(closing: Closing) -> str:
    """How much of how many: ``half of 2 positions``; ``half of 1 position, all of 1`` where the rest were too small."""
    sales = closing.sales
    in_part = sum(_is_part(closing, sale) for sale in sales)
    whole = len(sales) - in_part
    if not in_part:
        return wording.count(whole, "position")
    also = f", all of {whole}" if whole else ""
    return f"{_share(closing.wanted.share)} of {wording.count(in_part, 'position')}{also}"


def _part(closing: Closing, sale: Sale) -> str:
    return f"{_share(closing.wanted.share)} of " if _is_part(closing, sale) else ""


def _is_part(closing: Closing, sale: Sale) -> bool:
    """Whether something stays: not where the rest would be too small, or is being sold already."""
    return closing.wanted.share != WHOLE and sale.market.lots(sale.rest) > 0


def _share(share: Decimal) -> str:
    return "half" if share == HALF else f"{wording.quantity(share * 100)}%"


def _said(closing: Closing) -> tuple[str, ...]:
    """What was asked for, as it is written after the command."""
    share = closing.wanted.share
    what = closing.wanted.what
    return (what.lower() if what == ALL else what, *((_share(share),) if share != WHOLE else ()))


def _sale(sale: Sale) -> Item:
    """One position as it would be sold."""
    is_all = sale.quantity == sale.held
    sold = f"{'all ' if is_all else ''}{wording.quantity(sale.quantity)}"
    what = sold if is_all else f"{sold} of {wording.quantity(sale.held)}"
    at = f"at the bid, {wording.price(sale.price)}"
    return Item(
        title=f"{sale.position_id} {named(sale.market.symbol, sale.at)}",
        text=wording.lines(
            f"{what} {BREAK}{at}",
            phrases.profit(sale.net, sale.share, sale.market.quote),
            _protection(sale),
            _too_little(sale),
            "" if is_all or sale.market.lots(sale.rest) else "All that is not being sold already.",
            "Somebody else bought it, not the bot." if sale.external else "",
            sale.warning and f"Look first: {sale.warning}",
        ),
    )


def _protection(sale: Sale) -> str:
    """What becomes of stop and target."""
    levels = _levels(sale.stop, sale.target)
    if not levels:
        return "no stop, no target"
    return f"{levels} {BREAK}anew for {wording.quantity(sale.rest)}" if sale.rest else f"{levels} cancelled"


def _levels(stop: Decimal | None, target: Decimal | None) -> str:
    return wording.listing([name for name, level in (("stop", stop), ("target", target)) if level is not None])


def _too_little(sale: Sale) -> str:
    if not sale.widened:
        return ""
    least = f"{wording.quantity(sale.market.min_notional)} {sale.market.quote}"
    return f"All of it, as the rest would be worth less than the smallest order, {least}."


def _quantity(quantity: Decimal, sale: Sale) -> str:
    return f"{wording.quantity(quantity)} {sale.market.symbol}"


def _unsold(view: ClosingView) -> tuple[Item, ...]:
    return tuple(_left(each, view.positions.get(each.position_id)) for each in view.closing.unsold)


def _left(unsold: Unsold, position: Position | None) -> Item:
    became = position if position is not None and not position.is_open else None
    said = phrases.position(became) if became is not None else wording.sentence(unsold.reason)
    return Item(title=f"{unsold.position_id} {unsold.symbol}: nothing sold", text=said)


def _outcome(view: ClosingView) -> str:
    """What came of it, in a line: how many were sold whole, in part, or not."""
    closing, orders = view.closing, view.orders.values()
    name = f" ({closing.id})"
    if not orders:
        return f"Nothing was sold{name}"
    if len(closing.sales) == 1:
        (order,) = orders
        return f"{_one(order, view.positions[order.position_id])}{name}"
    done = sum(order.status is OrderStatus.FILLED for order in orders)
    return f"{done} of {wording.count(len(closing.sales), 'position')} sold{name}"


def _one(order: Order, held: Position) -> str:
    if not held.is_open:
        whole = "" if order.filled == held.bought else "the whole trade "
        net = wording.gain(held.net, held.share(held.net), wording.quote(held.symbol))
        return f"{held.id}: closed, {BREAK}{whole}{net}"
    if order.filled:
        whole = "" if order.filled == order.request.quantity else f" of {wording.quantity(order.request.quantity)}"
        return f"{held.id}: {wording.quantity(order.filled)}{whole} {held.symbol} sold"
    return f"{held.id}: not sold" if order.status.final else f"{held.id}: not sold yet"


def _sold(view: ClosingView) -> tuple[Item, ...]:
    return tuple(_came_of(order, view) for order in view.orders.values())


def _came_of(order: Order, view: ClosingView) -> Item:
    held = view.positions[order.position_id]
    return Item(
        title=f"{held.id} {held.symbol}",
        text=wording.lines(_progress(order), _made(held, order), _rest(held, order, view) if held.is_open else ""),
    )


def _made(held: Position, order: Order) -> str:
    """What a sale has made: the figure that its question named."""
    if not order.filled or order.average is None:
        return ""
    net, cost = held.made_by(order.filled, order.average, order.fee), order.filled * held.entry_price
    return phrases.profit(net, net / cost if cost > 0 else None, wording.quote(held.symbol))


def _progress(order: Order) -> str:
    done = f"{wording.quantity(order.filled)} of {wording.quantity(order.request.quantity)}"
    match order.status:
        case OrderStatus.FILLED:
            return f"sold {wording.quantity(order.filled)} @ {wording.price(order.average)} ({order.id})"
        case OrderStatus.REJECTED:
            return f"Not sold: {order.reason} ({order.id}). It is not tried again."
        case _:
            return f"{order.id}: {_ON_ITS_WAY[order.status].format(done=done)}"


def _rest(held: Position, order: Order, view: ClosingView) -> str:
    """What is still held, and whether it is protected."""
    stays = f"{wording.quantity(held.quantity)} held"
    levels = _levels(held.stop, held.target)
    if not levels:
        return f"{stays}, without a stop"
    if held.id in view.protected:
        return f"{stays}: {levels} stand"
    if not order.status.final and order.request.quantity - order.filled >= held.quantity:
        return stays
    return f"{stays}: {levels} being placed again"
