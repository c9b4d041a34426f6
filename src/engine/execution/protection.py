"""What an open position still needs at the venue. A pure step, asked after everything that happens to a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.trading import OrderKind, Position, Purpose
from engine.store.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A bracket that no longer fits its position."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Protect:
    """Place a stop and a target for everything held; the n-th bracket of this position."""

    position: Position
    number: int


Action = Cancel | Protect


def protect(position: Position, orders: Sequence[Order]) -> tuple[Action, ...]:
    """What to cancel and place so that one bracket covers the whole position.

    While an exit is under way nothing is placed: the exit sells what the bracket would. Of a position that is closed
    nothing must stay behind: somebody else may have sold it.
    """
    brackets = [order for order in orders if order.intent.kind is OrderKind.BRACKET]
    standing = [order for order in brackets if not order.status.final]
    leaving = any(order.purpose is Purpose.EXIT and not order.status.final for order in orders)
    if not position.is_open:
        return tuple(Cancel(order=order) for order in standing)
    if leaving or position.stop is None:
        return ()
    fitting = [order for order in standing if order.intent.quantity - order.filled == position.quantity]
    if fitting:
        return tuple(Cancel(order=order) for order in standing if order is not fitting[0])
    return (*(Cancel(order=order) for order in standing), Protect(position=position, number=len(brackets) + 1))
