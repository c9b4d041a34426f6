"""One venue: sending what was written down for it, and keeping up with what it makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal

from engine.data_halts import standing_change
from engine.domain.errors import SaleRefused, StoreError, VenueError
from engine.domain.events import ProtectionFailed
from engine.domain.orders import (
    Ack,
    NotFound,
    Order,
    OrderStatus,
    Purpose,
    Refused,
    Side,
    SubmitResult,
    Unknown,
    Unsent,
)
from engine.domain.positions import Position
from engine.execution import answers, retries
from engine.execution import orders as writing
from engine.execution.coverage import sellable
from engine.execution.doubts import Doubts
from engine.execution.protection import Action, Cancel, Protect, protect, protection_pause
from engine.execution.venue_line import VenueLine
from engine.ports import Clock, EventBatch, Exchange, MarketData
from engine.simulation.path import is_another
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

SEND_WITHIN = timedelta(minutes=2)
"""How old an entry may be when it is sent: the world it was judged in is gone after that."""


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
        self._max_factor = max_factor
        self._line = VenueLine(store=store, exchange=exchange, market_data=market_data, clock=clock)
        self._doubts = Doubts(self._line)
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
            except (VenueError, StoreError):
                self._line.look_again_soon()
                raise

    async def look_again(self) -> None:
        """Settle what is in doubt and see that everything held is protected, after a fault."""
        self._line.again_at = None
        await self.resolve_unknown_orders()
        await self.restore_protection()

    async def end_patience(self) -> None:
        """Cancel entries that have waited long enough, or must not wait.

        What they have not got is bought at market, if that was planned and the price has not run away.
        """
        async with self._in_turn():
            for order in await self._line.store.read(self._withdrawn):
                await self._line.cancel(order, "taken back: entries are halted")
            for order in await self._line.store.read(self._impatient):
                if not order.status.final:
                    await self._line.cancel(order, "taken back: it has waited long enough")
            await self._sync_venue_events()
            for order in await self._line.store.read(self._impatient):
                if order.status.final and order.worst_price is not None:
                    await self._buy_rest(order, order.worst_price)
            await self._sync_venue_events()

    def _impatient(self, uow: UnitOfWork) -> list[Order]:
        return [each for each in uow.orders.impatient(self._line.clock.now()) if each.request.venue == self._line.name]

    def _withdrawn(self, uow: UnitOfWork) -> list[Order]:
        return [each for each in withdrawn(uow, self._line.clock.now()) if each.request.venue == self._line.name]

    async def _buy_rest(self, waited: Order, worst: Decimal) -> None:
        """Buy what an order at a limit has not got, where it can still be had for the worst price or less."""
        try:
            book = await self._line.market_data.book(waited.request.symbol)
        except VenueError:
            return  # asked again while it makes sense
        now = self._line.clock.now()
        if book.ask <= worst:
            await self._send(await self._line.store.transact(lambda uow: writing.intend_rest(uow, waited, now)))
        else:
            reason = f"{waited.reason}, and the price has run away"
            await self._line.store.transact(lambda uow: uow.orders.give_up(waited.id, reason))

    async def send(self, order: Order) -> None:
        """Send one written-down order, and take in what comes of it at once."""
        async with self._in_turn():
            await self._send(order)
            await self._sync_venue_events()

    async def sync_venue_events(self) -> None:
        """Take in what the venue did since the last time, and protect every position it concerns."""
        async with self._in_turn():
            await self._sync_venue_events()

    async def restore_protection(self) -> None:
        """See that every open position has its stop and target at the venue."""
        async with self._in_turn():
            await self._sync_venue_events(await self._line.store.read(self._in_need))

    async def cancel_order(self, order: Order, why: str) -> None:
        """Cancel an order; one that was written down and not sent is never sent.

        Whether it was sent only the venue knows: its answer may not have been written down.
        """
        async with self._in_turn():
            written = await self._line.store.read(lambda uow: uow.orders.get(order.id))
            if written.status.final:
                return
            state = await self._line.cancel(written, f"taken back {why}")
            if written.status is OrderStatus.INTENT and isinstance(state, NotFound):
                reason = f"not sent: taken back {why}"
                await self._line.withhold(order, reason)
            await self._sync_venue_events()

    async def sell(self, position_id: str, since: datetime | None = None) -> None:
        """Sell at market all that may be sold of a position, as ``ExecutionOrchestrator.sell`` says."""
        async with self._in_turn():
            await self._sync_venue_events()
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
            await self._send(order)
            await self._sync_venue_events()
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

    async def _send(self, order: Order) -> SubmitResult | None:
        """Send an order; a position whose sale is refused, or not sent after all, gets its protection back."""
        answer = await self._try(order)
        if not isinstance(answer, Ack | Unknown) and order.position_id:
            await self._protect(order.position_id)
        return answer

    async def _try(self, order: Order) -> SubmitResult | None:
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
        stopping = [found.halt for found in uow.halts.open() if found.halt.blocks(order.request.symbol, now)]
        return f"not sent: {stopping[0].reason}" if stopping else ""

    async def _try_sale(self, order: Order) -> SubmitResult | None:
        """Send a sale once nothing else of its position trades its coins; ``None`` where it is not sent after all.

        Its bracket gives way only where a sale can be had, as far as that can be known: what the venue would refuse
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
        """The rest of an entry would be held without a stop, a bracket would sell the same coins."""
        for other in await self._line.store.read(lambda uow: uow.orders.of_position(order.position_id)):
            if other.purpose in (Purpose.ENTRY, Purpose.PROTECTION) and not other.status.final:
                await self._line.cancel(other, "taken back to sell the position")

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

    async def _sync_venue_events(self, in_need: Iterable[str] = ()) -> None:
        """Take in what the venue did, and see to every position it concerns, until nothing more comes of it."""
        self._line.concerned |= dict.fromkeys(in_need)
        while True:
            while (batch := await self._line.new_events()).events:
                await self._line.store.transact(lambda uow: self._line.apply(uow, batch))
            if not self._line.concerned:
                return
            position_id = next(iter(self._line.concerned))
            del self._line.concerned[position_id]
            await self._protect(position_id)

    def _in_need(self, uow: UnitOfWork) -> list[str]:
        """The positions that need something at the venue, now or once a pause is over."""
        now = self._line.clock.now()
        selling = [order.position_id for order in self._line.unfinished(uow) if order.request.side is Side.SELL]
        held = [position.id for position in uow.positions.open() if position.venue == self._line.name]
        known = dict.fromkeys([*held, *(each for each in selling if each)])
        return [each for each in known if any(self._wanted(uow, each, now))]

    def _wanted(self, uow: UnitOfWork, position_id: str, now: datetime) -> tuple[tuple[Action, ...], datetime | None]:
        """What a position needs at the venue now, and until when that has to wait."""
        position, orders = _known(uow, position_id)
        return protect(position, orders, self._line.lot_of(position.symbol), now), protection_pause(position, orders)

    async def _protect(self, position_id: str) -> None:
        """One step towards one bracket for all of a position: what is cancelled is replaced once it is gone."""
        now = self._line.clock.now()
        wanted, pause = await self._line.store.read(lambda uow: self._wanted(uow, position_id, now))
        if pause is not None and pause > now:
            self._line.look_again_at(pause)
        for action in wanted:
            match action:
                case Cancel(order=order):
                    await self._cancel_misfit(order)
                case Protect() as needed:
                    await self._place(needed)

    async def _cancel_misfit(self, order: Order) -> None:
        state = await self._line.cancel(order, "taken back: it no longer fits the position")
        if isinstance(state, NotFound):
            if order.status.at_venue:
                await self._line.end(order, OrderStatus.CANCELLED, "taken back: the venue does not know it any more")
            else:
                await self._line.end(order, OrderStatus.REJECTED, "it never reached the venue", Unsent.LOST)
            await self._protect(order.position_id)

    async def _place(self, needed: Protect) -> None:
        position = needed.position
        if await self._is_for_another(position):
            return  # until people have looked; each candle asks again
        now = self._line.clock.now()
        order = await self._line.store.transact(
            lambda uow: writing.intend_bracket(uow, position, needed.number, needed.quantity, now)
        )
        answer = await self._line.submit(order)
        if isinstance(answer, Refused):
            await self._sell_unprotectable(needed, answer.reason)

    async def _is_for_another(self, position: Position) -> bool:
        """Whether a stop and target would be filled at once at the price of something else than what was bought."""
        try:
            price = (await self._line.market_data.book(position.symbol)).mid
        except VenueError:
            return False
        changed, marks = await self._line.store.read(
            lambda uow: (standing_change(uow, position.symbol), uow.account.marks())
        )
        if changed is not None:
            return not (position.stop or Decimal(0)) < price < (position.target or Decimal("Infinity"))
        return is_another(marks.get(position.symbol, position.entry_price), price, self._max_factor)

    async def _sell_unprotectable(self, needed: Protect, reason: str) -> None:
        """A position that cannot be protected is closed, and people are told.

        Where even that is refused the venue is not stormed: it is asked again after a pause that grows.
        """

        def work(uow: UnitOfWork) -> Order:
            now = self._line.clock.now()
            uow.emit(ProtectionFailed(at=now, position_id=needed.position.id, reason=reason))
            return writing.intend_emergency_exit(uow, needed.position, needed.number, needed.quantity, now)

        order = await self._line.store.transact(work)
        await self._try(order)
        self._line.look_again_soon()

    async def resolve_order(self, order: Order) -> None:
        """Ask the venue what became of an order whose answer was lost or never came; it is never sent again."""
        await self._doubts.resolve(order)

    async def resolve_unknown_orders(self) -> None:
        """Ask again for every order whose answer was lost, or that lies unsent because something failed on the way."""
        async with self._in_turn():
            now = self._line.clock.now()
            for order in await self._line.store.read(self._line.unfinished):
                left_over = order.status is OrderStatus.INTENT and now - order.created_at > SEND_WITHIN
                if order.status.in_doubt or order.status is OrderStatus.CANCELLING or left_over:
                    await self._doubts.resolve(order)


def withdrawn(uow: UnitOfWork, now: datetime) -> list[Order]:
    """The entries that wait at a limit while entries into their market are halted."""
    halts = [found.halt for found in uow.halts.open()]
    return [
        order
        for order in uow.orders.unfinished()
        if order.purpose is Purpose.ENTRY
        and order.wait_until is not None
        and order.status.at_venue
        and order.cancel_requested_at is None
        and any(halt.blocks(order.request.symbol, now) for halt in halts)
    ]


def _known(uow: UnitOfWork, position_id: str) -> tuple[Position, tuple[Order, ...]]:
    return uow.positions.get(position_id), uow.orders.of_position(position_id)
