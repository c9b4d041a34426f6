"""What the fast tier has begun of a trade: its order, what that holds, and what is left to be added or taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.orders import Order
from engine.domain.plans import TradePlan
from engine.domain.positions import Position
from engine.store.unit_of_work import UnitOfWork


def order_of(uow: UnitOfWork, order_id: str) -> Order | None:
    """The order that has begun a trade; ``None`` where none has, or it came to nothing."""
    order = uow.orders.get(order_id) if order_id else None
    return None if order is None or (order.status.final and not order.filled) else order


def rest_of(uow: UnitOfWork, plan: TradePlan, starter: Order) -> TradePlan:
    """What is left to be bought of a whole trade, in addition to what has begun it.

    What an order that is over did not get is bought now, like what was never ordered.
    """
    begun = starter.filled if starter.status.final else starter.request.quantity
    rest = max(plan.quantity - begun, Decimal(0))
    return as_it_stands(uow, replace(plan, quantity=rest, starter=starter.id, begun=begun))


def as_it_stands(uow: UnitOfWork, plan: TradePlan) -> TradePlan:
    """The same plan with the position that its starter has opened by now."""
    if not plan.starter:
        return plan
    return replace(plan, position_id=uow.orders.get(plan.starter).position_id or None)


def position_of(uow: UnitOfWork, starter: Order) -> Position | None:
    """What is held of what has begun a trade; ``None`` where nothing is."""
    position = uow.positions.get(starter.position_id) if starter.position_id else None
    return position if position is not None and position.is_open else None


def is_over(uow: UnitOfWork, starter: Order, now: datetime) -> bool:
    """Whether an order that has begun a trade buys nothing more; one that waits at its limit is not waited for."""
    if not starter.status.final and starter.wait_until is not None and now < starter.wait_until:
        uow.orders.end_patience(starter.id, now, "the rest of the trade was refused")
    return starter.status.final
