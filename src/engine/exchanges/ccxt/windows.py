"""Until when a venue may still take a protective order whose answer was lost: by the request's window and its clock.

A request carries the time at which it was made and for how long after that the venue takes it (Binance's
``timestamp`` and ``recvWindow``), by the venue's clock: once that is past both, what is not known never comes. Pure.
"""

from __future__ import annotations

from datetime import timedelta

from engine.domain.orders import OrderRequest, OrderType, Side

RECEIVE_WINDOW_MS = 5000
"""How late a request may arrive and be taken, where the venue knows such a window: what is later is not carried out."""
PROTECTION_WINDOW_MS = 1500
"""The same for a protective order, the first time: what is held stands bare until it can be sent anew."""
BY_REQUEST = frozenset({"binance", "binanceus"})
"""Venues at which, in ccxt, each request has a window of its own; at others all have the client's, or there is none."""
_KNOWN_AFTER_MS = 100
"""How long after it was taken an order is told of for certain."""
_REMEMBERED = 1000
_PROTECTIVE = (OrderType.OCO, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)


def is_protective(request: OrderRequest) -> bool:
    """Whether an order is to sell where the price falls."""
    return request.side is Side.SELL and request.type in _PROTECTIVE


class Windows:
    """Until when requests that were sent may be taken, by client id, in milliseconds of its clock since 1970."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}

    def carry(self, client_id: str, at_ms: int, window_ms: int) -> dict[str, int]:
        """What a request carries that is made at a time of the venue's clock; of one before it nothing was taken."""
        self._ends.pop(client_id, None)
        self._ends[client_id] = at_ms + window_ms
        if len(self._ends) > _REMEMBERED:
            del self._ends[next(iter(self._ends))]
        return {"timestamp": at_ms, "recvWindow": window_ms}

    def knows(self, client_id: str) -> bool:
        """Whether an order was sent with a window in this run."""
        return client_id in self._ends

    def left(self, client_id: str, now_ms: int) -> timedelta:
        """For how long from a time of the venue's clock on an order may still turn up; 0 where it no longer can."""
        return timedelta(milliseconds=max(self._ends[client_id] + _KNOWN_AFTER_MS + 1 - now_ms, 0))
