"""Orders to their venues, and what came of them: each venue by itself, so that a slow one holds up only itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal

from engine.domain.errors import VenueError
from engine.domain.orders import Order
from engine.execution import opening
from engine.execution.answering import Answering
from engine.execution.patience import withdrawn
from engine.execution.venue_execution import VenueExecution
from engine.ports import Clock, Exchange, MarketDataAt
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork


class ExecutionOrchestrator:
    """Everything that talks to venues about orders, one thing at a time at each; at all of them where none is named.

    An order is written down and committed before it comes here; what its venue answers is written down after. A crash
    in between leaves an order whose fate is asked for at the next start, by its client id (``execution.reconcile``).

    Args:
        venues: By name.
        market_data: Of each of them.
        max_factor: From this factor on a price is that of something else than what was marked last.

    Attributes:
        answering: Whether each venue answers what it is asked.
    """

    def __init__(
        self,
        *,
        store: Database,
        venues: Mapping[str, Exchange],
        market_data: MarketDataAt,
        clock: Clock,
        max_factor: Decimal = Decimal(500),
    ) -> None:
        self._store = store
        self._clock = clock
        self.answering = {name: Answering(exchange) for name, exchange in venues.items()}
        self._venues = {
            name: VenueExecution(
                store=store, exchange=exchange, market_data=market_data[name], clock=clock, max_factor=max_factor
            )
            for name, exchange in self.answering.items()
        }

    @property
    def venues(self) -> tuple[str, ...]:
        """The names of the venues."""
        return tuple(self._venues)

    async def adopt_rest(self, at: datetime, venue: str = "") -> None:
        """Take over what the accounts had before their books were opened, and had no price then.

        Mostly there is nothing, at every close: that costs no commit.
        """
        names = list(self._named(venue))

        def work(uow: UnitOfWork) -> None:
            for each in names:
                opening.adopt_rest(uow, each, at)

        if await self._store.read(lambda uow: any(opening.rest(uow, each) for each in names)):
            await self._store.transact(work)

    async def next_look(self, venue: str = "") -> datetime | None:
        """When something that was left half done is to be looked at again; ``None`` where nothing was."""
        looks = [self._venues[each].again_at for each in self._named(venue)]
        return min((at for at in looks if at is not None), default=None)

    async def look_again(self, venue: str = "") -> None:
        """Settle what is in doubt and see that everything held is protected, after a fault."""
        await self._at_each(VenueExecution.look_again, venue)

    async def patience_ends(self, venue: str = "") -> datetime | None:
        """When the next entry has waited long enough at its limit, or must not wait; ``None`` where none waits."""
        return await self._store.read(lambda uow: self._patience_ends(uow, frozenset(self._named(venue))))

    def _patience_ends(self, uow: UnitOfWork, venues: frozenset[str]) -> datetime | None:
        now = self._clock.now()
        if any(order.request.venue in venues for order in (*withdrawn(uow, now), *uow.orders.impatient(now))):
            return now
        waiting = [order.wait_until for order in uow.orders.unfinished() if order.request.venue in venues]
        return min((until for until in waiting if until is not None), default=None)

    async def end_patience(self, venue: str = "") -> None:
        """Take back entries that have waited long enough, and buy the rest at market where that was planned."""
        await self._at_each(VenueExecution.end_patience, venue)

    async def send(self, order: Order) -> None:
        """Send one written-down order, and take in what comes of it at once."""
        await self._at(order.request.venue).send(order)

    async def sync_venue_events(self, venue: str = "") -> None:
        """Take in what the venues did since the last time, and protect every position it concerns."""
        await self._at_each(VenueExecution.sync_venue_events, venue)

    async def restore_protection(self, venue: str = "") -> None:
        """See that every open position has its stop and target at its venue."""
        await self._at_each(VenueExecution.restore_protection, venue)

    async def resolve_unknown_orders(self, venue: str = "") -> None:
        """Ask again for every order whose answer was lost, or that lies unsent because something failed on the way."""
        await self._at_each(VenueExecution.resolve_unknown_orders, venue)

    async def cancel_strays(self, venue: str = "") -> None:
        """Cancel what has arrived at its venue after all, when it was held to be lost."""
        await self._at_each(VenueExecution.cancel_strays, venue)

    async def is_at_rest(self, venue: str) -> bool:
        """Whether nothing has to be done before something happens at a venue: all that is held there is protected."""
        return await self._at(venue).is_at_rest()

    async def resolve_order(self, order: Order) -> None:
        """Ask its venue what became of an order whose answer was lost or never came; it is never sent again."""
        await self._at(order.request.venue).resolve_order(order)

    async def cancel_order(self, order: Order, why: str) -> None:
        """Cancel an order; one that was written down and not sent is never sent."""
        await self._at(order.request.venue).cancel_order(order, why)

    async def sell(self, position_id: str, since: datetime | None = None) -> None:
        """Sell at market all that may be sold of a position; nothing where all of it is being sold already.

        Its stop and target stay until a sale can be had, as far as that can be known. A sale that comes to nothing all
        the same has taken them back for nothing, so the next one waits, longer each time (``retries``).

        Args:
            position_id: What to sell.
            since: When somebody called for it: it does not wait for what failed before.

        Raises:
            NoData: Nobody buys it now; nothing was written down, and it is protected as before.
            SaleRefused: The venue would refuse it, or has done so; it is protected as before, or again.
            VenueError: The venue does not answer.
        """
        held = await self._store.read(lambda uow: uow.positions.get(position_id))
        await self._at(held.venue).sell(position_id, since)

    def _at(self, venue: str) -> VenueExecution:
        if venue not in self._venues:
            raise VenueError(
                f"The venue {venue} is not at work here.", f"This program trades at {', '.join(self._venues)}."
            )
        return self._venues[venue]

    def _named(self, venue: str) -> tuple[str, ...]:
        """The venue with a name; all of them where none is named."""
        return (venue,) if venue else tuple(self._venues)

    async def _at_each(self, act: Callable[[VenueExecution], Awaitable[None]], venue: str) -> None:
        """Do something at a venue, or at every one, side by side.

        Raises:
            GreenlightError: It failed at one of them; it was done at the others all the same.
        """
        first, *others = map(self._at, self._named(venue))
        if not others:
            await act(first)
            return
        results = await asyncio.gather(*map(act, (first, *others)), return_exceptions=True)
        for failed in results:
            if isinstance(failed, BaseException):
                raise failed
