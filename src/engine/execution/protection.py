"""What an open position still needs at the venue. A pure step, asked after everything that happens to a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.orders import Order, OrderStatus, OrderType, Purpose
from engine.domain.positions import Position
from engine.execution import retries
from engine.execution.coverage import is_selling, sellable


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """An order that no longer fits its position."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Protect:
    """Place a stop and a target for so much of a position; its n-th OCO."""

    position: Position
    number: int
    quantity: Decimal


Action = Cancel | Protect


def protection_steps(position: Position, orders: Sequence[Order], lot: Decimal, now: datetime) -> tuple[Action, ...]:
    """What to cancel, or else to place, so that one OCO covers all of a position that is not being sold.

    What is cancelled must be gone before anything is placed: asked again then, it says what. While an exit of all of it
    is under way nothing is placed: the exit sells what the OCO would; and while an exit was only written down
    nothing is changed. Of a position that is closed nothing must stay behind, and no exit may sell more than is held:
    somebody else may have sold it. A venue that refuses OCOs is not asked for one before ``protection_pause`` is
    over.
    """
    ocos = [order for order in orders if order.request.type is OrderType.OCO]
    standing = [order for order in ocos if not order.status.final]
    exits = [order for order in orders if is_selling(order)]
    free = sellable(position, orders, lot)
    if not position.is_open:
        return _cancel([*standing, *_sent(exits)])
    if free < 0:
        return _cancel(_sent(exits))
    if free == 0 or len(_sent(exits)) < len(exits) or position.stop is None:
        return ()
    fitting = [order for order in standing if order.rest == free]
    if standing:
        return _cancel([order for order in standing if order not in fitting[:1]])
    pause = protection_pause(position, orders)
    if pause is not None and now < pause:
        return ()
    return (Protect(position=position, number=len(ocos) + 1, quantity=free),)


def protection_pause(position: Position, orders: Sequence[Order]) -> datetime | None:
    """Until when the venue is not asked to protect a position; ``None`` where it refused nothing."""
    return retries.not_before(orders, Purpose.PROTECTION) if position.is_open else None


def _cancel(orders: Sequence[Order]) -> tuple[Action, ...]:
    return tuple(Cancel(order=order) for order in orders)


def _sent(orders: Sequence[Order]) -> list[Order]:
    """Those that the venue may have: one that was only written down is judged again before it is sent."""
    return [order for order in orders if order.status is not OrderStatus.INTENT]
