"""What is asked of an account at a real venue through ccxt, and what an answer proves.

There are three kinds of answers: what was asked for, the venue's explicit no (``noes.py``), and everything else, which
proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar

from engine.domain.errors import VenueError
from engine.domain.market import Market
from engine.domain.transfers import Transfer
from engine.exchanges.ccxt import pages
from engine.exchanges.ccxt.budget import BURST, Budget, asked_with, asking
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.habits import Habits, Placement, habits_of, oco_on_binance
from engine.exchanges.ccxt.noes import ClockRefused, Missing, is_one_too_many, no_of
from engine.exchanges.ccxt.numbered import Growing, OneAtATime
from engine.exchanges.ccxt.parsing import Listing
from engine.exchanges.ccxt.rights import READERS, KeyRights
from engine.exchanges.ccxt.transfers import DEPOSIT, WITHDRAWAL, transfers_of
from engine.exchanges.ccxt.turns import Urgency
from engine.exchanges.ccxt.windows import BY_REQUEST, PROTECTION_WINDOW_MS, RECEIVE_WINDOW_MS, Windows

if TYPE_CHECKING:
    from engine.domain.orders import OrderRequest
    from engine.exchanges.ccxt.account_stream import AccountStream
    from engine.exchanges.ccxt.wire import Gate

T = TypeVar("T")
Raw = Mapping[str, Any]

PAGE = 500
"""How many trades are asked for at once, where the venue does not say that it tells fewer."""

_IN_TURN = frozenset({"kraken"})
"""Venues whose requests carry a number that grows: one at a time, or a later one may be there before an earlier."""
_LIMITS_BY_KEY = frozenset({"kraken"})
"""Venues at which an account's calls count by themselves, beside those for its prices."""
_ROOM = {"kraken": (18.0, 18.0, 6.0)}
"""Of venues at which it is not the usual: how many wall seconds of the budget may be used at once, and how many more
where what has become of an order is asked for, and where something is to be sold. Kraken's counter goes to 15, and a
call that counts takes three seconds; orders and cancelling do not count there."""
_LOOKS = 3
"""How often something is looked at where the venue fails."""
_AT_ONCE = 1.0
"""Within how many wall seconds a failure is one of the moment, after which it is asked again: a venue that does not
answer at all would be waited for once more."""
_ID_LENGTH = 32
"""How long our client ids are; somebody else's order may have none, and goes by the venue's."""
_FAR_AHEAD = 2**53
"""A time that no trade is as late as, in milliseconds since 1970: the newest page reaches back to it."""
_LISTS = {
    "fetch_orders": "fetchOrders",
    "fetch_canceled_and_closed_orders": "fetchCanceledAndClosedOrders",
    "fetch_closed_orders": "fetchClosedOrders",
}
"""Methods of ccxt that list orders that have ended, the fullest first, and what ccxt says where a venue has them."""


