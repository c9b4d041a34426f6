"""Stops and targets that a venue does not hold, or holds by half: the bot watches the price, and sells at market.

A venue that holds a stop has it, and the target is watched here; at one that holds none both are. What is sold goes
under the client id of the leg, so that a restart sees by the venue's own orders how far it was. Where the stop that
stood there is gone and nothing was sold, the stop and target has ended, and who sees that places it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

import structlog

from engine.domain.errors import NoData, VenueError
from engine.domain.orders import NotFound, OrderRequest, OrderType
from engine.exchanges.ccxt import legs
from engine.exchanges.ccxt.account import Duplicate, Missing, Rejected, VenueAccount
from engine.exchanges.ccxt.budget import asking
from engine.exchanges.ccxt.habits import placement
from engine.exchanges.ccxt.lookup import Lookup
from engine.exchanges.ccxt.turns import Urgency
from engine.ports import Clock, MarketData

LATE_WITHIN = 10.0
"""Wall seconds for which a sale is not sent again: the first may arrive late."""

_log = structlog.get_logger(__name__)


class Watching:
    """Looks at the price of what the venue does not hold whole."""

    def __init__(self, *, account: VenueAccount, lookup: Lookup, market_data: MarketData, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._doubts: dict[str, float] = {}
        self._lookup = lookup
        self._market_data = market_data

    async def look(self, under_way: Sequence[OrderRequest]) -> None:
        """Sell what has come to its price; one that fails is looked at again the next time, and holds no other up."""
        if self._account.habits.holds_both:
            return
        ids = {request.client_id for request in under_way}
        self._doubts = {client_id: until for client_id, until in self._doubts.items() if client_id in ids}
        for request in under_way:
            if request.type is OrderType.OCO and not self._lookup.is_dropped(request.client_id):
                try:
                    with asking(Urgency.NEWS):
                        await self._look_at(request)
                except VenueError as error:
                    _log.warning(
                        "a watched stop and target is looked at again", order=request.client_id, detail=str(error)
                    )

    async def _look_at(self, request: OrderRequest) -> None:
        if self._doubts.get(request.client_id, 0.0) > self._clock.monotonic():
            return
        leg = await self._reached(request)
        if not leg or (leg == legs.STOP and self._account.habits.holds_stops):
            return
        left = await self._left(request)
        if left > 0:
            await self._sell(request, legs.sale_of(request, leg, left))

    async def _reached(self, request: OrderRequest) -> str:
        """Which price of a stop and target the market has come to; empty for neither."""
        try:
            bid = (await self._market_data.book(request.symbol)).bids[0].price
        except NoData:
            return ""
        if request.trigger_price is not None and bid <= request.trigger_price:
            return legs.STOP
        return legs.TARGET if request.limit_price is not None and bid >= request.limit_price else ""

    async def _left(self, request: OrderRequest) -> Decimal:
        """What is still to be sold, once nothing of it stands at the venue any more; 0 where that is not so."""
        if self._account.habits.holds_stops:
            stop = legs.leg_id(request.client_id, legs.STOP)
            with suppress(Missing):  # it is gone: filled, cancelled or never there
                await self._account.cancel(request.symbol, stop, await self._lookup.venue_id(request.symbol, stop))
        found = await self._lookup.find(request.symbol, request.client_id, fills=False)
        if isinstance(found, NotFound):
            return Decimal(0)
        stands = self._account.habits.holds_stops and not found.status.final
        is_sold = found.closed_by == legs.TARGET or (not self._account.habits.holds_stops and found.filled)
        return Decimal(0) if stands or is_sold else request.quantity - found.filled

    async def _sell(self, request: OrderRequest, sale: OrderRequest) -> None:
        """Sell once. Where nobody knows what has become of it, it may still arrive: it is not asked for at once."""
        market = self._account.markets[sale.symbol].market
        self._doubts[request.client_id] = self._clock.monotonic() + LATE_WITHIN
        self._lookup.touch(request.client_id)
        try:
            await self._account.place(placement(sale, self._account.habits, Decimal(0), market.tick), market)
        except (Duplicate, Rejected) as error:
            _log.warning("a watched stop and target was not sold", order=request.client_id, detail=str(error))
