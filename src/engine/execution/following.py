"""What follows of an entry in slices, and its end before all of it was bought."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.domain.events import SlicesEnded
from engine.domain.figures import grouped
from engine.domain.orders import Order
from engine.store.unit_of_work import UnitOfWork


def left_after(newest: Order) -> Decimal:
    """What is left to be bought after the newest slice, in the base currency: what follows it, and what it missed."""
    missed = newest.rest if newest.status.final else Decimal(0)
    return (newest.to_follow or Decimal(0)) + missed


def newest_slice(uow: UnitOfWork, order: Order) -> Order:
    """The newest slice of an order's entry where something follows it; else the order itself."""
    family = uow.orders.all_of_decision(order.decision_id) if order.decision_id else ()
    return family[-1] if family and family[-1].follows_at is not None else order


def stop_following(uow: UnitOfWork, newest: Order, why: str, now: datetime) -> None:
    """Let nothing follow the newest slice any more, and have people told why."""
    base = newest.request.symbol.partition("/")[0]
    reason = f"{grouped(left_after(newest).normalize())} {base} that were to follow are not bought: {why}"
    uow.orders.follow(newest.id, None, reason)
    uow.emit(
        SlicesEnded(
            at=now,
            order_id=newest.id,
            reason=reason,
            approval_id=newest.approval_id,
            position_id=uow.orders.position_of(newest.id),
        )
    )
