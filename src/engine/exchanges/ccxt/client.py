"""A real venue through ccxt: how it is opened and asked, and its public market data; failures in the port's terms."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import localcontext
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.domain.errors import ConfigError, NoData, VenueError
from engine.domain.figures import plain
from engine.domain.market import Book, Candles, Market, Timeframe, to_millis
from engine.exchanges.ccxt import parsing
from engine.exchanges.ccxt.budget import answer_until, no_answer_awaited
from engine.exchanges.ccxt.keys import VenueKeys
from engine.exchanges.ccxt.parsing import Listing
from engine.exchanges.ccxt.refusals import said, shortened
from engine.exchanges.ccxt.turns import Turns, Urgency
from engine.exchanges.headers import Quiet
from engine.ports import Clock
from engine.simulation.path import Trade

if TYPE_CHECKING:
    from engine.exchanges.ccxt.streams import QuoteStream
    from engine.exchanges.ccxt.venue_time import VenueTime
    from engine.exchanges.ccxt.wire import Gate

T = TypeVar("T")

BOOK_LEVELS = 100
"""How many levels of a book are asked for; a number that every large venue takes."""
TRADES = 1000
"""How many trades are asked for at once; a venue that has fewer in a page gives those."""
MOST_CANDLES = 1000
"""How many candles are asked for at once, where the venue does not say that it tells fewer."""
_LATER_MS = 1000
"""How much longer than we ccxt waits for an answer: ours ends it first, and says so in words of ours."""


def known_exchanges() -> frozenset[str]:
    """The venues that ccxt knows, by its ids, read off its files: importing it takes a second."""
    spec = find_spec("ccxt")
    places = spec.submodule_search_locations if spec else None
    return frozenset(file.stem for place in places or () for file in Path(place, "async_support").glob("[a-z]*.py"))


def check_exchange(name: str, known: frozenset[str]) -> None:
    """See that ccxt knows a venue.

    Raises:
        ConfigError: It does not; the nearest one is named.
    """
    if name in known:
        return
    near = get_close_matches(name, sorted(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else "Take one of ccxt's ids, e.g. binance, kraken or coinbase."
    raise ConfigError(f"ccxt knows no venue {name!r}.", hint, key=f"exchanges.{name}")


class VenueClient:
    """A venue's public data.

    Args:
        exchange: The venue's id in ccxt.
        api_url: Another server in its place; ``None`` for the venue's own.
        answer_within: Wall time for one answer, from its turn on.
        share: How much of what the venue allows is used, as a fraction: the limits are those of an address, and of
            all who ask from it.
        name: What it is called here; empty for its id in ccxt.
        keys: Those of an account there; ``None`` for public data alone.
        sandbox: Whether its test net is asked in its place.
        quiet: That of another client which asks the same venue from here: limits are those of an address.
    """

    def __init__(
        self,
        *,
        exchange: str,
        api_url: str | None,
        answer_within: timedelta,
        clock: Clock,
        share: float = 1.0,
        name: str = "",
        keys: VenueKeys | None = None,
        sandbox: bool = False,
        quiet: Quiet | None = None,
    ) -> None:
        self.name = name or exchange
        self.quiet = quiet or Quiet(self.name, monotonic=clock.monotonic, now=clock.now)
        """For how long the venue wants to be left alone."""
        self._exchange = exchange
        self._keys = keys
        self._sandbox = sandbox
        self._share = share
        self._api_url = api_url
        self._within = answer_within.total_seconds()
        self._clock = clock
        self._ccxt: Any = None
        self._gate: Gate | None = None
        self._turns = Turns()
        self._session: Any = None

    @property
    def time(self) -> VenueTime | None:
        """The venue's clock as its answers tell it; ``None`` while it is not open."""
        return self._gate.time if self._gate else None

    @property
    def skew(self) -> float | None:
        """Seconds by which the venue's clock is ahead of ours, to about one; ``None`` while it is not known."""
        return self.time.skew if self.time else None

    @property
    def used(self) -> str:
        """How much of its limits the venue last said was used; empty where it has not."""
        return self._gate.used if self._gate else ""

    @property
    def timeframes(self) -> frozenset[Timeframe]:
        """The candles it has; known once it is open."""
        return frozenset(each for each in Timeframe if each.value in (self._ccxt.timeframes or ()))

    @property
    def page(self) -> int:
        """How many candles it tells at a time, at most; known once it is open."""
        told = (self._ccxt.features or {}).get("spot") or {}
        return min((told.get("fetchOHLCV") or {}).get("limit") or MOST_CANDLES, MOST_CANDLES)

    @property
    def pace(self) -> float:
        """Wall seconds from one order book to the next within our share of the venue's limits; 0 until it is open."""
        return float(self._ccxt.rateLimit) / 1000 if self._ccxt is not None else 0.0

    async def open(self) -> None:
        """Make the client ready; ccxt is imported in a thread, as that takes a second.

        Raises:
            ConfigError: ccxt knows no such venue, or no test net of it.
        """
        if self._ccxt is not None:
            return
        check_exchange(self._exchange, known_exchanges())
        made = await asyncio.to_thread(_import_ccxt)
        from engine.exchanges.ccxt.wire import Gate, hosts, redirected, session

        gate = Gate(self.name, monotonic=self._clock.monotonic, now=self._clock.now, quiet=self.quiet)
        connections = session(gate)
        venue = getattr(made, self._exchange)(
            {
                **(self._keys.as_ccxt_has_them() if self._keys else {}),
                "session": connections,
                # For sessions of its own, which it has none of: else it reads whom to trust, and all wait for that.
                "ssl_context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                "timeout": int(self._within * 1000) + _LATER_MS,
                "enableRateLimit": True,
                "options": {"fetchMargins": False},
            }
        )
        _spot_only(venue)
        _slow_down(venue, self._share)
        if self._sandbox and not self._api_url:
            await self._go_to_sandbox(venue, connections)
        if self._api_url:
            venue.urls["api"] = redirected(venue.urls["api"], self._api_url)
        gate.allow(hosts(venue.urls["api"], venue.hostname or ""))
        self._gate, self._session, self._ccxt = gate, connections, venue

    async def _go_to_sandbox(self, venue: Any, connections: Any) -> None:
        """Ask the test net in the venue's place."""
        if not venue.urls.get("test"):
            await connections.close()
            await venue.close()
            raise ConfigError(
                f"ccxt knows no test net of {self._exchange}.",
                "Name a server by api_url, or try it with orders: paper.",
                key=f"exchanges.{self.name}.sandbox",
            )
        venue.set_sandbox_mode(True)

    async def close(self) -> None:
        """Let go of every connection."""
        if self._ccxt is not None:
            connections = self._session
            try:
                await self._ccxt.close()
            finally:  # ccxt sleeps at its end: who is cancelled there lets go all the same
                await connections.close()
                self._ccxt = self._session = self._gate = None

    def stream(self) -> QuoteStream | None:
        """The newest bids and asks as the venue tells them by itself; ``None`` where ccxt knows no such way.

        Raises:
            VenueError: It has not listed its markets yet.
        """
        from engine.exchanges.ccxt.streams import open_stream

        if self._ccxt is None or not self._ccxt.markets:
            raise VenueError(f"{self.name} has not listed its markets yet.")
        return open_stream(self.name, self._ccxt.markets.values(), self._api_url, self._within)

    async def listings(self) -> Mapping[str, Listing]:
        """The venue's spot markets, by symbol.

        Raises:
            VenueError: It cannot be reached, or answers nonsense.
        """
        return await self._call(lambda venue: venue.fetch_markets(), self._take_list, Urgency.LIST)

    def _take_list(self, raw: Any) -> Mapping[str, Listing]:
        """Let ccxt work with a list, once it has proved to be one: it would forget all markets over an empty answer."""
        listed = parsing.listings(raw, self._ccxt.precisionMode)
        if not listed:
            raise VenueError(f"{self.name} lists no market.")
        self._ccxt.set_markets(raw)
        return listed

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, since: datetime | None = None) -> Candles:
        """The newest candles, the open one included; or those from a time on.

        Raises:
            NoData: There are none of this market or in this timeframe.
            VenueError: It cannot be reached, or answers nonsense.
        """
        if timeframe not in self.timeframes:
            raise NoData(f"{self.name} has no {timeframe} candles.")
        start = None if since is None else to_millis(since)
        found = await self._call(
            lambda venue: venue.fetch_ohlcv(symbol, timeframe.value, start, limit),
            lambda rows: parsing.candles(rows, symbol, timeframe),
            Urgency.CLOSE if since is None else Urgency.ROUTINE,
        )
        if not len(found):
            raise NoData(f"{self.name} has no {timeframe} candles of {symbol}.")
        return found

    async def trades(self, symbol: str, since: datetime) -> list[Trade]:
        """A page of public trades, oldest first: from a time on, or the newest of them where the venue knows no such.

        Raises:
            NoData: The venue does not tell them.
            VenueError: It cannot be reached, or answers nonsense.
        """
        if not self._ccxt.has.get("fetchTrades"):
            raise NoData(f"{self.name} does not tell its trades.")
        return await self._call(
            lambda venue: venue.fetch_trades(symbol, to_millis(since), TRADES),
            lambda rows: parsing.trades(rows, symbol),
            Urgency.ROUTINE,
        )

    async def book(self, market: Market) -> Book:
        """The order book of now.

        Raises:
            NoData: Nobody trades there.
            VenueError: It cannot be reached, or answers nonsense.
        """
        return await self._call(
            lambda venue: venue.fetch_order_book(market.symbol, BOOK_LEVELS),
            lambda raw: parsing.book(raw, market, self._clock.now()),
            Urgency.ROUTINE,
        )

    async def _call(self, ask: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T], urgency: Urgency) -> T:
        """Ask once its turn has come."""
        if self._gate is None:
            raise VenueError(f"{self.name} has not been opened yet.")
        self._gate.check()
        async with self._turns.turn(urgency):
            return await self._answer(self._gate, ask, parse)

    async def _answer(self, gate: Gate, ask: Callable[[Any], Awaitable[Any]], parse: Callable[[Any], T]) -> T:
        """Ask, within the time there is; what ccxt or a parser makes of a bad answer becomes an error of ours."""
        from ccxt.base import errors

        gate.check()
        try:
            async with asyncio.timeout(self._within) as limit:
                token = answer_until.set(limit)
                try:
                    with localcontext():  # ccxt sets how numbers are rounded, and leaves it so for whoever comes after
                        told = await ask(self._ccxt)
                finally:
                    answer_until.reset(token)
                return parse(told)
        except TimeoutError:
            raise VenueError(f"{self.name} does not answer within {plain(self._within, 6)} s.") from None
        except errors.BaseError as error:
            raise self._told(gate, error) from None
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise VenueError(f"{self.name} answers nonsense ({type(error).__name__}).") from None

    def _told(self, gate: Gate, error: Exception) -> Exception:
        """What an error of ccxt's says, in the port's terms."""
        from ccxt.base import errors

        words = words_of(error, self._exchange)
        if isinstance(error, errors.BadSymbol):
            return NoData(f"{self.name} does not trade it: {words}")
        if isinstance(error, errors.ExchangeNotAvailable):
            return VenueError(f"{self.name} cannot be reached: {words}")
        try:
            gate.check()
        except VenueError as quiet:
            return quiet
        return VenueError(f"{self.name} answers with an error: {words}")


def _import_ccxt() -> Any:
    import ccxt.async_support

    return ccxt.async_support


def _spot_only(venue: Any) -> None:
    """Ask for no market but the spot ones: the others are several servers more."""
    venue.has["fetchCurrencies"] = False
    asked = venue.options.get("fetchMarkets")
    if isinstance(asked, dict) and "types" in asked:
        asked["types"] = ["spot"]


def _slow_down(venue: Any, share: float) -> None:
    """Let ccxt's own queue use a share of what the venue allows; who waits in it waits for no answer yet."""
    venue.rateLimit /= share
    venue.tokenBucket = None
    venue.init_rest_rate_limiter()
    queue = venue.throttle

    async def wait(cost: float | None = None) -> None:
        with no_answer_awaited():
            await queue(cost)

    venue.throttle = wait


def answer_of(error: Exception, name: str) -> str:
    """All that a venue said, in one line; the reason below where ccxt only repeats the request."""
    return " ".join(str(error.__cause__ or error).removeprefix(name).split())


def words_of(error: Exception, name: str) -> str:
    """What went wrong, shortened, in the venue's own words."""
    return shortened(said(answer_of(error, name)))
