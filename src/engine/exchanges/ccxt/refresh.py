"""Keeps a live feed up to date: the list of markets, order books every few seconds, candles when they close.

A loop for the list, one for the candles and one for each market's book (``looking``), each at its own pace; none waits
for another, and each question has its deadline. What fails is asked again later, and meanwhile the feed says that it
has nothing: the quality gate and the venue draw the consequences.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import partial

import structlog

from engine.domain.errors import VenueError
from engine.domain.market import Market, Timeframe
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.feed import LiveFeed
from engine.exchanges.ccxt.looking import Looking
from engine.exchanges.ccxt.parsing import Listing
from engine.exchanges.ccxt.plausible import BookLimits
from engine.faults import fault_id
from engine.ports import Clock

_log = structlog.get_logger(__name__)

LIST_EVERY = 300.0
"""Wall seconds between two looks at which markets are traded."""
AFTER_CLOSE = timedelta(seconds=0.5)
"""How long after its close a candle is asked for first: before, no venue has it."""
LOOK_EVERY = 0.25
"""Wall seconds between two looks at whether a candle is due."""
WAIT_FOR_CANDLES = 20.0
"""Wall seconds that a decision waits for the candle it is about."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Wall seconds before a failed question is asked again; doubled each time."""
MOST_SKEW = 5.0
"""Seconds by which the venue's clock may differ from ours before people are told."""
_UNSURE = 1.5
"""Seconds up to which two clocks cannot be told apart: the venue tells its time in whole seconds."""
_SPARE = 2
"""Candles asked for beyond what is needed: the open one, and one that closes meanwhile."""

Wanted = tuple[str, Timeframe]
Loop = Callable[[], Coroutine[None, None, None]]


