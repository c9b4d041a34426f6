"""Handing a written-down order to its venue, or not after all."""

from __future__ import annotations

from datetime import timedelta

from engine.domain.errors import VenueError
from engine.domain.orders import Order, OrderStatus, Purpose, Refused, SubmitResult, Unsent
from engine.execution import answers
from engine.execution.coverage import is_selling, sellable
from engine.execution.recorded_venue import RecordedVenue
from engine.ports import EventBatch
from engine.store.unit_of_work import UnitOfWork

SEND_WITHIN = timedelta(minutes=2)
"""How old an entry may be when it is sent: the world it was judged in is gone after that."""


class Sending:
    """Sends what is still wanted, and a sale only once nothing else trades its coins."""

    def __init__(self, line: RecordedVenue) -> None:
        self._line = line

    async def attempt(self, order: Order) -> SubmitResult | None:
        """Send an order that was not sent yet; ``None`` where it was, or is no longer wanted."""
        written, unwanted = await self._line.store.read(
            lambda uow: (uow.orders.get(order.id), self._unwanted(uow, order))
        )
        if written.status is not OrderStatus.INTENT:
            return None
        if unwanted:
            await self._line.withhold(order, unwanted)
            return None
        return await (self._try_sale(order) if order.purpose is Purpose.EXIT else self._line.submit(order))

    def _unwanted(self, uow: UnitOfWork, order: Order) -> str:
        """Why an entry that was written down is not sent after all: it has waited too long, or entries are stopped."""
        if order.purpose is not Purpose.ENTRY:
            return ""
        now = self._line.clock.now()
        if now - order.created_at > SEND_WITHIN:
            return f"not sent: it is {(now - order.created_at).total_seconds():.0f} s old"
        if order.position_id and any(map(is_selling, uow.orders.of_position(order.position_id))):
            return f"not sent: {order.position_id} is being sold"
        stopping = [found.halt for found in uow.halts.open() if found.halt.blocks(order.request.listing, now)]
        return f"not sent: {stopping[0].reason}" if stopping else ""

    async def _try_sale(self, order: Order) -> SubmitResult | None:
        """Send a sale once nothing else of its position trades its coins; ``None`` where it is not sent after all.

        Its OCO gives way only where a sale can be had, as far as that can be known: what the venue would refuse
        counts as refused.
        """
        try:
            if not await self._is_covered(order):
                return None
            unsellable = await self._line.why_unsellable(order.request.symbol, order.request.quantity)
            if unsellable:
                return await self._line.record(order, Refused(client_id=order.request.client_id, reason=unsellable))
            await self._cancel_others(order)
            covered = await self._is_covered(order)
        except VenueError as error:
            await self._line.withhold(order, f"not sent: {error.message}")
            return None
        return await self._line.submit(order) if covered else None

    async def _cancel_others(self, order: Order) -> None:
        """Cancel the rest of the entry, which would be held without a stop, and the OCO, which would sell the same."""
        for other in await self._line.store.read(lambda uow: uow.orders.of_position(order.position_id)):
            if other.purpose in (Purpose.ENTRY, Purpose.PROTECTION) and not other.status.final:
                await self._line.cancel(other, "cancelled to sell the position")

    async def _is_covered(self, order: Order) -> bool:
        """Whether a position still holds what an order sells of it, after all that happened; else it is not sent."""
        batch = await self._line.new_events()
        return await self._line.store.transact(lambda uow: self._covers(uow, order, batch))

    def _covers(self, uow: UnitOfWork, order: Order, batch: EventBatch) -> bool:
        self._line.apply(uow, batch)
        position, orders = uow.positions.get(order.position_id), uow.orders.of_position(order.position_id)
        if sellable(position, orders, self._line.lot_of(order.request.symbol), order.id) >= order.request.quantity:
            return True
        what = "reduced" if position.is_open else f"closed ({position.closed_by})"
        reason = f"not sent: the position was {what} meanwhile"
        answers.mark(uow, order, OrderStatus.REJECTED, self._line.clock.now(), reason=reason, unsent=Unsent.WITHHELD)
        return False
