"""When a sale that came to nothing may be tried again: after a pause that doubles. Pure.

What a venue refuses once it mostly refuses twice, and a line that loses one request loses the next, so it is not asked
at every occasion; and what comes to nothing again and again people must look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from engine.domain.orders import Order, OrderStatus, Purpose, Unsent

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)
"""Market time from an order that came to nothing to the next: it doubles with each."""
ALARM_AFTER = 4
"""From so many in a row on people are told, and nothing more is bought of the coin."""


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

    One that was lost, or that it took and somebody ended, is placed again at once; after several in a row it waits.
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
    return order.unsent is Unsent.LOST


def _was_never_sent(order: Order) -> bool:
    """Whether an order was not handed to the venue, or its fate is not known yet."""
    in_doubt = order.status is OrderStatus.INTENT or order.status.in_doubt
    return in_doubt or order.unsent in (Unsent.WITHHELD, Unsent.STOPPED)


def _came_to_nothing(order: Order) -> bool:
    """Whether the venue refused an order or never got it, or ended it before anything of it traded."""
    ended = order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED) and order.cancel_requested_at is None
    return order.status is OrderStatus.REJECTED or (ended and not order.filled)
