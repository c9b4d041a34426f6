"""What an order would come to, before anybody sends it: lots and ticks, the price by the book of now, fees. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.domain.figures import grouped
from engine.domain.market import Book, Level, Market
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.exchanges.requests import malformed

_AT_MARKET = (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """An order as it would be sent.

    Attributes:
        request: It, with whole lots and ticks.
        price: What a unit of it would cost or bring, in the quote currency; ``None`` where the book holds too little.
        worst: The last price of the book that it would reach; ``None`` where it takes nothing from that.
        notional: What it is worth, in the quote currency.
        fee: What that costs, in the quote currency.
        rounded: What was made of what was asked, in words.
        refusals: Why it would not be sent, or the venue would refuse it; none where nothing speaks against it.
    """

    request: OrderRequest
    price: Decimal | None
    worst: Decimal | None
    notional: Decimal
    fee: Decimal
    rounded: tuple[str, ...]
    refusals: tuple[str, ...]


def preview(asked: OrderRequest, market: Market, book: Book, fee: Decimal) -> OrderPreview:
    """What would be sent of what somebody asks for.

    Args:
        asked: What they want, at any number of digits.
        market: Its steps.
        book: What stands there now.
        fee: What a fill costs, as a fraction of its value.
    """
    request = _in_steps(asked, market)
    price, worst = _expected(request, book)
    notional = request.quantity * (price or request.limit_price or request.trigger_price or book.mid)
    return OrderPreview(
        request=request,
        price=price,
        worst=worst,
        notional=notional,
        fee=notional * fee,
        rounded=_rounded(asked, request, market),
        refusals=_refusals(request, market, price, notional),
    )


def _in_steps(asked: OrderRequest, market: Market) -> OrderRequest:
    """Rounded to the side that spends less and sells no cheaper: fewer lots, a lower bid, a higher offer."""
    way = ROUND_FLOOR if asked.side is Side.BUY else ROUND_CEILING

    def on_tick(price: Decimal | None) -> Decimal | None:
        return None if price is None else (price / market.tick).to_integral_value(way) * market.tick

    return replace(
        asked,
        quantity=market.quantity(market.lots(asked.quantity)),
        limit_price=on_tick(asked.limit_price),
        trigger_price=on_tick(asked.trigger_price),
    )


def _expected(request: OrderRequest, book: Book) -> tuple[Decimal | None, Decimal | None]:
    """The mean price, and the last of the book that it reaches; what waits trades at its own price."""
    if request.type is OrderType.MARKET:
        return _walked(book.asks if request.side is Side.BUY else book.bids, request.quantity)
    if request.type in _AT_MARKET:
        return request.trigger_price, None
    return request.limit_price, None


def _walked(levels: Sequence[Level], quantity: Decimal) -> tuple[Decimal | None, Decimal | None]:
    rest, paid, worst = quantity, Decimal(0), None
    for level in levels:
        taken = min(rest, level.quantity)
        rest, paid, worst = rest - taken, paid + taken * level.price, level.price
        if rest <= 0:
            break
    return (paid / quantity, worst) if quantity > 0 and rest <= 0 else (None, worst)


def _rounded(asked: OrderRequest, request: OrderRequest, market: Market) -> tuple[str, ...]:
    pairs = (
        ("quantity", asked.quantity, request.quantity, f"lots of {grouped(market.lot)}"),
        ("limit", asked.limit_price, request.limit_price, f"ticks of {grouped(market.tick)}"),
        ("stop", asked.trigger_price, request.trigger_price, f"ticks of {grouped(market.tick)}"),
    )
    return tuple(
        f"{name} {grouped(before, 12)} becomes {grouped(after, 12)}, in {steps}"
        for name, before, after, steps in pairs
        if before is not None and after is not None and before != after
    )


def _refusals(request: OrderRequest, market: Market, price: Decimal | None, notional: Decimal) -> tuple[str, ...]:
    found = [malformed(request, market)]
    if request.quantity > 0 and notional < market.min_notional:
        least = grouped(market.min_notional)
        found.append(f"{grouped(notional, 2)} {market.quote} is below the venue's minimum of {least}")
    if request.type is OrderType.MARKET and price is None and request.quantity > 0:
        found.append(f"the book that is seen holds less than {grouped(request.quantity, 12)} {market.base}")
    return tuple(reason for reason in found if reason)
