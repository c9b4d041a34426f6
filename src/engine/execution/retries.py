"""When a sale that came to nothing may be tried again: after a pause that doubles. Pure.

What a venue refuses once it mostly refuses twice, and a line that loses one request loses the next, so it is not asked
at every occasion; and what comes to nothing again and again people must look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from engine.domain.orders import LOST, NEVER_ARRIVED, NOT_SENT, TAKEN_BACK, Order, OrderStatus, Purpose

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)
"""Market time from an order that came to nothing to the next: it doubles with each."""
ALARM_AFTER = 4
"""From so many in a row on people are told, and nothing more is bought of the coin."""
_OUR_DOING = (NOT_SENT, NEVER_ARRIVED, TAKEN_BACK)


def failures(orders: Sequence[Order], purpose: Purpose) -> tuple[Order, ...]:
    """The newest orders for a purpose that came to nothing at the venue, or on the way there, one after the other.

    Newest first.

    Args:
        orders: All orders of a position, oldest first.
        purpose: ``PROTECTION`` or ``EXIT``.
    """
    failed: list[Order] = []
    for order in reversed(orders):
        if order.purpose is not purpose or _was_never_sent(order):
            continue
        if not _came_to_nothing(order):
            break
        failed.append(order)
    return tuple(failed)


def not_before(orders: Sequence[Order], purpose: Purpose) -> datetime | None:
    """When the venue may next be asked for an order of this purpose; ``None`` for at once.

    One that was lost, or that it took and somebody ended, is placed again at once; a row of them is not.
    """
    failed = failures(orders, purpose)
    if not failed or (len(failed) == 1 and (is_lost(failed[0]) or failed[0].status is OrderStatus.CANCELLED)):
        return None
    return failed[0].created_at + pause_after(len(failed))


def pause_after(failed: int) -> timedelta:
    """How long to wait after so many failures in a row, from one on."""
    doublings = min(failed - 1, 16)  # long past the longest pause; a timedelta has an end
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def is_lost(order: Order) -> bool:
    """Whether an order was sent and the venue never got it."""
    return order.status is OrderStatus.REJECTED and order.reason.startswith(LOST)


def _was_never_sent(order: Order) -> bool:
    """Whether an order was not handed to the venue, or its fate is not known yet."""
    rejected_here = order.status is OrderStatus.REJECTED and order.reason.startswith(_OUR_DOING)
    return (rejected_here and not is_lost(order)) or order.status in (OrderStatus.INTENT, OrderStatus.UNKNOWN)


def _came_to_nothing(order: Order) -> bool:
    """Whether the venue refused an order or never got it, or ended it before anything of it traded."""
    ended_by_venue = order.status is OrderStatus.CANCELLED and not order.reason.startswith(TAKEN_BACK)
    return order.status is OrderStatus.REJECTED or (ended_by_venue and not order.filled)
