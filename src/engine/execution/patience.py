"""Entries that wait at a limit: how long, and what comes after."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from engine.domain.errors import VenueError
from engine.domain.events import OrderChanged
from engine.domain.orders import Order, Purpose
from engine.execution import orders as writing
from engine.execution.protecting import Protecting
from engine.execution.recorded_venue import RecordedVenue
from engine.store.orders import REPLACED_WITHIN
from engine.store.unit_of_work import UnitOfWork


class Patience:
    """Ends the waiting of entries at one venue."""

    def __init__(self, line: RecordedVenue, protecting: Protecting) -> None:
        self._line = line
        self._protecting = protecting

    async def end(self) -> None:
        """Cancel entries that have waited long enough, or must not wait.

        What they have not got is bought at market, if that was planned and the price has not run away.
        """
        for order in await self._line.store.read(self._to_replace):
            if self._line.clock.now() - order.updated_at >= REPLACED_WITHIN:
                await self._give_up(order, "it was too late to buy the rest")  # whether the venue answers or not
        for order in await self._line.store.read(self._withdrawn):
            await self._line.cancel(order, "cancelled: entries are halted")
        for order in await self._line.store.read(self._impatient):
            if not order.status.final:
                await self._line.cancel(order, f"cancelled: {order.reason or 'it has waited long enough'}")
        await self._protecting.sync_venue_events()
        for order in await self._line.store.read(self._to_replace):
            if order.worst_price is not None:
                await self._buy_rest(order, order.worst_price)
        await self._protecting.sync_venue_events()

    def _impatient(self, uow: UnitOfWork) -> list[Order]:
        return [each for each in uow.orders.impatient(self._line.clock.now()) if each.request.venue == self._line.name]

    def _to_replace(self, uow: UnitOfWork) -> list[Order]:
        return [each for each in self._impatient(uow) if each.status.final and each.worst_price is not None]

    def _withdrawn(self, uow: UnitOfWork) -> list[Order]:
        return [each for each in withdrawn(uow, self._line.clock.now()) if each.request.venue == self._line.name]

    async def _buy_rest(self, waited: Order, worst: Decimal) -> None:
        """Buy what an order at a limit has not got, where it can be had for the worst price or less."""
        try:
            book = await self._line.market_data.book(waited.request.symbol)
        except VenueError:
            return  # asked again while it makes sense
        now = self._line.clock.now()
        if book.ask <= worst:
            await self._protecting.send(
                await self._line.store.transact(lambda uow: writing.intend_rest(uow, waited, now))
            )
        else:
            await self._give_up(waited, "the price has run away")

    async def _give_up(self, waited: Order, why: str) -> None:
        now = self._line.clock.now()
        await self._line.store.transact(lambda uow: _give_up(uow, waited, why, now))


def _give_up(uow: UnitOfWork, waited: Order, why: str, now: datetime) -> None:
    """Leave what an order at a limit has not got, and have people told why."""
    reason = f"{waited.reason}, and {why}"
    uow.orders.give_up(waited.id, reason)
    uow.emit(
        OrderChanged(
            at=now,
            order_id=waited.id,
            status=waited.status,
            reason=reason,
            approval_id=waited.approval_id,
            position_id=waited.position_id,
        )
    )


def withdrawn(uow: UnitOfWork, now: datetime) -> list[Order]:
    """The entries that wait at a limit while entries into their market are halted."""
    waiting = [
        order
        for order in uow.orders.unfinished()
        if order.purpose is Purpose.ENTRY
        and order.wait_until is not None
        and order.status.at_venue
        and order.cancel_requested_at is None
    ]
    halts = [found.halt for found in uow.halts.open()] if waiting else []
    return [order for order in waiting if any(halt.blocks(order.request.listing, now) for halt in halts)]
