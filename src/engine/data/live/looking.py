"""Looks at the order books of a real venue every few seconds, for their prices: each market's by itself.

A book that is far from what is known (``plausible``) is looked at once more before it counts, and a time in which
nobody looked is told first of all (``gaps``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from engine.data.live.feed import LiveFeed
from engine.data.live.gaps import Gap, told_of
from engine.data.live.plausible import BookLimits, Doubts
from engine.domain.errors import NoData, VenueError
from engine.domain.market import Book, Market
from engine.exchanges.ccxt.client import VenueClient
from engine.ports import Clock

IDLE = 0.25
"""Wall seconds between two looks at whether a market is listed by now."""
SECOND_LOOK = 1.0
"""Wall seconds until a book that is not believed is looked at again."""
_NEWEST = 2
"""How many of the newest candles tell where a market trades now."""

Tell = Callable[[str, VenueError | None], Awaitable[None]]


class Looking:
    """Asks for order books and fills the feed.

    Args:
        poll: How often each is asked for.
        limits: How far a book may be from what is known and is believed at once.
        listed: The markets that are traded now, by symbol; others are not looked at.
        tell: Takes in how asking about a market went.
    """

    def __init__(
        self,
        *,
        client: VenueClient,
        feed: LiveFeed,
        clock: Clock,
        poll: timedelta,
        limits: BookLimits,
        listed: Mapping[str, Market],
        tell: Tell,
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._poll = poll.total_seconds()
        self._limits = limits
        self._listed = listed
        self._tell = tell

    async def keep_looking(self, symbol: str, since: datetime | None) -> None:
        """Look at one market, again and again.

        Args:
            symbol: Which one.
            since: Up to when it was followed before; from there its path is bridged.
        """
        doubts = Doubts(limits=self._limits)
        while True:
            begun, market = self._clock.monotonic(), self._listed.get(symbol)
            if market is not None:
                await self._look(market, doubts, since)
            rest = self._poll if market is not None else IDLE
            if self._feed.doubted(symbol):
                rest = min(rest, SECOND_LOOK)
            await asyncio.sleep(max(0.0, rest - (self._clock.monotonic() - begun)))

    async def _look(self, market: Market, doubts: Doubts, since: datetime | None) -> None:
        """Observe a market once; a time that nobody observed is bridged first, and all of this or nothing is noted.

        A market in which nobody trades is paused until somebody does: nothing is decided on what was seen before.
        """
        symbol = market.symbol
        try:
            book = await self._client.book(market)
            await self._check(book, doubts)
            gaps = await self._unobserved(symbol, since, book.at)
        except NoData as error:
            self._feed.pause(symbol, error.message)
            await self._tell(symbol, error)
        except VenueError as error:
            await self._tell(symbol, error)
        else:
            self._feed.list_as(market)
            for gap in gaps:
                self._feed.bridge(gap)
            self._feed.see(symbol, book.at, book.mid, book)
            await self._tell(symbol, None)

    async def _check(self, book: Book, doubts: Doubts) -> None:
        """See that a book is to be believed: by the looks before it, or by what has just been traded.

        Raises:
            VenueError: It is not, so far.
        """
        if doubts.is_plausible(book) or await self._is_traded(book):
            doubts.believe(book)
            return
        doubts.doubt(book)
        self._feed.doubt(book.symbol)
        raise VenueError(f"{book.symbol} is suddenly at bid {book.bid}, ask {book.ask}: that is looked at again.")

    async def _is_traded(self, book: Book) -> bool:
        """Whether the newest candles say so; where these are slow, the second look is sooner."""
        shortest = min(self._client.timeframes, key=lambda each: each.millis)
        try:
            async with asyncio.timeout(SECOND_LOOK):
                newest = await self._client.candles(book.symbol, shortest, _NEWEST)
        except (VenueError, TimeoutError):
            return False
        return self._limits.is_within(book, newest)

    async def _unobserved(self, symbol: str, since: datetime | None, until: datetime) -> list[Gap]:
        """What is told of a time in which nobody looked, if there was one; before the start nobody did."""
        seen = self._feed.seen_at(symbol)
        after = seen or since
        if after is None or until <= after or (seen is not None and until - seen <= self._feed.fresh_for):
            return []
        return await told_of(self._client, symbol, after, until)
