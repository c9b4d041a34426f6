"""What orders paid more, or got less, than the price of their moment: expected of the book, and in truth.

Slippage is the difference between a mean fill price and the best price, as a fraction of that (O'Hara 1995); below 0 it
was a gain. At market the best price is that of the book that the order was judged by, of a stop or target its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.orders import Order, OrderType, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Slippage:
    """Of one order, or of several on average.

    Attributes:
        paid: What it was.
        expected: What the book of then told; ``None`` where nobody noted that.
        orders: How many are told of.
    """

    paid: Decimal
    expected: Decimal | None
    orders: int = 1


def slippage_of(order: Order) -> Slippage | None:
    """The slippage of an order; ``None`` where nothing of it has traded, or no price of its moment is known."""
    reference = _reference(order)
    if reference is None or order.average is None:
        return None
    is_oco = order.request.type is OrderType.OCO
    expected = Decimal(0) if is_oco else _over(order, order.expected, reference)
    return Slippage(paid=_away(order, order.average, reference), expected=expected)


def mean_slippage(orders: Iterable[Order]) -> Slippage | None:
    """The mean of those orders of which both is known, each counted alike; ``None`` without any."""
    known = [found for each in orders if (found := slippage_of(each)) is not None and found.expected is not None]
    if not known:
        return None
    paid = sum((each.paid for each in known), Decimal(0)) / len(known)
    expected = sum((each.expected or Decimal(0) for each in known), Decimal(0)) / len(known)
    return Slippage(paid=paid, expected=expected, orders=len(known))


def _reference(order: Order) -> Decimal | None:
    """The price of the moment: of what is sold because it must be nobody looked at one."""
    if order.request.type is OrderType.OCO:
        levels = [each for each in (order.request.trigger_price, order.request.limit_price) if each is not None]
        average = order.average
        return min(levels, key=lambda level: abs(level - average), default=None) if average is not None else None
    return order.price if order.decision_id and order.request.type is OrderType.MARKET and order.expected else None


def _over(order: Order, price: Decimal | None, reference: Decimal) -> Decimal | None:
    return None if price is None else _away(order, price, reference)


def _away(order: Order, price: Decimal, reference: Decimal) -> Decimal:
    worse = price - reference if order.request.side is Side.BUY else reference - price
    return worse / reference
