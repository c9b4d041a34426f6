"""What ``/chart`` answers: an equity curve or the candles of a trade, with the figures beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.domain.account import EquityCurve, EquityPoint
from engine.domain.charts import EquityChart, Mark, Meaning, TradeChart
from engine.domain.market import from_millis
from engine.domain.messages import BREAK, Card
from engine.domain.payments import Payment, paid
from engine.domain.positions import Position
from engine.domain.trade_views import TradeCandles
from handlers.cards import phrases, wording

_MOST_SALES = 4
"""Sales of a trade that are shown one by one; of more only their mean price."""


def equity(curve: EquityCurve, days: int, zone: ZoneInfo) -> Card:
    """The equity of the last days, its picture by a zone's clock."""
    first, last = curve.points[0], curve.points[-1]
    span = wording.count(days, "day")
    gain = wording.gain(curve.net, curve.share, curve.quote)
    return Card(
        title=f"Equity in {curve.quote}, {BREAK}{span}: {BREAK}{gain}",
        fields=(
            ("Equity", wording.money(last.equity, curve.quote)),
            ("Since", wording.moment(first.at)),
            *phrases.payments(curve.paid_in, curve.paid_out, curve.quote),
            *phrases.benchmark(curve.benchmark),
            ("Drawdown", wording.percent(last.drawdown)),
            (f"Largest drawdown in {span}", wording.percent(curve.max_drawdown)),
        ),
        picture=equity_chart(curve.points, curve.quote, zone, curve.payments),
    )


def equity_chart(
    points: Sequence[EquityPoint], quote: str, zone: ZoneInfo, payments: Sequence[Payment] = ()
) -> EquityChart:
    """An equity curve, beside what the same money would have come to in the traded markets.

    Args:
        points: Oldest first.
        quote: The account's currency.
        zone: Whose clock its axis has.
        payments: All that was ever paid in and out.
    """
    low, high = min(point.equity for point in points), max(point.equity for point in points)
    title = f"Equity in {quote}, {points[0].at.astimezone(zone):%Y-%m-%d} to {points[-1].at.astimezone(zone):%Y-%m-%d}"
    known = next((point.benchmark for point in points if point.benchmark), None)
    start = points[0].equity
    deepest = wording.percent(max(point.drawdown for point in points))
    first, now, least, most = (wording.amount(each, quote) for each in (start, points[-1].equity, low, high))
    since = [payments[points[0].payments : point.payments] for point in points]
    moved = f", {wording.signed(paid(since[-1]), quote)} of it paid in or out" if since[-1] else ""
    return EquityChart(
        title=title,
        alt=f"{title}: from {first} to {now}{moved}, lowest {least}, highest {most}, largest drawdown {deepest}",
        start=float(start),
        times=tuple(point.at for point in points),
        equity=tuple(float(point.equity) for point in points),
        drawdown=tuple(float(point.drawdown) for point in points),
        hold=tuple(_held(start, known, point, paid_so_far) for point, paid_so_far in zip(points, since, strict=True))
        if known
        else (),
        put_in=tuple(float(start + paid(paid_so_far)) for paid_so_far in since) if since[-1] else (),
        zone=str(zone),
    )


def _held(start: Decimal, known: Decimal, point: EquityPoint, payments: Sequence[Payment]) -> float | None:
    """What the beginning, and each payment from its own time on, had become in the traded markets."""
    if not point.benchmark:
        return None
    units = start / known + sum((each.amount / (each.benchmark or known) for each in payments), Decimal(0))
    return float(units * point.benchmark)


def trade(found: TradeCandles, zone: ZoneInfo) -> Card:
    """The candles around a trade, their picture by a zone's clock."""
    held, quote = found.trade.position, wording.quote(found.trade.position.symbol)
    net = held.net if found.price is None else held.net + held.unrealised(found.price)
    so_far = "closed" if not held.is_open else "open"
    return Card(
        title=f"{held.id}: {held.symbol} {so_far}, {BREAK}{wording.gain(net, held.share(net), quote)}",
        fields=(
            *phrases.opened(found.trade),
            *((("Closed", wording.moment(held.closed_at)),) if held.closed_at else ()),
            *((("Closed by", phrases.closed_by(held)),) if held.closed_at else ()),
            ("Traded", phrases.prices(held)),
            *phrases.levels(held.entry_price, held.stop, held.target),
        ),
        text=wording.lines(phrases.OF_ITS_COST, f"/why {held.id} tells the whole story."),
        picture=trade_chart(found, zone),
    )


def trade_chart(found: TradeCandles, zone: ZoneInfo) -> TradeChart:
    """The candles themselves, with every price of the trade marked."""
    held, candles = found.trade.position, found.candles
    marks = _marks(found)
    title = f"{held.id} {held.symbol}, candles of {candles.timeframe}"
    return TradeChart(
        title=title,
        alt=f"{title}: " + ", ".join(mark.label for mark in marks),
        seconds=candles.timeframe.millis // 1000,
        times=tuple(from_millis(int(at)) for at in candles.open_ms),
        open=tuple(map(float, candles.open)),
        high=tuple(map(float, candles.high)),
        low=tuple(map(float, candles.low)),
        close=tuple(map(float, candles.close)),
        marks=marks,
        zone=str(zone),
    )


def _marks(found: TradeCandles) -> tuple[Mark, ...]:
    held = found.trade.position
    end = held.closed_at or found.now
    return (
        *_mark(held, Meaning.TARGET, "Target", held.target, held.opened_at, end),
        *_mark(held, Meaning.STOP, "Stop", held.stop, held.opened_at, end),
        *_mark(held, Meaning.ENTRY, "Entry", held.entry_price, held.opened_at),
        *_exits(found),
        *_mark(held, Meaning.NOW, "Now", found.price, found.now),
    )


def _exits(found: TradeCandles) -> tuple[Mark, ...]:
    """What was sold, sale by sale as long as these can be told apart."""
    held, sales = found.trade.position, found.trade.sales
    if held.closed_at and (len(sales) < 2 or len(sales) > _MOST_SALES):  # noqa: PLR2004 - one is the whole
        return _mark(held, Meaning.EXIT, "Exit", held.exit_price, held.closed_at)
    sold = [_mark(held, Meaning.EXIT, "Sold", sale.average, sale.updated_at) for sale in sales[-_MOST_SALES:]]
    return tuple(mark for marks in sold for mark in marks)


def _mark(
    held: Position, meaning: Meaning, name: str, price: Decimal | None, begin: datetime, end: datetime | None = None
) -> tuple[Mark, ...]:
    """A price of a trade, with the decimals of the others; none where there is no such price."""
    if price is None:
        return ()
    label = f"{name} {wording.price(price + 0 * held.entry_price)}"
    return (Mark(meaning=meaning, label=label, price=float(price), begin=begin, end=end),)
