"""The two halves of a stop and target at a venue that has each as an order of its own, told apart by their client ids.

A client id is 32 hex digits whose thirteenth says that it is a UUID of version 5. A leg has another digit there, which
no UUID has: it fits wherever the id does, and the id follows from it without any record.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.orders import OrderRequest, OrderState, OrderStatus, OrderType

LEGS = STOP, TARGET = "stop", "target"
_AT, _OWN = 12, "5"
_DIGITS = {STOP: "a", TARGET: "b"}
_LENGTH = 32


def leg_id(client_id: str, leg: str) -> str:
    """The client id of a leg."""
    return f"{client_id[:_AT]}{_DIGITS[leg]}{client_id[_AT + 1 :]}"


def whole_of(client_id: str) -> tuple[str, str]:
    """The client id of the order that one belongs to, and which leg it is; itself and an empty text for no leg."""
    leg = next((name for name, digit in _DIGITS.items() if client_id[_AT : _AT + 1] == digit), "")
    if not leg or len(client_id) != _LENGTH or set(client_id) - set("0123456789abcdef"):
        return client_id, ""
    return f"{client_id[:_AT]}{_OWN}{client_id[_AT + 1 :]}", leg


def stop_of(request: OrderRequest) -> OrderRequest:
    """The stop of a stop and target, as an order by itself."""
    own = leg_id(request.client_id, STOP)
    return replace(request, client_id=own, type=OrderType.STOP, limit_price=None)


def sale_of(request: OrderRequest, leg: str, quantity: Decimal) -> OrderRequest:
    """The sale at market of so much, once the price of a leg is there."""
    own = leg_id(request.client_id, leg)
    return replace(
        request,
        client_id=own,
        type=OrderType.MARKET,
        quantity=quantity,
        limit_price=None,
        trigger_price=None,
        trailing=None,
    )


def together(found: OrderState, legs: dict[str, OrderState]) -> OrderState:
    """What the legs come to as one order.

    Args:
        found: What the order is, with nothing filled of it.
        legs: Those that the venue knows, by which they are; at least one.
    """
    filled = sum((each.filled for each in legs.values()), found.quantity * 0)
    traded = [leg for leg, each in legs.items() if each.filled]
    if any(not each.status.final for each in legs.values()):
        status = OrderStatus.OPEN
    else:
        status = OrderStatus.FILLED if filled >= found.quantity else OrderStatus.CANCELLED
    return replace(
        found,
        status=status,
        filled=filled,
        fills=tuple(fill for each in legs.values() for fill in each.fills),
        closed_by=traded[0] if traded else "",
    )
