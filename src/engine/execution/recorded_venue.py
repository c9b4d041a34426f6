"""The line to one venue: each thing that is said along it is written down before, and what comes back after.

Whoever uses it has it alone meanwhile (``execution.venue_execution``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.errors import NoData, VenueError
from engine.domain.orders import NotFound, Order, OrderState, OrderStatus, SubmitResult, Unsent
from engine.execution import answers
from engine.execution.venue_events import apply_venue_events
from engine.ports import Clock, EventBatch, Exchange, MarketData
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

AGAIN_AFTER = timedelta(seconds=10)
"""When what a fault left half done is looked at again."""
FIRST_AGAIN_AFTER = timedelta(seconds=0.5)
"""When a venue that did not answer is asked again for the first time; each time after that is twice as late."""


class RecordedVenue:
    """Calls to one venue, each written down before it is sent and after it is answered.

    Attributes:
        name: The venue's.
        concerned: The positions that something happened to, and that have not been seen to since.
        again_at: When something that was left half done is to be looked at again; ``None`` where nothing was.
    """

    def __init__(self, *, store: Database, exchange: Exchange, market_data: MarketData, clock: Clock) -> None:
        self.store = store
        self.exchange = exchange
        self.market_data = market_data
        self.clock = clock
        self.name = exchange.name
        self.concerned: dict[str, None] = {}
        self.again_at: datetime | None = None
        self._unanswered = 0

    def look_again_soon(self) -> None:
        """Let what was left half done be looked at again in a moment."""
        self.look_again_at(self.clock.now() + AGAIN_AFTER)

    def look_again_at(self, at: datetime) -> None:
        """Let what was left half done be looked at again at a time, or sooner."""
        self.again_at = at if self.again_at is None else min(self.again_at, at)

    def look_again_after(self, error: VenueError) -> None:
        """Let a venue that did not answer be asked again: in a moment, or once it no longer wants to be left alone."""
        now = self.clock.now()
        if error.retry_after:
            self.again_at = now + timedelta(seconds=error.retry_after)  # sooner nothing is sent
            return
        self.look_again_at(now + min(FIRST_AGAIN_AFTER * (1 << min(self._unanswered, 16)), AGAIN_AFTER))
        self._unanswered += 1

    def answered(self) -> None:
        """Note that the venue answers all that it is asked."""
        self._unanswered = 0

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        """Why there is no sale to be had, as far as that can be known before anything is cancelled for it.

        Raises:
            NoData: Nobody buys it now.
            VenueError: The venue does not answer.
        """
        await self.market_data.book(symbol)
        return await self.exchange.why_unsellable(symbol, quantity)

    async def submit(self, order: Order) -> SubmitResult:
        """Hand an order to the venue, once it is on the disk that this is about to happen."""
        await self.mark(order, OrderStatus.SENT)
        await self.store.flush()
        answer = await self.exchange.submit(order.request)
        await self.record(order, answer)
        return answer

    async def cancel(self, order: Order, reason: str) -> OrderState | NotFound:
        """Take an order back. That it is our wish is written down first, or it would be taken for somebody else's."""
        now = self.clock.now()
        await self.store.transact(lambda uow: uow.orders.request_cancel(order.id, reason, now))
        await self.store.flush()
        return await self.exchange.cancel(order.request.symbol, order.request.client_id)

    async def record(self, order: Order, answer: SubmitResult) -> SubmitResult:
        """Write down what the venue answered to an order."""
        now = self.clock.now()
        await self.store.transact(lambda uow: answers.record(uow, order, answer, now))
        return answer

    async def mark(self, order: Order, status: OrderStatus) -> None:
        """Write down where an order is in its life; nobody is told of it."""
        now = self.clock.now()
        await self.store.transact(lambda uow: uow.orders.mark(order.id, status, now))

    async def end(self, order: Order, status: OrderStatus, reason: str, unsent: Unsent = Unsent.NO) -> None:
        """Write down that an order is over, or in doubt, and why, and tell of it."""
        now = self.clock.now()
        await self.store.transact(lambda uow: answers.mark(uow, order, status, now, reason=reason, unsent=unsent))

    async def withhold(self, order: Order, reason: str) -> None:
        """Write down that an order is not sent after all."""
        await self.end(order, OrderStatus.REJECTED, reason, Unsent.WITHHELD)

    async def new_events(self) -> EventBatch:
        """What the venue did since the last time."""
        cursor = await self.store.read(lambda uow: uow.ledger.cursor(self.name))
        return await self.exchange.events(cursor)

    def apply(self, uow: UnitOfWork, batch: EventBatch) -> None:
        """Apply what the venue did, and note which positions it concerns."""
        self.concerned |= dict.fromkeys(apply_venue_events(uow, self.name, batch, self.lot_of))

    def lot_of(self, symbol: str) -> Decimal:
        """The smallest step of a quantity; 0 of a market that is not known."""
        try:
            return self.market_data.market(symbol).lot
        except NoData:
            return Decimal(0)

    def unfinished(self, uow: UnitOfWork) -> list[Order]:
        """The orders of this venue that are not final."""
        return [order for order in uow.orders.unfinished() if order.request.venue == self.name]
