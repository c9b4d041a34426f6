"""Venues and their open orders: what is in the books, laid beside what each venue says when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.domain.errors import VenueError
from engine.domain.halts import Halt
from engine.domain.orders import Order, OrderState
from engine.domain.results import AtWork
from engine.domain.venue_views import OrderView, VenueFacts, VenueOrders, VenueView
from engine.ports import Clock, Exchange, NoEntry, nothing_against_it
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

PATIENCE = 5.0
"""Wall seconds that a venue has to list its orders while somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueReports:
    """Tells how venues are, and what is open at them.

    Attributes:
        exchanges: The venues, by name.
        facts: Tells of each what the way to it knows.
        at_work: The contexts, by whose venues something may be entered.
        no_entry: Tells for a context why nothing may be entered.
        patience: Wall seconds that a venue has to answer.
    """

    store: Database
    exchanges: Mapping[str, Exchange]
    facts: Callable[[str], VenueFacts]
    at_work: Sequence[AtWork]
    clock: Clock
    no_entry: NoEntry = nothing_against_it
    patience: float = PATIENCE

    async def orders(self) -> tuple[VenueOrders, ...]:
        """What is open at each venue; one that does not answer is told of from the books alone."""
        own, followed = await self.store.read(lambda uow: (uow.orders.unfinished(), uow.orders.followed()))
        found = await asyncio.gather(*(self._orders_at(venue, own) for venue in self.exchanges))
        return tuple(
            replace(each, following=tuple(order for order in followed if order.request.venue == each.venue))
            for each in found
        )

    async def order(self, order_id: str) -> OrderView:
        """One order.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: _order(uow, order_id))

    async def venues(self) -> tuple[VenueView, ...]:
        """How each venue is: it is asked for its orders, which shows whether it answers."""
        found = await self.orders()
        return await self.store.read(lambda uow: tuple(self._venue(uow, each) for each in found))

    async def _orders_at(self, venue: str, unfinished: Sequence[Order]) -> VenueOrders:
        own = tuple(order for order in unfinished if order.request.venue == venue)
        try:
            async with asyncio.timeout(self.patience):
                there = await self.exchanges[venue].open_orders()
        except TimeoutError:
            return VenueOrders(venue=venue, own=own, trouble=f"it did not answer within {self.patience:g} s")
        except VenueError as error:
            return VenueOrders(venue=venue, own=own, trouble=str(error))
        known = {state.client_id for state in there}
        missing = frozenset(each.id for each in own if each.status.at_venue and each.request.client_id not in known)
        return VenueOrders(venue=venue, own=own, others=_others(there, own), missing=missing)

    def _venue(self, uow: UnitOfWork, orders: VenueOrders) -> VenueView:
        standing, now = [found.halt for found in uow.halts.open()], self.clock.now()
        return VenueView(
            orders=orders,
            facts=self.facts(orders.venue),
            last_at=uow.orders.last_change(orders.venue),
            obstacles=tuple(dict.fromkeys(self._obstacles(orders.venue, standing, now))),
        )

    def _obstacles(self, venue: str, standing: Sequence[Halt], now: datetime) -> list[str]:
        halts = [each.reason for each in standing if each.venue in ("", venue) and (not each.until or now < each.until)]
        own = [each for each in self.at_work if venue in (each.venue, *each.others)]
        reasons = [self.no_entry(each.name) for each in own]
        return [reason for reason in (*halts, *reasons) if reason]


def _others(there: Sequence[OrderState], own: Sequence[Order]) -> tuple[OrderState, ...]:
    """What is open there and not in the books as such."""
    ids = {order.request.client_id for order in own}
    return tuple(state for state in there if state.client_id not in ids)


def _order(uow: UnitOfWork, order_id: str) -> OrderView:
    order = uow.orders.get(order_id)
    position_id = uow.orders.position_of(order_id)
    held = uow.positions.get(position_id) if position_id else None
    return OrderView(
        order=order,
        fills=uow.orders.fills_of(order_id),
        at=uow.ledger.told_apart(order.request.venue),
        venue_order_id=order.venue_order_id,
        stop=held.stop if held else order.stop,
        target=held.target if held else order.target,
        quotes=uow.decisions.get(order.decision_id).quotes if order.decision_id else (),
    )
