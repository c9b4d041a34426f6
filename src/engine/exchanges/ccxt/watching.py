"""What a venue does not hold, or holds by half: the bot watches the price, and sells at market.

A venue that holds a stop has it, and the target is watched here; at one that holds none both are, and so are a stop, a
target or a trailing stop by themselves that it does not hold. What is sold goes under the client id of the leg, so that
a restart sees by the venue's own orders how far it was. Where the stop that stood there is gone and nothing was sold,
the stop and target has ended, and who sees that places it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

import structlog

from engine.domain.errors import NoData, VenueError
from engine.domain.market import Candles, Timeframe, to_millis
from engine.domain.orders import NotFound, Order, OrderRequest, OrderType
from engine.exchanges.ccxt import legs
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.budget import asking
from engine.exchanges.ccxt.habits import placement
from engine.exchanges.ccxt.lookup import Lookup
from engine.exchanges.ccxt.noes import Duplicate, Missing, Rejected
from engine.exchanges.ccxt.turns import Urgency
from engine.ports import Clock, MarketData

LATE_WITHIN = 10.0
"""Wall seconds for which a sale is not sent again: the first may arrive late."""
_MOST_CANDLES = 500
"""How many candles are read for the best price since a trailing stop was written down."""

_log = structlog.get_logger(__name__)


class Watching:
    """Looks at the price of what the venue does not hold whole."""

    def __init__(self, *, account: VenueAccount, lookup: Lookup, market_data: MarketData, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._doubts: dict[str, float] = {}
        self._best: dict[str, Decimal] = {}
        """The best bid since a trailing stop was written down, by client id."""
        self._lookup = lookup
        self._market_data = market_data

    async def look(self, under_way: Sequence[Order]) -> None:
        """Sell what has come to its price; one that fails is looked at again the next time, and holds no other up."""
        ids = {order.request.client_id for order in under_way}
        self._doubts = {client_id: until for client_id, until in self._doubts.items() if client_id in ids}
        self._best = {client_id: price for client_id, price in self._best.items() if client_id in ids}
        for order in under_way:
            if self._is_looked_at(order.request):
                try:
                    with asking(Urgency.NEWS):
                        await self._look_at(order)
                except VenueError as error:
                    _log.warning("what is watched is looked at again", order=order.request.client_id, detail=str(error))

    def _is_looked_at(self, request: OrderRequest) -> bool:
        """Whether the venue holds less than all of an order that is still wanted."""
        by_half = request.type is OrderType.OCO and self._account.habits.holds_stops_alone
        return (by_half or self._lookup.is_watched(request)) and not self._lookup.is_dropped(request.client_id)

    async def _look_at(self, order: Order) -> None:
        request = order.request
        if self._doubts.get(request.client_id, 0.0) > self._clock.monotonic():
            return
        leg = await self._reached(order)
        if not leg or (leg == legs.STOP and not self._lookup.is_watched(request)):
            return
        left = await self._left(request)
        if left > 0:
            await self._sell(request, legs.sale_of(request, leg, left))

    async def _reached(self, order: Order) -> str:
        """Which price of an order the market has come to; empty for neither."""
        request = order.request
        try:
            bid = (await self._market_data.book(request.symbol)).bids[0].price
        except NoData:
            return ""
        stop, target = request.trigger_price, request.limit_price
        if request.type is OrderType.TRAILING_STOP:
            stop, target = await self._best_bid(order, bid) - (request.trailing or Decimal(0)), None
        elif request.type is OrderType.TAKE_PROFIT:
            stop, target = None, request.trigger_price
        if stop is not None and bid <= stop:
            return legs.STOP
        return legs.TARGET if target is not None and bid >= target else ""

    async def _best_bid(self, order: Order, bid: Decimal) -> Decimal:
        """The best price since a trailing stop was written down; what this run has not seen is read off candles."""
        client_id = order.request.client_id
        known = self._best.get(client_id)
        if known is None:
            known = await self._highest_since(order)
        self._best[client_id] = max(known, bid)
        return self._best[client_id]

    async def _highest_since(self, order: Order) -> Decimal:
        """The highest price of whole candles since an order was written down, of the shortest that are known."""
        for timeframe in Timeframe:
            with suppress(NoData):
                found = await self._market_data.candles(order.request.symbol, timeframe, _MOST_CANDLES)
                return _highest(found, to_millis(order.created_at))
        return Decimal(0)

    async def _left(self, request: OrderRequest) -> Decimal:
        """What is still to be sold, once nothing of it stands at the venue any more; 0 where that is not so."""
        is_watched = self._lookup.is_watched(request)
        if not is_watched:
            stop = legs.leg_id(request.client_id, legs.STOP)
            with suppress(Missing):  # it is gone: filled, cancelled or never there
                await self._account.cancel(request.symbol, stop, await self._lookup.venue_id(request.symbol, stop))
        found = await self._lookup.find(request.symbol, request.client_id, fills=False)
        if isinstance(found, NotFound):
            return Decimal(0)
        stands = not is_watched and not found.status.final
        is_sold = found.closed_by == legs.TARGET or (is_watched and found.filled)
        return Decimal(0) if stands or is_sold else request.quantity - found.filled

    async def _sell(self, request: OrderRequest, sale: OrderRequest) -> None:
        """Sell once. Where nobody knows what has become of it, it may still arrive: it is not asked for at once."""
        market = self._account.markets[sale.symbol].market
        self._doubts[request.client_id] = self._clock.monotonic() + LATE_WITHIN
        self._lookup.touch(request.client_id)
        try:
            await self._account.place(placement(sale, self._account.habits, Decimal(0), market.tick), market)
        except (Duplicate, Rejected) as error:
            _log.warning("what was watched was not sold", order=request.client_id, detail=str(error))


def _highest(candles: Candles, since_ms: int) -> Decimal:
    """The highest price of the candles that began at or after a time; 0 where there are none."""
    highs = [float(high) for opened, high in zip(candles.open_ms, candles.high, strict=True) if opened >= since_ms]
    return Decimal(repr(max(highs, default=0.0)))
