"""Keeps a live feed up to date: the list of markets, order books every few seconds, candles when they close.

A loop for the list, one for the candles (``candles``) and one for each market's book (``looking``), each at its own
pace; none waits for another, and each question has its deadline. What fails is asked again later, and meanwhile the
feed says that it has nothing: the quality gate and the venue draw the consequences.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import partial

import structlog

from engine.analysis.quality import DataQualityMonitor
from engine.data.live.candles import LOOK_EVERY, CandleRefresher
from engine.data.live.feed import LiveFeed
from engine.data.live.looking import Looking
from engine.data.live.pauses import LONGEST_PAUSE, Pauses
from engine.data.live.plausible import BookLimits
from engine.data.live.streaming import Streaming
from engine.data.live.troubles import MARKETS, Troubles
from engine.domain.errors import VenueError
from engine.domain.market import Candles, Market, Timeframe
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.parsing import Listing
from engine.exchanges.ccxt.venue_time import LONGEST_SKEW, ClockCheck
from engine.exchanges.headers import Quiet
from engine.ports import Clock
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)

LIST_EVERY = 300.0
"""Wall seconds between two looks at which markets are traded."""
HALTED_LIST_EVERY = 15.0
"""The same while one is halted or delisted: what is held there can be sold soon after its return."""
WAIT_FOR_CANDLES = 20.0
"""Wall seconds that a decision waits for the candle it is about."""
LONGEST_WAIT = 45.0
"""The same where a watchlist's candles take longer within the venue's limits; then it is decided without the rest."""

_ROUNDS = 3
"""How many rounds of all books a price and a book hold, where those take longer than the polls do."""
_LONGEST_FRESH = timedelta(minutes=2)
"""The longest that a price and a book hold for that: a watchlist that needs more is too long for its venue."""

Loop = Callable[[], Coroutine[None, None, None]]


class Refresher:
    """Asks the venue and fills the feed, from ``start`` to ``stop``.

    Args:
        timeframes: The candles that are wanted, by symbol.
        history: How many closed candles are kept of each.
        quality: What candles must be; those that are bad are asked for again.
        clocks: Judges how far this machine's clock is from the venue's.
        poll: How often each order book is asked for.
        limits: How far an order book may be from what is known and is believed at once.
        websocket: Whether prices are taken from the venue's websocket as well, where it has one.
    """

    def __init__(
        self,
        *,
        client: VenueClient,
        feed: LiveFeed,
        clock: Clock,
        timeframes: Mapping[str, Iterable[Timeframe]],
        history: int,
        quality: DataQualityMonitor,
        clocks: ClockCheck,
        poll: timedelta,
        limits: BookLimits,
        websocket: bool = False,
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._clocks = clocks
        self._symbols = tuple(timeframes)
        self._listed: dict[str, Market] = {}
        self._known: set[str] = set()
        self._looking = Looking(
            client=client, feed=feed, clock=clock, poll=poll, limits=limits, listed=self._listed, tell=self._tell
        )
        self._streaming = Streaming(client=client, feed=feed, clock=clock, limits=limits, listed=self._listed)
        self._websocket = websocket
        self._pauses = Pauses(clock)
        self._troubles = Troubles(client.name, self._symbols, clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Condition()
        self._candles = CandleRefresher(
            client=client,
            feed=feed,
            clock=clock,
            quality=quality,
            wanted=[(symbol, each) for symbol, asked in timeframes.items() for each in asked],
            history=history,
            pauses=self._pauses,
            max_price_gap=limits.max_price_gap,
            traded=self._traded,
            tell=self._tell,
        )

    def start(self, since: Mapping[str, datetime]) -> None:
        """Begin.

        Args:
            since: Up to when each market was followed before, by symbol; from there its path is bridged.
        """
        self._known = set(since)
        loops: dict[str, Loop] = {"list": self._keep_listed, "candles": self._candles.run}
        loops |= {
            f"look at {symbol}": partial(self._looking.keep_looking, symbol, since.get(symbol))
            for symbol in self._symbols
        }
        if self._websocket:
            loops["stream"] = self._streaming.run
        self._tasks = [asyncio.create_task(self._guarded(name, loop), name=name) for name, loop in loops.items()]

    async def stop(self) -> None:
        """Stop asking, and let go of every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._client.close()

    @property
    def quiet(self) -> Quiet:
        """For how long the venue wants to be left alone, by whomever from here."""
        return self._client.quiet

    @property
    def health(self) -> str:
        """``ok``, or everything that is wrong with the data, in words for people; an outage is one trouble."""
        return self._troubles.text(self.outage) or "ok"

    @property
    def clock_health(self) -> str:
        """``ok``, or what is wrong with this machine's clock, in words for people."""
        return self._clocks.health

    @property
    def skew(self) -> float | None:
        """Seconds by which the venue's clock is ahead of ours, to about one; ``None`` while it is not known."""
        return self._client.skew

    @property
    def outage(self) -> str:
        """Why nothing at all can be traded on at the venue; empty where no more than some markets are in trouble."""
        return self._troubles.outage(self._traded(), self._candles.bad)

    def no_entry(self, timeframe: Timeframe) -> str:
        """Why nothing is entered that is decided on such candles; empty where nothing speaks against it."""
        return self._clocks.no_entry(timeframe) or self.outage

    async def first(self, within: float) -> str:
        """Wait until every market has a price and its candles, or until the time is over; then as ``health``."""
        await self._until(self._is_all_in, within)
        return self.health if self._troubles or self._is_all_in() else f"{self._client.name} has not answered yet"

    def _is_all_in(self) -> bool:
        now = self._candles.now_there()
        seen = any(self._feed.seen_at(symbol) for symbol in self._traded())
        return seen and not self._troubles and not self._candles.due(now) and not self._unseen()

    async def closed(self, at: datetime) -> None:
        """Wait for what is known of the market at ``at``, and until every book is believed or corrected.

        Not for ever, and not for markets that stay paused. Where the venue's clock is behind ours, its candles close
        later by as much.
        """
        behind = -(self._client.skew or 0.0)
        later = behind if 0 < behind <= LONGEST_SKEW else 0.0
        within = max(WAIT_FOR_CANDLES, min(self._candles.longest_burst, LONGEST_WAIT))
        await self._until(lambda: self._is_known(at) and not self._doubted(), within + later)

    def _is_known(self, at: datetime) -> bool:
        return self._troubles.has_listed and not self._candles.is_waited_for(at) and not self._is_pausing()

    def _is_pausing(self) -> bool:
        """Whether a market was paused just now, perhaps over one bad answer: the next look may end that."""
        paused = [symbol for symbol in self._listed if self._feed.paused(symbol)]
        return any(self._troubles.age(symbol) < WAIT_FOR_CANDLES for symbol in paused)

    async def _until(self, is_so: Callable[[], bool], within: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(is_so)

    def confirms(self, candles: Candles) -> bool:
        """Whether the order book of now stands where candles of now have closed."""
        return self._candles.is_near_the_book(candles)

    def follows(self, symbol: str) -> bool:
        """Whether it is one of its markets."""
        return symbol in self._symbols

    def is_streamed(self, symbol: str) -> bool:
        """Whether the venue tells a market's prices by itself at present, between two looks at its book."""
        return self._streaming.is_streamed(symbol)

    async def _guarded(self, name: str, loop: Loop) -> None:
        """A loop that a fault of ours does not end: it is logged with an id and begins anew."""
        while True:
            try:
                await loop()
            except Exception:  # noqa: BLE001 - the boundary of a background task: nobody would see it die
                reference = fault_id()
                _log.exception("market data stopped and begins anew", loop=name, reference=reference)
                self._troubles.fault(name, f"market data has a fault (log id {reference})")
                await asyncio.sleep(LONGEST_PAUSE)
                self._troubles.fault(name, "")
            else:
                return  # a venue without a websocket

    # Which markets there are

    async def _keep_listed(self) -> None:
        while True:
            try:
                await self._client.open()
                self._hold_for_a_round()
                self._list(await self._client.listings())
            except VenueError as error:
                await self._tell(MARKETS, error)
                self._pauses.next(MARKETS)
                while not self._pauses.over(MARKETS):  # noqa: ASYNC110 - the end of an outage ends the pause as well
                    await asyncio.sleep(LOOK_EVERY)
            else:
                self._pauses.end(MARKETS)
                await self._tell(MARKETS, None)
                await self._rest()

    def _hold_for_a_round(self) -> None:
        """Let prices hold as long as it takes to look at every book within the venue's limits."""
        rounds = timedelta(seconds=_ROUNDS * len(self._symbols) * self._client.pace)
        self._feed.fresh_for = max(self._feed.fresh_for, min(rounds, _LONGEST_FRESH))

    async def _rest(self) -> None:
        """Wait until the list is to be asked for again: not sooner over a name that the venue has never had."""
        asked = self._clock.monotonic()
        every = HALTED_LIST_EVERY if self._known - self._listed.keys() else LIST_EVERY
        while self._clock.monotonic() - asked < every:  # noqa: ASYNC110 - by the clock it was given
            await asyncio.sleep(LOOK_EVERY)

    def _list(self, listed: Mapping[str, Listing]) -> None:
        self._known |= listed.keys() & set(self._symbols)
        for symbol in self._symbols:
            found = listed.get(symbol)
            if found is None:
                self._pause(symbol, self._why_missing(symbol, listed))
            elif not found.trading:
                self._pause(symbol, f"{self._client.name} has halted it")
            else:
                self._listed[symbol] = found.market
                if symbol not in self._troubles:
                    self._feed.list_as(found.market)
        self._troubles.has_listed = True

    def _why_missing(self, symbol: str, listed: Iterable[str]) -> str:
        if symbol in self._known:
            return f"{self._client.name} lists it no longer"
        near = get_close_matches(symbol, listed, n=1)
        return f"{self._client.name} has no market of this name{f', did you mean {near[0]}?' if near else ''}"

    def _pause(self, symbol: str, reason: str) -> None:
        self._listed.pop(symbol, None)
        self._feed.pause(symbol, reason)
        self._troubles.put(symbol, f"{symbol}: {reason}")

    def _traded(self) -> tuple[str, ...]:
        return tuple(symbol for symbol in self._symbols if not self._feed.paused(symbol))

    def _unseen(self) -> list[str]:
        return [symbol for symbol in self._traded() if self._feed.seen_at(symbol) is None]

    def _doubted(self) -> list[str]:
        return [symbol for symbol in self._traded() if self._feed.doubted(symbol)]

    async def _tell(self, about: str, error: VenueError | None) -> None:
        """Note how asking went, and wake those who wait for it; once an outage is over, everything is asked at once."""
        before = self.outage
        self._troubles.note(about, error)
        if before and not self.outage:
            self._pauses.end_all()
        async with self._news:
            self._news.notify_all()
