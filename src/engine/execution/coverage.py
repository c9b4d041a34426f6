"""How much of a position may be sold: what it holds, less what is being sold already. Pure.

A venue sees one balance of a coin, whoever holds it: it takes an order that sells what another position holds. So every
way of selling asks here first.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.orders import Order, OrderType, Side
from engine.domain.positions import Position


def is_selling(order: Order) -> bool:
    """Whether an order sells at market, or may be doing so; an OCO waits for its price and gives way to a sale."""
    return order.request.side is Side.SELL and order.request.type is not OrderType.OCO and not order.status.final


def is_being_left(orders: Sequence[Order]) -> bool:
    """Whether anything of a position is being sold, or was sold before: by an exit, or by its stop or target."""
    return any(is_selling(each) or (each.request.side is Side.SELL and each.filled) for each in orders)


def being_sold(orders: Sequence[Order], besides: str = "") -> Decimal:
    """What a position's orders are still to sell at market, in the base currency; ``besides`` is not counted."""
    return sum((order.rest for order in orders if is_selling(order) and order.id != besides), Decimal(0))


def sellable(position: Position, orders: Sequence[Order], lot: Decimal, besides: str = "") -> Decimal:
    """What may be sold of a position, in the base currency; 0 or less where all of it is being sold.

    Args:
        position: What is held.
        orders: All of its orders.
        lot: The smallest step of a quantity: only whole ones can be sold; 0 where that is not known.
        besides: The id of an order that is not counted: the one that asks.
    """
    free = position.quantity - being_sold(orders, besides)
    return free - free % lot if lot > 0 and free > 0 else free
