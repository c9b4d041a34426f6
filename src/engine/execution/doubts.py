"""Orders whose fate is not known: the venue is asked for each by its client id, and nothing is sent twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.domain.errors import VenueError
from engine.domain.orders import Ack, NotFound, Order, OrderState, OrderStatus, Purpose, Unsent
from engine.execution import answers
from engine.execution.recorded_venue import RecordedVenue
from engine.store.unit_of_work import UnitOfWork

LATE_WITHIN = timedelta(seconds=10)
"""How long after a venue did not know an entry it may turn up there all the same: requests arrive late."""
LATE_SALE_WITHIN = timedelta(seconds=5)
"""The same for a sale, a stop among them, from when its answer was lost, where no more is known of its request.

So long a venue takes a request after the time that stands in it (Binance's ``recvWindow``, as it is usually sent); with
another one before that, both of them could sell. What is known of the very request is in ``NotFound.late_within``.
"""
FIRST_ASKED_AFTER = timedelta(seconds=1)
"""When it is asked for again for the first time; each time after that is twice as late."""
STRAY_WITHIN = timedelta(hours=24)
"""How long what was held never to have arrived is looked for all the same: it is over here, so it must not trade."""
_NEVER_ARRIVED = {
    Unsent.LOST: "it never reached the venue: its request was lost; it is not sent again",
    Unsent.STOPPED: "it never reached the venue: the bot stopped before it was sent; it is not sent again",
}


class Doubts:
    """Asks a venue what has become of orders."""

    def __init__(self, line: RecordedVenue) -> None:
        self._line = line
        self._missed_since: dict[str, datetime] = {}

    async def resolve(self, order: Order) -> None:
        """Ask the venue what became of an order whose answer was lost or never came; it is never sent again."""
        state = await self._line.exchange.find(order.request.symbol, order.request.client_id)
        if isinstance(state, NotFound) and (until := self._may_arrive_until(order, state)) > self._line.clock.now():
            await self._leave_in_doubt(order, min(until, self._asked_again_at(order)))
            return
        await self._line.store.transact(lambda uow: self._write_down(uow, order, state))
        self._missed_since.pop(order.id, None)
        if isinstance(state, NotFound):
            self._line.look_again_soon()  # its request may still arrive
        if order.position_id:
            self._line.concerned[order.position_id] = None

    async def resolve_at_once(self, order: Order) -> None:
        """Ask what became of an order whose answer has just been lost: what it may have bought has no stop yet.

        Where the venue does not answer that either, it is asked again soon.
        """
        written = await self._line.store.read(lambda uow: uow.orders.get(order.id))
        try:
            await self.resolve(written)
        except VenueError as error:
            self._line.look_again_after(error)

    async def cancel_strays(self) -> None:
        """Cancel what has arrived at the venue after all, when it was over here: nothing here would look after it."""
        since = self._line.clock.now() - STRAY_WITHIN
        lost = await self._line.store.read(lambda uow: uow.orders.lost_since(self._line.name, since))
        if not lost:
            return
        there = {state.client_id for state in await self._line.exchange.open_orders()}
        for order in lost:
            if order.request.client_id in there:
                await self._line.cancel(order, "cancelled: it arrived when it was held to be lost")

    def _write_down(self, uow: UnitOfWork, order: Order, state: OrderState | NotFound) -> None:
        at = self._line.clock.now()
        if isinstance(state, OrderState):
            found = Ack(client_id=state.client_id, venue_order_id=state.venue_order_id, at=at)
            answers.record(uow, order, found, at)
        elif order.status is OrderStatus.CANCELLING:
            reason = "cancelled: the venue does not know it any more"
            answers.mark(uow, order, OrderStatus.CANCELLED, at, reason=reason)
        else:
            unsent = Unsent.LOST if order.status.in_doubt else Unsent.STOPPED
            answers.mark(uow, order, OrderStatus.REJECTED, at, reason=_NEVER_ARRIVED[unsent], unsent=unsent)
            answers.watch_refusals(uow, order, at)

    async def _leave_in_doubt(self, order: Order, again_at: datetime) -> None:
        self._line.look_again_at(again_at)
        if order.status is not OrderStatus.UNKNOWN:
            await self._line.end(order, OrderStatus.UNKNOWN, "the venue does not know it, and is asked again")

    def _asked_again_at(self, order: Order) -> datetime:
        """When an order is asked for again: soon, and less and less often, for what is late has mostly come by then."""
        now = self._line.clock.now()
        return now + max(now - self._missed_since[order.id], FIRST_ASKED_AFTER)

    def _may_arrive_until(self, order: Order, missing: NotFound) -> datetime:
        """Until when an order that the venue does not know may be on its way there."""
        missed_since = self._missed_since.setdefault(order.id, self._line.clock.now())
        if order.purpose is Purpose.ENTRY:
            return missed_since + LATE_WITHIN
        if order.status in (OrderStatus.INTENT, OrderStatus.CANCELLING):
            return missed_since  # it was never handed over, or was at the venue
        at_most = order.updated_at + LATE_SALE_WITHIN
        return at_most if missing.late_within is None else min(at_most, self._line.clock.now() + missing.late_within)