class VenueAccount(VenueClient):
    """An account at a venue: orders, trades and what is owned."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._opening = asyncio.Lock()
        self._budget: Budget | None = None
        self._together: tuple[int, list[Raw]] | None = None
        self._windows = Windows()
        self.habits = Habits()
        """How the venue takes orders; known once it is open."""
        self.markets: Mapping[str, Listing] = {}
        """What it lists; known once it is open."""

    @property
    def label(self) -> str:
        """The venue, and whether it is its test net: whose cursor one is."""
        return f"{self._exchange}, test net" if self._sandbox else self._exchange

    @property
    def is_open(self) -> bool:
        """Whether the venue has listed its markets."""
        return bool(self.markets)

    async def open(self) -> None:
        """Make the client ready, and learn the venue's time and markets.

        Raises:
            ConfigError: ccxt knows no such venue, or no test net of it.
            VenueError: It cannot be reached.
        """
        async with self._opening:
            if not self.is_open:
                await super().open()
                await self._learn(self._ccxt)

    async def close(self) -> None:
        """Let go of every connection."""
        try:
            await super().close()
        finally:
            self.markets = {}

    async def _learn(self, venue: Any) -> None:
        venue.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
        venue.options["fetchOrder"] = {**(venue.options.get("fetchOrder") or {}), "acknowledged": True}
        if "recvWindow" in venue.options:
            venue.options["recvWindow"] = RECEIVE_WINDOW_MS
        share = min(self._share, 1.0) if venue.id in _LIMITS_BY_KEY else 1.0  # of these the account has all
        burst, reserve, last = _ROOM.get(venue.id, (BURST, BURST, BURST))
        self._budget = venue.throttle = Budget(
            venue.rateLimit * share / 1000,
            monotonic=self._clock.monotonic,
            sleep=asyncio.sleep,
            burst=burst,
            reserve=reserve,
            last=last,
        )
        if venue.id in _IN_TURN:
            venue.nonce = Growing(venue.milliseconds)
            OneAtATime(venue, self._budget)
        await self.set_clock()
        self.habits = habits_of(venue)
        self.markets = await self.listings()

    async def set_clock(self) -> None:
        """Learn how far the venue's clock is from ours, where requests carry its time."""
        if self._ccxt.has.get("fetchTime") and self._ccxt.id not in _IN_TURN:
            await self._call(lambda venue: venue.load_time_difference(), _anything, Urgency.CLOSE)

    async def order_stream(self) -> AccountStream | None:
        """What the venue tells by itself of the account's orders; ``None`` where ccxt knows no such way."""
        from engine.exchanges.ccxt.account_stream import open_account_stream
        from engine.exchanges.ccxt.wire import Gate

        await self.open()
        if self._keys is None:
            return None
        return open_account_stream(
            name=self.name,
            exchange=self._exchange,
            keys=self._keys,
            markets=self._ccxt.markets.values(),
            root=self._api_url,
            sandbox=self._sandbox,
            behind_ms=self._ccxt.options.get("timeDifference") or 0,
            gate=Gate(self.name, monotonic=self._clock.monotonic, now=self._clock.now, quiet=self.quiet),
        )

    @property
    def has_room_for_a_look(self) -> bool:
        """Whether it can be asked at once what is under way; so it is before it was ever asked."""
        return self._budget is None or self._budget.has_room_for_a_look

    async def room_for_news(self) -> None:
        """Wait until it can be asked at once what becomes of an order: what is bought has no stop before that."""
        if self._budget is not None:
            await self._budget.room_for_news()

    async def place(self, asked: Placement, market: Market, protective: str = "") -> Raw:
        """Send an order, once.

        Args:
            asked: It.
            market: Its market.
            protective: The client id of the protective order that it is; empty where it is none.

        Raises:
            Rejected: The venue refuses it.
            Duplicate: It has one under that client id.
            VenueError: Nobody knows what has become of it.
        """
        numbers = (_number(asked.quantity), None if asked.price is None else _number(asked.price))

        async def send(venue: Any, more: Raw) -> Any:
            return await venue.create_order(market.symbol, asked.type, asked.side, *numbers, {**asked.params, **more})

        return await self._order(self._in_window(protective, send) if protective else partial(send, more={}))

    async def place_both(self, request: OrderRequest) -> Raw:
        """Send a stop and target as one list of two orders, once; raises as ``place`` does."""
        market = self._ccxt.market(request.symbol)
        takes_stops = "STOP_LOSS" in (market["info"].get("orderTypes") or ())
        tick = self.markets[request.symbol].market.tick
        asked = oco_on_binance(request, market["id"], None if takes_stops else tick)
        return await self._order(
            self._in_window(request.client_id, lambda venue, more: venue.private_post_orderlist_oco({**asked, **more}))
        )

    def _in_window(self, client_id: str, send: Callable[[Any, Raw], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        """Send a protective order in a short window; in the usual one after the venue has said that this was missed."""
        windows = iter((PROTECTION_WINDOW_MS, RECEIVE_WINDOW_MS))

        def ask(venue: Any) -> Awaitable[Any]:
            if venue.id not in BY_REQUEST:
                return send(venue, {})
            return send(venue, self._windows.carry(client_id, venue.nonce(), next(windows)))

        return ask

    async def late_within(self, client_id: str) -> timedelta | None:
        """For how long a protective order that the venue does not know may still turn up, by the venue's own clock.

        What is said of the order has to be asked for after this. ``None`` where it is not known: it was sent without a
        window of its own, or in another run, or the venue does not tell its time.
        """
        if self._windows.knows(client_id):
            with suppress(VenueError):
                return self._windows.left(client_id, await self._timed(methodcaller("fetch_time"), int))
        return None

    async def order(self, symbol: str, client_id: str, venue_id: str = "") -> Raw:
        """An order by the venue's id of it, else by its client id; where conditional ones live apart, there too.

        Raises:
            Missing: The venue does not know it.
            VenueError: It does not answer.
        """
        params = {} if venue_id else {"clientOrderId": client_id}

        async def ask(more: dict[str, Any]) -> Raw:
            return await self._timed(lambda venue: venue.fetch_order(venue_id or None, symbol, params | more), _order)

        try:
            return await ask({})
        except Missing:
            if not self.habits.asks_conditional:
                raise
        return await ask({"trigger": True})

    async def orders_of(self, venue_ids: Sequence[str]) -> list[Raw]:
        """Orders by the venue's ids of them, where it tells them so; what it does not know is not among them."""
        found: list[Raw] = []
        for first in range(0, len(venue_ids), self.habits.told_by_ids):
            some = list(venue_ids[first : first + self.habits.told_by_ids])
            found += await self._timed(methodcaller("fetch_orders_by_ids", some), _rows)
        return found

    async def listed_order(self, symbol: str, client_id: str, since_ms: int) -> Raw | None:
        """An order out of the venue's lists, both of which arrived whole; ``None`` where it is in neither.

        Args:
            symbol: Its market.
            client_id: Its id.
            since_ms: Since when it may have been placed, in milliseconds since 1970.
        """
        may_be_ours = len(client_id) == _ID_LENGTH
        params = {"clientOrderId": client_id} if self.habits.lists_by_client_id and may_be_ours else {}
        found = _named(await self._open(symbol, params), client_id)
        return found or _named(await self._ended_orders(symbol, since_ms, params), client_id)

    async def _ended_orders(self, symbol: str, since_ms: int, params: dict[str, Any]) -> Sequence[Raw]:
        """The orders of a market that were placed since a time and are final; some that are not may be among them.

        Raises:
            VenueError: It does not answer, or does not tell all of them.
        """
        has = self._ccxt.has
        name = next((own for own, told in _LISTS.items() if has.get(told) is True), None)
        if name is None:
            raise VenueError(f"{self.name} tells nobody which orders have ended.")
        rows = await self._timed(lambda venue: getattr(venue, name)(symbol, since_ms, self.trades_page, params), _rows)
        if len(rows) >= self.trades_page:
            raise VenueError(f"{self.name} has more orders than it tells at once: half a list is no list.")
        return rows

    async def newest_orders(self, symbol: str) -> Sequence[Raw]:
        """A market's newest orders, where the venue tells them at once."""
        if self._ccxt.has.get("fetchOrders") is not True:
            return ()
        return await self._timed(lambda venue: venue.fetch_orders(symbol, None, self.trades_page), _rows)

    async def cancel(self, symbol: str, client_id: str, venue_id: str = "") -> None:
        """Have an order cancelled; raises as ``order`` does, ``Missing`` also for one that is final."""
        params = {} if venue_id else {"clientOrderId": client_id}
        await self._timed(lambda venue: venue.cancel_order(venue_id or None, symbol, params), _anything, Urgency.ORDER)

    async def open_orders(self, symbol: str | None = None) -> Sequence[Raw]:
        """Every order that is not final, conditional ones among them; of all markets where none is named."""
        found = await self._open(symbol, {})
        return [*found, *await self._open(symbol, {"trigger": True})] if self.habits.asks_conditional else found

    async def _open(self, symbol: str | None, params: dict[str, Any]) -> Sequence[Raw]:
        rows = await self._timed(lambda venue: venue.fetch_open_orders(symbol, params=params), _rows)
        if self.habits.open_limit and len(rows) >= self.habits.open_limit:
            raise VenueError(f"{self.name} has more open orders than it tells at once: half a list is no list.")
        return rows

    @property
    def trades_page(self) -> int:
        """How many trades are told at once."""
        return self.habits.pages_of or min(self.habits.trades_limit or PAGE, PAGE)

    async def trades_from(self, symbol: str, begins: int, now_ms: int) -> list[Raw]:
        """Every trade of the account in a market from a time on, in milliseconds since 1970; older ones may be there.

        Raises:
            VenueError: The venue does not answer, or not whole.
        """
        if not self.habits.pages_of:
            return await pages.by_time(partial(self._trades, symbol), begins, self.trades_page, now_ms)
        if self._together is None or begins < self._together[0]:
            self._together = begins, await pages.by_offset(self._trades_behind, begins, self.habits.pages_of)
        _, found = self._together
        return [raw for raw in found if raw.get("symbol") == symbol]

    async def newest_trades(self, symbol: str) -> list[Raw]:
        """A page of the account's newest trades in a market."""
        if not self.habits.pages_of:
            return list(await self._trades(symbol, None, None))
        return [raw for raw in await self.trades_from(symbol, _FAR_AHEAD, 0) if raw.get("symbol") == symbol]

    def begin_look(self) -> None:
        """Let go of what was told of all markets together: it holds for one look at the account."""
        self._together = None

    async def _trades(self, symbol: str, since_ms: int | None, until_ms: int | None) -> Sequence[Raw]:
        params = {} if until_ms is None else {"until": until_ms}
        return await self._timed(lambda venue: venue.fetch_my_trades(symbol, since_ms, self.trades_page, params), _rows)

    async def _trades_behind(self, left_out: int) -> Sequence[Raw]:
        return await self._timed(lambda venue: venue.fetch_my_trades(None, None, None, {"ofs": left_out}), _rows)

    async def trades_of(self, symbol: str, venue_id: str) -> Sequence[Raw]:
        """The trades of one order; none where the venue does not tell them by order."""
        if self._ccxt.has.get("fetchOrderTrades") is not True:
            return ()
        return await self._timed(lambda venue: venue.fetch_order_trades(venue_id, symbol), _rows)

    async def owned(self) -> Raw:
        """What is owned of each currency."""
        return await self._timed(lambda venue: venue.fetch_balance(), _balance)

    async def transfers(self, since_ms: int) -> list[Transfer]:
        """What was paid in and out since a time, in milliseconds since 1970; of each kind as far as the venue tells it.

        Raises:
            VenueError: It does not answer, or the key may not see it.
        """
        found: list[Transfer] = []
        for kind, method, told in (
            (DEPOSIT, "fetch_deposits", "fetchDeposits"),
            (WITHDRAWAL, "fetch_withdrawals", "fetchWithdrawals"),
        ):
            if self._ccxt.has.get(told) is True:
                rows = await self._timed(methodcaller(method, None, since_ms), _rows)
                found += transfers_of(rows, kind)
        return found

    async def rights(self) -> KeyRights:
        """What its key may do, as far as the venue tells."""
        if self._exchange not in READERS:
            return KeyRights()
        method, read = READERS[self._exchange]
        return await self._timed(lambda venue: getattr(venue, method)(), read)

    async def _order(self, ask: Callable[[Any], Awaitable[Any]]) -> Raw:
        return await self._timed(ask, _anything, Urgency.ORDER)

    async def _timed(
        self, ask: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T], urgency: Urgency = Urgency.ROUTINE
    ) -> T:
        """Ask; an order never twice, whatever becomes of it, but where the venue refused the first for its time.

        What only looks is asked for again where the venue fails at once: to sell takes half a dozen looks, and in a
        storm in which every other call fails all of them would hardly ever come through one after another.
        """
        if not self.is_open:
            await self.open()
        tries = 1 if urgency is Urgency.ORDER else _LOOKS
        with asking(urgency):
            while True:
                tries, began = tries - 1, self._clock.monotonic()
                try:
                    return await self._in_time(ask, parse)
                except VenueError as error:
                    failed = type(error) is VenueError and not error.retry_after
                    if not tries or not failed or self._clock.monotonic() - began > _AT_ONCE:
                        raise

    async def _in_time(self, ask: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T]) -> T:
        """Ask; a second time where the venue refused the first for its time, and only then."""
        try:
            return await self._now(ask, parse)
        except ClockRefused:
            await self.set_clock()
            return await self._now(ask, parse)

    async def _now(self, ask: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T]) -> T:
        """Ask; an order, and what has become of one, must not stand behind a list."""
        if asked_with() <= Urgency.NEWS and self._gate is not None:
            return await self._answer(self._gate, ask, parse)
        return await self._call(ask, parse, asked_with())

    def _told(self, gate: Gate, error: Exception) -> Exception:
        """What an error of ccxt's proves: a no of the venue's own, or nothing."""
        if is_one_too_many(error):
            self._refused(gate)
        return no_of(error, self._exchange, self.name) or super()._told(gate, error)

    def _refused(self, gate: Gate) -> None:
        """Leave the venue alone for a while that has refused a call as one too many, and does not say for how long."""
        try:
            gate.check()
        except VenueError:
            return
        if self._budget is not None:
            self._budget.refused()


def _number(value: Any) -> float | str:
    """A number as ccxt takes it, without losing a digit: as text where a float would."""
    text = f"{value:f}"
    return float(text) if type(value)(repr(float(text))) == value else text


def _named(rows: Sequence[Raw], client_id: str) -> Raw | None:
    """The order of an id among others; one that has no client id goes by the venue's."""
    return next((raw for raw in rows if client_id in (raw.get("clientOrderId"), str(raw.get("id")))), None)


def _anything(raw: Any) -> Any:
    return raw


def _order(raw: Any) -> Raw:
    if not isinstance(raw, dict) or not raw.get("id"):
        raise ValueError("no order")
    return raw


def _rows(raw: Any) -> Sequence[Raw]:
    if not isinstance(raw, list):
        raise TypeError("no list")
    return raw


def _balance(raw: Any) -> Raw:
    """What is owned, where the answer holds anything that the venue said."""
    if not isinstance(raw, dict) or not raw.get("info"):
        raise ValueError("no balance")
    return raw
