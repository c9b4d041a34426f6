"""One venue: sending what was written down for it, and keeping up with what it makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

from engine.domain.errors import SaleRefused, StoreError, VenueError
from engine.domain.orders import NotFound, Order, OrderStatus, OrderType
from engine.execution.doubts import STRAY_WITHIN, Doubts
from engine.execution.patience import Patience
from engine.execution.protecting import Protecting
from engine.execution.recorded_venue import RecordedVenue
from engine.execution.selling import Selling
from engine.execution.sending import SEND_WITHIN, Sending
from engine.ports import Clock, Exchange, MarketData
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork


class VenueExecution:
    """Everything that talks to one venue about orders, one thing at a time.

    An order is written down and committed before it comes here; what the venue answers is written down after. A crash
    in between leaves an order whose fate is asked for at the next start, by its client id (``execution.reconcile``).

    Args:
        max_factor: From this factor on a price is that of something else than what was marked last.
    """

    def __init__(
        self,
        *,
        store: Database,
        exchange: Exchange,
        market_data: MarketData,
        clock: Clock,
        max_factor: Decimal,
    ) -> None:
        self._line = RecordedVenue(store=store, exchange=exchange, market_data=market_data, clock=clock)
        self._doubts = Doubts(self._line)
        self._protecting = Protecting(self._line, Sending(self._line), self._doubts, max_factor)
        self._patience = Patience(self._line, self._protecting)
        self._selling = Selling(self._line, self._protecting)
        self._one_at_a_time = asyncio.Lock()

    @property
    def again_at(self) -> datetime | None:
        """When something that was left half done is to be looked at again; ``None`` where nothing was."""
        return self._line.again_at

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """One thing at a time; what a fault leaves half done is looked at again soon."""
        async with self._one_at_a_time:
            try:
                yield
            except SaleRefused:
                raise  # that leaves nothing half done
            except VenueError as error:
                self._line.look_again_after(error)
                raise
            except StoreError:
                self._line.look_again_soon()
                raise

    async def look_again(self) -> None:
        """Settle what is in doubt and see that everything held is protected, after a fault.

        Where the venue wants to be left alone this is for later, and no failure.
        """
        self._line.again_at = None
        try:
            await self.resolve_unknown_orders()
            await self.restore_protection()
        except VenueError as error:
            if not error.retry_after:
                raise
            return
        self._line.answered()

    async def end_patience(self) -> None:
        """Cancel entries that have waited long enough, or must not wait, and buy the rest where that was planned."""
        async with self._in_turn():
            await self._patience.end()

    async def sell(self, position_id: str, since: datetime | None = None) -> None:
        """Sell at market all that may be sold of a position, as ``ExecutionOrchestrator.sell`` says."""
        async with self._in_turn():
            await self._selling.sell(position_id, since)

    async def send(self, order: Order) -> None:
        """Send one written-down order, and take in what comes of it at once."""
        async with self._in_turn():
            await self._protecting.send(order)
            await self._protecting.sync_venue_events()

    async def sync_venue_events(self) -> None:
        """Take in what the venue did since the last time, and protect every position it concerns."""
        async with self._in_turn():
            await self._protecting.sync_venue_events()

    async def restore_protection(self) -> None:
        """See that every open position has its stop and target at the venue."""
        async with self._in_turn():
            await self._protecting.sync_venue_events(await self._line.store.read(self._protecting.in_need))

    async def is_at_rest(self) -> bool:
        """Whether nothing has to be done here before something happens at the venue: all that is held is protected."""
        at_rest = self._line.again_at is None and not self._line.concerned
        return at_rest and not (await self._line.new_events()).events and await self._line.store.read(self._rests)

    def _rests(self, uow: UnitOfWork) -> bool:
        """Whether no order but such as protect is waited for, and nothing is still to be done."""
        protecting = all(
            order.request.type is OrderType.OCO
            and order.status is OrderStatus.OPEN
            and order.cancel_requested_at is None
            for order in self._line.unfinished(uow)
        )
        found, now = uow.ledger.inventory(self._line.name), self._line.clock.now()
        return (
            protecting
            and (found is None or all(each.position_id for each in found.holdings))
            and not uow.orders.lost_since(self._line.name, now - STRAY_WITHIN)
            and not self._protecting.in_need(uow)
        )

    async def cancel_order(self, order: Order, why: str) -> None:
        """Cancel an order; one that was written down and not sent is never sent.

        Whether it was sent only the venue knows: its answer may not have been written down.
        """
        async with self._in_turn():
            written = await self._line.store.read(lambda uow: uow.orders.get(order.id))
            if written.status.final:
                return
            state = await self._line.cancel(written, f"cancelled {why}")
            if written.status is OrderStatus.INTENT and isinstance(state, NotFound):
                reason = f"not sent: cancelled {why}"
                await self._line.withhold(order, reason)
            await self._protecting.sync_venue_events()

    async def resolve_order(self, order: Order) -> None:
        """Ask the venue what became of an order whose answer was lost or never came; it is never sent again."""
        await self._doubts.resolve(order)

    async def cancel_strays(self) -> None:
        """Cancel orders that stand at the venue although we have written down that they never arrived."""
        async with self._in_turn():
            await self._doubts.cancel_strays()

    async def resolve_unknown_orders(self) -> None:
        """Ask again for every order whose answer was lost, or that lies unsent because something failed on the way.

        What is found there that was held to be lost is cancelled.
        """
        async with self._in_turn():
            now = self._line.clock.now()
            for order in await self._line.store.read(self._line.unfinished):
                left_over = order.status is OrderStatus.INTENT and now - order.created_at > SEND_WITHIN
                if order.status.in_doubt or order.status is OrderStatus.CANCELLING or left_over:
                    await self._doubts.resolve(order)
            await self._doubts.cancel_strays()
