"""Protection that took the place of another: which order, and which one before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.orders import Order, OrderStatus, Purpose

_NEVER_STOOD = (OrderStatus.INTENT, OrderStatus.SENT, OrderStatus.UNKNOWN, OrderStatus.REJECTED)


def replacement_of(orders: Sequence[Order]) -> tuple[Order, Order] | None:
    """The newest protection of a position and the one whose place it took, where they differ in size or price.

    Args:
        orders: All of the position's, oldest first.

    Returns:
        The one before and the newest; ``None`` where there is only one, or the newest is as the one before was.
    """
    stood = [each for each in orders if each.purpose is Purpose.PROTECTION and each.status not in _NEVER_STOOD]
    if len(stood) < 2 or _terms(stood[-2]) == _terms(stood[-1]):  # noqa: PLR2004 - two are compared
        return None
    return stood[-2], stood[-1]


def _terms(order: Order) -> tuple[object, ...]:
    asked = order.request
    return (asked.type, asked.quantity, asked.trigger_price, asked.limit_price, asked.trailing)
