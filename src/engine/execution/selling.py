"""Selling a position at market: at once where that may be, else after the pause that earlier sales have earned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain.errors import SaleRefused
from engine.domain.orders import Order, Purpose
from engine.domain.positions import Position
from engine.execution import orders as writing
from engine.execution import retries
from engine.execution.coverage import sellable
from engine.execution.protecting import Protecting
from engine.execution.recorded_venue import RecordedVenue
from engine.store.unit_of_work import UnitOfWork


class Selling:
    """Sells positions held at one venue."""

    def __init__(self, line: RecordedVenue, protecting: Protecting) -> None:
        self._line = line
        self._protecting = protecting

    async def sell(self, position_id: str, since: datetime | None = None) -> None:
        """Sell at market all that may be sold of a position, as ``ExecutionOrchestrator.sell`` says."""
        await self._protecting.sync_venue_events()
        position, orders = await self._line.store.read(lambda uow: _known(uow, position_id))
        self._refuse_before_its_time(orders, since)
        lot = self._line.lot_of(position.symbol)
        quantity = sellable(position, orders, lot)
        unsellable = await self._line.why_unsellable(position.symbol, quantity) if quantity > 0 else ""
        if unsellable:
            raise SaleRefused(f"the venue would refuse the sale: {unsellable}")
        now = self._line.clock.now()
        order = await self._line.store.transact(lambda uow: writing.intend_sale(uow, position_id, lot, now))
        if order is None:
            return
        await self._protecting.send(order)
        await self._protecting.sync_venue_events()
        _, orders = await self._line.store.read(lambda uow: _known(uow, position_id))
        self._refuse_before_its_time(orders, since)

    def _refuse_before_its_time(self, orders: Sequence[Order], since: datetime | None) -> None:
        """Say no while the pause after sales that came to nothing lasts, in the same words all the while."""
        counted = [order for order in orders if since is None or order.created_at >= since]
        pause = retries.not_before(counted, Purpose.EXIT)
        if pause is not None and self._line.clock.now() < pause:
            why = retries.failures(counted, Purpose.EXIT)[0].reason or "it was cancelled there"
            until = f"{pause:%Y-%m-%d %H:%M:%S} UTC"
            raise SaleRefused(f"the venue refuses the sale: {why}; asked again at {until}", again_at=pause)


def _known(uow: UnitOfWork, position_id: str) -> tuple[Position, tuple[Order, ...]]:
    return uow.positions.get(position_id), uow.orders.of_position(position_id)
