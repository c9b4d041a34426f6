"""What the engine writes down of orders, for a venue on a test bench: before they are sent, and as the venue tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.domain.orders import (
    Ack,
    NotFound,
    Order,
    OrderRequest,
    OrderState,
    OrderStatus,
    Purpose,
    Refused,
    SubmitResult,
)
from engine.ports import Cursor, EventBatch, Exchange
from engine.timing.clocks import wall


class MemoryRecord:
    """The port ``OrderRecord``, kept in memory."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self._counted: set[tuple[str, str]] = set()

    async def unfinished(self) -> Sequence[Order]:
        return [order for order in self.orders.values() if not order.status.final]

    async def order(self, client_id: str) -> Order | None:
        return self.orders.get(client_id)

    def write(self, request: OrderRequest) -> None:
        if request.client_id not in self.orders:
            now = wall()
            self.orders[request.client_id] = Order(
                id=f"O{len(self.orders) + 1}", request=request, purpose=Purpose.ENTRY, context="bench",
                price=Decimal(1), status=OrderStatus.SENT, created_at=now, updated_at=now,
            )  # fmt: skip

    def mark(self, client_id: str, status: OrderStatus, venue_order_id: str = "") -> None:
        if client_id in self.orders:
            self.orders[client_id] = replace(
                self.orders[client_id], status=status,
                venue_order_id=venue_order_id or self.orders[client_id].venue_order_id,
            )  # fmt: skip

    def ask_to_cancel(self, client_id: str) -> None:
        if client_id in self.orders:
            self.orders[client_id] = replace(self.orders[client_id], cancel_requested_at=wall())

    def take_in(self, batch: EventBatch) -> None:
        for event in batch.events:
            order = self.orders.get(event.order.client_id)
            if order is None:
                continue
            if event.fill and (event.fill.symbol, event.fill.trade_id) not in self._counted:
                self._counted.add((event.fill.symbol, event.fill.trade_id))
                order = replace(order, filled=order.filled + event.fill.quantity)
            if not order.status.final:
                order = replace(order, status=event.order.status)
            self.orders[event.order.client_id] = order


class Recorded:
    """A venue whose orders are written down before they are sent, as the engine does; else it is that venue."""

    def __init__(self, venue: Exchange, record: MemoryRecord) -> None:
        self._venue = venue
        self._record = record
        self.name = venue.name

    async def submit(self, request: OrderRequest) -> SubmitResult:
        self._record.write(request)
        answer = await self._venue.submit(request)
        match answer:
            case Ack(venue_order_id=told):
                if self._record.orders[request.client_id].status is OrderStatus.SENT:
                    self._record.mark(request.client_id, OrderStatus.OPEN, told)
            case Refused():
                self._record.mark(request.client_id, OrderStatus.REJECTED)
            case _:
                self._record.mark(request.client_id, OrderStatus.UNKNOWN)
        return answer

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        return await self._venue.why_unsellable(symbol, quantity)

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        return await self._venue.find(symbol, client_id)

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        self._record.ask_to_cancel(client_id)
        return await self._venue.cancel(symbol, client_id)

    async def balances(self) -> Mapping[str, Decimal]:
        return await self._venue.balances()

    async def open_orders(self) -> tuple[OrderState, ...]:
        return await self._venue.open_orders()

    async def events(self, after: Cursor | None) -> EventBatch:
        batch = await self._venue.events(after)
        self._record.take_in(batch)
        return batch
