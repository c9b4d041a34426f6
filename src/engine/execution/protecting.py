"""Seeing to it that what is held at a venue has its one stop and target, whatever happens there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial

from engine.domain.errors import VenueError
from engine.domain.events import ProtectionFailed
from engine.domain.orders import Ack, NotFound, Order, OrderStatus, Refused, Side, SubmitResult, Unknown, Unsent
from engine.domain.positions import Position
from engine.execution import orders as writing
from engine.execution.doubts import Doubts
from engine.execution.protection import Action, Cancel, Protect, protection_pause, protection_steps
from engine.execution.recorded_venue import RecordedVenue
from engine.execution.sending import Sending
from engine.inputs.data_halts import standing_change
from engine.simulation.path import is_another
from engine.store.unit_of_work import UnitOfWork


class Protecting:
    """Takes in what the venue did, and protects every position that it concerns.

    Args:
        max_factor: A price so many times the last mark, or that part of it, is taken for that of another asset.
    """

    def __init__(self, line: RecordedVenue, sending: Sending, doubts: Doubts, max_factor: Decimal) -> None:
        self._line = line
        self._sending = sending
        self._doubts = doubts
        self._max_factor = max_factor

    async def send(self, order: Order) -> SubmitResult | None:
        """Send an order; a position whose sale is refused, or not sent after all, gets its protection back."""
        answer = await self._sending.attempt(order)
        if isinstance(answer, Unknown):
            await self._doubts.resolve_at_once(order)
        if not isinstance(answer, Ack | Unknown) and order.position_id:
            await self.protect(order.position_id)
        return answer

    async def sync_venue_events(self, in_need: Iterable[str] = ()) -> None:
        """Take in what the venue did, and see to every position it concerns, until nothing more comes of it."""
        self._line.concerned |= dict.fromkeys(in_need)
        while True:
            batch = await self._line.new_events()
            if batch.events:
                await self._line.store.transact(partial(self._line.apply, batch=batch))
            if self._line.concerned:
                position_id = next(iter(self._line.concerned))
                del self._line.concerned[position_id]
                await self.protect(position_id)
            elif not batch.events:
                return

    def in_need(self, uow: UnitOfWork) -> list[str]:
        """The positions that need something at the venue, now or once a pause is over."""
        now = self._line.clock.now()
        selling = [order.position_id for order in self._line.unfinished(uow) if order.request.side is Side.SELL]
        held = [position.id for position in uow.positions.open() if position.venue == self._line.name]
        known = dict.fromkeys([*held, *(each for each in selling if each)])
        return [each for each in known if any(self._wanted(uow, each, now))]

    def _wanted(self, uow: UnitOfWork, position_id: str, now: datetime) -> tuple[tuple[Action, ...], datetime | None]:
        """What a position needs at the venue now, and until when that has to wait."""
        position, orders = uow.positions.get(position_id), uow.orders.of_position(position_id)
        return protection_steps(position, orders, self._line.lot_of(position.symbol), now), protection_pause(
            position, orders
        )

    async def protect(self, position_id: str) -> None:
        """One step towards one OCO for all of a position: what is cancelled is replaced once it is gone."""
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
        state = await self._line.cancel(order, "cancelled: it no longer fits the position")
        if isinstance(state, NotFound):
            if order.status.at_venue:
                await self._line.end(order, OrderStatus.CANCELLED, "cancelled: the venue does not know it any more")
            else:
                await self._line.end(order, OrderStatus.REJECTED, "it never reached the venue", Unsent.LOST)
                self._line.look_again_soon()  # its request may still arrive
            await self.protect(order.position_id)

    async def _place(self, needed: Protect) -> None:
        position = needed.position
        if await self._is_for_another(position):
            return  # until people have looked; each candle asks again
        now = self._line.clock.now()
        order = await self._line.store.transact(
            lambda uow: writing.intend_oco(uow, position, needed.number, needed.quantity, now)
        )
        answer = await self._line.submit(order)
        if isinstance(answer, Refused):
            await self._sell_unprotectable(needed, answer.reason)
        elif isinstance(answer, Unknown):
            await self._doubts.resolve_at_once(order)

    async def _is_for_another(self, position: Position) -> bool:
        """Whether a stop and target would be filled at once at the price of something else than what was bought."""
        try:
            price = (await self._line.market_data.book(position.symbol)).mid
        except VenueError:
            return False
        changed, marks = await self._line.store.read(
            lambda uow: (standing_change(uow, position.listing), uow.account.marks())
        )
        if changed is not None:
            return not (position.stop or Decimal(0)) < price < (position.target or Decimal("Infinity"))
        return is_another(marks.get(position.listing, position.entry_price), price, self._max_factor)

    async def _sell_unprotectable(self, needed: Protect, reason: str) -> None:
        """A position that cannot be protected is closed, and people are told.

        Where even that is refused the venue is not stormed: it is asked again after a pause that grows.
        """

        def work(uow: UnitOfWork) -> Order:
            now = self._line.clock.now()
            uow.emit(ProtectionFailed(at=now, position_id=needed.position.id, reason=reason))
            return writing.intend_emergency_exit(uow, needed.position, needed.number, needed.quantity, now)

        order = await self._line.store.transact(work)
        if isinstance(await self._sending.attempt(order), Unknown):
            await self._doubts.resolve_at_once(order)
        self._line.look_again_soon()
