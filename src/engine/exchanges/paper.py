"""The paper venue: a venue of its own, simulated along a feed's price path, in its own file.

It keeps orders, fills and balances in one SQLite file (the tables: ``paper_file``) on its own connection, so that a
crash of the bot leaves it standing and an auditor can read it. Every call first takes each market as far towards the
clock's time as it is known, so that orders that wait meet the market in between (``paper_happenings``), and are filled
there (``paper_matching``); no market waits for another. What it refuses, it refuses at once, with the reason
(``requests``, ``paper_rules``). With a latency an order that it has taken is under way for a while, and meets the
market from then on alone. What it does follows from the feed and the calls alone: no random ids, no wall
clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from engine.domain.errors import NoData, VenueError
from engine.domain.figures import grouped
from engine.domain.market import Book, Candles, Market, Timeframe
from engine.domain.orders import (
    Ack,
    NotFound,
    OrderRequest,
    OrderState,
    OrderType,
    Refused,
    Side,
    SubmitResult,
    Unknown,
)
from engine.exchanges.paper_client import Client, PromptClient
from engine.exchanges.paper_file import VenueFile
from engine.exchanges.paper_happenings import Happening, time_of
from engine.exchanges.paper_matching import Matching
from engine.exchanges.paper_quote import Quote
from engine.exchanges.paper_rows import VenueOrder
from engine.exchanges.paper_rules import Rules
from engine.exchanges.requests import malformed
from engine.ports import Clock, Cursor, EventBatch, MarketFeed
from engine.simulation.fills import FillModel
from engine.simulation.latency import AT_ONCE, Latency

NAME = "paper"
"""What the venue is called where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Some markets, each up to a moment, with the orders that are taken along and what happens to them.

    Attributes:
        arriving: The orders that arrive at the end of the way of their market.
    """

    until: Mapping[str, datetime]
    orders: Sequence[VenueOrder] = ()
    happenings: Sequence[Happening] = ()
    arriving: Sequence[VenueOrder] = ()

    @property
    def writes(self) -> bool:
        """Whether anything happens on it."""
        return bool(self.happenings or self.arriving)


class PaperExchange:
    """The port ``Exchange`` without a venue behind it.

    Args:
        name: What it is called, among several.
        file: The venue's own file; made where it does not exist.
        feed: What the market does.
        clock: How far the venue has to follow it.
        model: What trading costs.
        balances: What the account owns when the file is new; an existing file goes on with what it has.
        client: What it holds back is written before anything here is: a crash between the two finds an intent without
            its order, never an order without its intent.
        latency: How long an order is under way; what cancels one is there at once. For a feed that has all of its
            market.

    Raises:
        StoreError: The file cannot be opened, is damaged, or is something else.
    """

    def __init__(
        self,
        *,
        name: str = NAME,
        file: Path,
        feed: MarketFeed,
        clock: Clock,
        model: FillModel,
        balances: Mapping[str, Decimal],
        client: Client | None = None,
        latency: Latency = AT_ONCE,
    ) -> None:
        self.name = name
        self._file = VenueFile(file, name, balances)
        self._feed = feed
        self._clock = clock
        self._model = model
        self._client = client or PromptClient()
        self._latency = latency
        self._matching = Matching(self._file, feed, model)
        self._rules = Rules(self._file, self._matching, model)
        known = {*feed.markets, *(order.request.symbol for order in self._file.open_orders())}
        self._advanced = self._file.advanced(sorted(known))
        self._written = dict(self._advanced)
        self._followed_to: datetime | None = None

    @property
    def advanced_to(self) -> datetime | None:
        """How far the venue has followed the market that it has followed farthest; ``None`` before its first call."""
        return max(self._advanced.values(), default=None)

    @property
    def advanced(self) -> Mapping[str, datetime]:
        """How far the venue has followed each market, by symbol; those it has not followed yet are not there."""
        return dict(self._advanced)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def market(self, symbol: str) -> Market:
        """The market with this symbol.

        Raises:
            NoData: There is no such market.
        """
        if symbol not in self._feed.markets:
            raise NoData(f"The paper venue has no market {symbol}.", f"It has {', '.join(self._feed.markets)}.")
        return self._feed.markets[symbol]

    def still_until(self, until: datetime) -> datetime:
        """Up to when none of its orders meets the market, at the latest a time that may lie ahead.

        For a feed that has all of its market; the venue itself goes nowhere.
        """
        ends = dict.fromkeys(self._feed.markets, until)
        orders = self._file.open_orders()
        met = self._matching.happenings([each for each in orders if not self._is_under_way(each)], self._advanced, ends)
        return min([*map(time_of, met), *(each.at for each in orders if self._is_under_way(each))], default=until)

    def next_arrival(self) -> datetime | None:
        """When the next order arrives that is under way; ``None`` where none is."""
        if not self._latency:
            return None
        return min((each.at for each in self._file.open_orders() if self._is_under_way(each)), default=None)

    def _is_under_way(self, order: VenueOrder) -> bool:
        """Whether an order has not arrived yet."""
        return bool(self._latency) and order.at > self._advanced.get(order.request.symbol, order.at)

    async def submit(self, request: OrderRequest) -> SubmitResult:
        """Take an order; one that is known by its client id already is acknowledged again and nothing else happens."""
        try:
            return self._submit(request, await self._advance_to_write())
        except VenueError as error:
            return Unknown(client_id=request.client_id, reason=str(error))

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        """Why so much would not be sold at market now; empty where nothing speaks against it."""
        now = await self._advance()
        sale = OrderRequest(
            client_id="", venue=self.name, symbol=symbol, side=Side.SELL, type=OrderType.MARKET, quantity=quantity
        )
        return self._refusal(sale, self._quote(symbol, now))

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """What the venue knows of an order of a market."""
        await self._advance()
        order = self._order(symbol, client_id)
        return self._file.state(order) if order else NotFound(client_id=client_id)

    def _order(self, symbol: str, client_id: str) -> VenueOrder | None:
        found = self._file.order(client_id)
        return found if found is not None and found.request.symbol == symbol else None

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """Cancel what is left of an order of a market; one that is final is returned as it is."""
        now = await self._advance_to_write()
        order = self._order(symbol, client_id)
        if order is None:
            return NotFound(client_id=client_id)
        if not order.status.final:
            with self._file.transaction():
                order = self._matching.cancel(order, now, "cancelled by its client")
                self._write_advanced(order.request.symbol, now)
        return self._file.state(order)

    async def book(self, symbol: str) -> Book:
        """The order book of now.

        Raises:
            NoData: There is no such market, no price now, or nobody trades.
        """
        market, now = self.market(symbol), await self._advance()
        quote = self._matching.quote(symbol, now)
        book = quote.book(market, self._model, now) if quote else None
        if book is None:
            self._feed.price(symbol, now)  # where there is none, it says why: halted, delisted, too old
            raise NoData(f"Nobody trades {symbol} at {now:%Y-%m-%d %H:%M:%S}.")
        return book

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        """The newest candles that had closed at a time, which is never later than now.

        Raises:
            NoData: There are none.
        """
        now = await self._advance()
        now = now if until is None else min(now, until)
        candles = self._feed.candles(self.market(symbol).symbol, timeframe, now, limit)
        if not len(candles):
            raise NoData(f"No {timeframe} candle of {symbol} has closed before {now:%Y-%m-%d %H:%M}.")
        return candles

    async def balances(self) -> Mapping[str, Decimal]:
        """What the account owns, by currency, with what is set aside for open orders."""
        await self._advance()
        return self._file.balances()

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Every order of this account that is not final, whoever sent it."""
        await self._advance()
        return tuple(map(self._file.state, self._file.open_orders()))

    async def events(self, after: Cursor | None) -> EventBatch:
        """What happened to this account's orders after a cursor, in order; with ``None`` from the beginning.

        Raises:
            UnknownCursor: The venue never gave it.
        """
        await self._advance()
        return self._file.events(after)

    async def _advance_to_write(self) -> datetime:
        """Follow the market, and have the client write what it holds back; the next thing may be written here."""
        now = await self._advance()
        while self._client.waiting:
            await self._client.flush()
            now = await self._advance()
        return now

    async def _advance(self) -> datetime:
        """Follow each market to the clock's time, or as far as it is known; the venue never goes back.

        Returns:
            The time it is at the venue. Where a market is not known that far yet, its orders wait for what is missing.

        Raises:
            VenueError: The file could not be written; the next call tries again from where it was.
        """
        way = self._way()
        while way is not None:
            if way.writes and self._client.waiting:
                await self._client.flush()
                way = self._way()  # others may have come here meanwhile
                continue
            self._go(way)
            way = self._way() if way.arriving else None  # it went up to an arrival
        now, after = self._clock.now(), self.advanced_to
        return now if after is None else max(now, after)

    def _way(self) -> _Way | None:
        """What is still to be followed of each market, up to the next arrival there, if there is anything."""
        now, until = self._clock.now(), dict[str, datetime]()
        if now == self._followed_to:
            return None
        for symbol in self._feed.markets:
            after, reach = self._advanced.get(symbol), self._feed.reach(symbol, now)
            if reach is not None and (after is None or reach > after):
                until[symbol] = reach
        if not until:
            # No market is known beyond now, so at this time there is nothing more to come.
            if all(self._advanced.get(symbol) == now for symbol in self._feed.markets):
                self._followed_to = now
            return None
        orders = [order for order in self._file.open_orders() if order.request.symbol in until]
        under_way = [order for order in orders if self._is_under_way(order)]
        for order in under_way:
            until[order.request.symbol] = min(until[order.request.symbol], order.at)
        there = [order for order in orders if order not in under_way] if under_way else orders
        return _Way(
            until=until,
            orders=there,
            happenings=self._matching.happenings(there, self._advanced, until),
            arriving=[order for order in under_way if order.at == until[order.request.symbol]],
        )

    def _go(self, way: _Way) -> None:
        """Take open orders along. How far is written with what happened, and alone at most once a candle."""
        advanced = {**self._advanced, **way.until}
        if way.writes or self._is_stale(way):
            with self._file.transaction():
                self._matching.carry_out(way.happenings)
                for order in way.arriving:
                    self._arrive(order)
                self._file.set_advanced(advanced)
            self._written = dict(advanced)
        self._advanced = advanced

    def _arrive(self, order: VenueOrder) -> None:
        """Let an order that was under way meet the market, unless it has ended meanwhile."""
        order = self._file.order(order.request.client_id) or order
        quote, request = self._quote(order.request.symbol, order.at), order.request
        crossed = self._rules.crosses(request, self._feed.markets[request.symbol], quote) if quote else ""
        if order.status.final:
            return
        if crossed:
            self._matching.cancel(order, order.at, crossed)
        else:
            if quote is not None and request.type is OrderType.TRAILING_STOP:
                order = replace(order, best=quote.mid)
                self._file.save_order(order)
            self._matching.begin(order, quote)

    def _is_stale(self, way: _Way) -> bool:
        """Whether to note how far it is; not while its client lags behind, which begins anew where it left off."""
        floor, written = self._feed.timeframe.floor, self._written
        waiting = {order.request.symbol for order in way.orders}
        return not self._client.waiting and any(
            symbol not in written or floor(way.until[symbol]) > written[symbol] for symbol in waiting
        )

    def _write_advanced(self, symbol: str, now: datetime) -> None:
        """Write how far each market is, with an order of one of them; what was never followed begins with its order."""
        self._advanced.setdefault(symbol, now)
        self._file.set_advanced(self._advanced)

    def _submit(self, request: OrderRequest, now: datetime) -> SubmitResult:
        known = self._file.order(request.client_id)
        if known is not None:
            return _ack(known)
        quote = self._quote(request.symbol, now)
        reason = self._refusal(request, quote)
        if reason:
            return Refused(client_id=request.client_id, reason=reason)
        with self._file.transaction():
            market = self._feed.markets[request.symbol]
            order = VenueOrder(
                venue_id=self._file.next_order_id(),
                request=request,
                at=now + self._latency.of(request.client_id),
                reserve_price=self._rules.reserve_price(request, market, quote),
                best=quote.mid if quote is not None and request.type is OrderType.TRAILING_STOP else None,
            )
            self._file.add_order(order)
            if order.at == now:
                self._matching.begin(order, quote)
            self._write_advanced(request.symbol, now)
        self._written = dict(self._advanced)
        return _ack(order)

    def _quote(self, symbol: str, now: datetime) -> Quote | None:
        return self._matching.quote(symbol, now) if symbol in self._feed.markets else None

    def _refusal(self, request: OrderRequest, quote: Quote | None) -> str:
        """Why an order is not taken, or an empty text."""
        market = self._feed.markets.get(request.symbol)
        if market is None:
            return f"the venue has no market {request.symbol}"
        reason = malformed(request, market)
        if reason:
            return reason
        if quote is not None and self._matching.is_another(market.symbol, quote.mid, self._clock.now()):
            return f"something else is traded as {market.symbol} now, at {grouped(quote.mid)}"
        return self._rules.refusal(request, market, quote)


def _ack(order: VenueOrder) -> Ack:
    return Ack(client_id=order.request.client_id, venue_order_id=str(order.venue_id), at=order.at)