class Refresher:
    """Asks the venue and fills the feed, from ``start`` to ``stop``.

    Args:
        timeframes: The candles that are wanted, by symbol.
        history: How many closed candles are kept of each.
        poll: How often each order book is asked for.
        limits: How far an order book may be from what is known and is believed at once.
    """

    def __init__(
        self,
        *,
        client: VenueClient,
        feed: LiveFeed,
        clock: Clock,
        timeframes: Mapping[str, Iterable[Timeframe]],
        history: int,
        poll: timedelta,
        limits: BookLimits,
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._wanted = tuple((symbol, each) for symbol, asked in timeframes.items() for each in asked)
        self._history = history
        self._symbols = tuple(timeframes)
        self._listed: dict[str, Market] = {}
        self._looking = Looking(
            client=client, feed=feed, clock=clock, poll=poll, limits=limits, listed=self._listed, tell=self._tell
        )
        self._pauses = Pauses(clock)
        self._troubles: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Condition()

    def start(self, since: Mapping[str, datetime]) -> None:
        """Begin.

        Args:
            since: Up to when each market was followed before, by symbol; from there its path is bridged.
        """
        loops: dict[str, Loop] = {"list": self._keep_listed, "candles": self._keep_candles}
        loops |= {
            f"look at {symbol}": partial(self._looking.keep_looking, symbol, since.get(symbol))
            for symbol in self._symbols
        }
        self._tasks = [asyncio.create_task(self._guarded(name, loop), name=name) for name, loop in loops.items()]

    async def stop(self) -> None:
        """Stop asking, and let go of every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._client.close()

    @property
    def health(self) -> str:
        """``ok``, or everything that is wrong, in words for people."""
        skew = self._client.skew
        found = list(dict.fromkeys(self._troubles.values()))
        if skew is not None and abs(skew) > MOST_SKEW:
            found.append(f"the clock of {self._client.name} is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}")
        return "; ".join(found) or "ok"

    async def first(self, within: float) -> str:
        """Wait until every market has a price and its candles, or until the time is over; then as ``health``."""
        await self._until(self._is_all_in, within)
        return self.health if self._troubles or self._is_all_in() else f"{self._client.name} has not answered yet"

    def _is_all_in(self) -> bool:
        now = self._clock.now()
        seen = any(self._feed.seen_at(symbol) for symbol in self._traded())
        return seen and not self._troubles and not self._due(now) and not self._unseen()

    async def closed(self, at: datetime) -> None:
        """Wait for the candles that close at ``at``, and until every book is believed or corrected.

        Not for ever, and not for those of markets that are paused.
        """
        await self._until(lambda: not self._due(at) and not self._doubted(), WAIT_FOR_CANDLES)

    async def _until(self, is_so: Callable[[], bool], within: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(is_so)

    async def _guarded(self, name: str, loop: Loop) -> None:
        """A loop that a fault of ours does not end: it is logged with an id and begins anew."""
        while True:
            try:
                await loop()
            except Exception:  # noqa: BLE001 - the boundary of a background task: nobody would see it die
                reference = fault_id()
                _log.exception("market data stopped and begins anew", loop=name, reference=reference)
                self._troubles[name] = f"market data has a fault (log id {reference})"
                await asyncio.sleep(_LONGEST_PAUSE)
                self._troubles.pop(name, None)

    # Which markets there are

    async def _keep_listed(self) -> None:
        while True:
            pause = LIST_EVERY
            try:
                await self._client.open()
                self._list(await self._client.listings())
            except VenueError as error:
                pause = self._pauses.next("markets")
                await self._tell("markets", error)
            else:
                self._pauses.end("markets")
                await self._tell("markets", None)
            await asyncio.sleep(pause)

    def _list(self, listed: Mapping[str, Listing]) -> None:
        for symbol in self._symbols:
            found = listed.get(symbol)
            if found is None:
                near = get_close_matches(symbol, listed, n=1)
                hint = f", did you mean {near[0]}?" if near else ""
                self._pause(symbol, f"{self._client.name} has no market of this name{hint}")
            elif not found.trading:
                self._pause(symbol, f"{self._client.name} has halted it")
            else:
                self._listed[symbol] = found.market
                if symbol not in self._troubles:
                    self._feed.list_as(found.market)

    def _pause(self, symbol: str, reason: str) -> None:
        self._listed.pop(symbol, None)
        self._feed.pause(symbol, reason)
        self._troubles[symbol] = f"{symbol}: {reason}"

    def _traded(self) -> tuple[str, ...]:
        return tuple(symbol for symbol in self._symbols if not self._feed.paused(symbol))

    def _unseen(self) -> list[str]:
        return [symbol for symbol in self._traded() if self._feed.seen_at(symbol) is None]

    def _doubted(self) -> list[str]:
        return [symbol for symbol in self._traded() if self._feed.doubted(symbol)]

    # Candles

    async def _keep_candles(self) -> None:
        while True:
            now = self._clock.now()
            due = [each for each in self._due(now - AFTER_CLOSE) if self._pauses.over(each)]
            await asyncio.gather(*(self._fetch(each) for each in due))
            await asyncio.sleep(LOOK_EVERY)

    def _due(self, at: datetime) -> list[Wanted]:
        """What has closed at ``at`` and is not held."""
        traded = set(self._traded())
        return [each for each in self._wanted if each[0] in traded and not self._is_held(*each, at)]

    def _is_held(self, symbol: str, timeframe: Timeframe, at: datetime) -> bool:
        newest = self._feed.closed_at(symbol, timeframe)
        return timeframe not in self._client.timeframes or (newest is not None and newest >= timeframe.floor(at))

    async def _fetch(self, wanted: Wanted) -> None:
        """Ask for the newest candles; a venue that does not have the one that has just closed is asked again."""
        symbol, timeframe = wanted
        there = self._time_there()
        try:
            found = await self._client.candles(symbol, timeframe, self._history + _SPARE)
        except VenueError as error:
            await self._tell(f"{symbol} {timeframe}", error)
        else:
            self._feed.keep(found.closed(there))
            await self._tell(f"{symbol} {timeframe}", None)
        if self._is_held(symbol, timeframe, self._clock.now()):
            self._pauses.end(wanted)
        else:
            self._pauses.next(wanted)

    def _time_there(self) -> datetime:
        """What has closed at the venue before it is asked: by its clock, where that is known to be behind."""
        skew = self._client.skew or 0.0
        return self._clock.now() + timedelta(seconds=skew if skew < -_UNSURE else 0.0)

    async def _tell(self, about: str, error: VenueError | None) -> None:
        """Note how asking went, wake those who wait for it, and log where it has changed."""
        before, now = self._troubles.get(about, ""), error.message if error else ""
        if now:
            self._troubles[about] = now
        else:
            self._troubles.pop(about, None)
        if now and not before:
            _log.warning("market data is missing", about=about, trouble=now)
        elif before and not now:
            _log.info("market data comes in", about=about)
        async with self._news:
            self._news.notify_all()


class Pauses:
    """How long a failed question waits before it is asked again: longer each time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[object, float] = {}
        self._until: dict[object, float] = {}

    def over(self, question: object) -> bool:
        """Whether it may be asked."""
        return self._clock.monotonic() >= self._until.get(question, 0.0)

    def next(self, question: object) -> float:
        """It failed: how long to wait now."""
        pause = self._last[question] = min(2 * self._last.get(question, _FIRST_PAUSE / 2), _LONGEST_PAUSE)
        self._until[question] = self._clock.monotonic() + pause
        return pause

    def end(self, question: object) -> None:
        """It was answered."""
        self._last.pop(question, None)
        self._until.pop(question, None)
