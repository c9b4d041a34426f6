"""Protection that took the place of another: which order, and which one before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from engine.domain.orders import Order, OrderStatus, Purpose

_NEVER_STOOD = (OrderStatus.INTENT, OrderStatus.SENT, OrderStatus.UNKNOWN, OrderStatus.REJECTED)


def replacement_of(orders: Sequence[Order]) -> tuple[Order, Order] | None:
    """The last protection of a position that differs from the one whose place it took, in size or price, and that one.

    Args:
        orders: All of the position's, oldest first.

    Returns:
        The one before and the one after; ``None`` where there is only one, or all are alike.
    """
    stood = [each for each in orders if each.purpose is Purpose.PROTECTION and each.status not in _NEVER_STOOD]
    moves = [(before, after) for before, after in pairwise(stood) if _terms(before) != _terms(after)]
    return moves[-1] if moves else None


def _terms(order: Order) -> tuple[object, ...]:
    asked = order.request
    return (asked.type, asked.quantity, asked.trigger_price, asked.limit_price, asked.trailing)
