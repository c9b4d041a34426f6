"""What is known of the markets of a real venue that orders go to: prices as they were seen, steps as it lists them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Market, Timeframe
from engine.ports import Clock, MarketFeed

FRESH_FOR = timedelta(seconds=1)
"""How old a book may be that a venue was asked for."""


class FeedData:
    """The port ``MarketData`` over a live feed.

    Args:
        venue: The venue's name, for people.
        feed: What was seen of its markets.
        clock: What time it is.
        listed: The venue's own list of a market; ``None`` of what it has not told yet.
    """

    def __init__(self, *, venue: str, feed: MarketFeed, clock: Clock, listed: Callable[[str], Market | None]) -> None:
        self._venue = venue
        self._feed = feed
        self._clock = clock
        self._listed = listed

    def market(self, symbol: str) -> Market:
        """The market with this symbol.

        Raises:
            NoData: There is no such market.
        """
        found = self._listed(symbol) or self._feed.markets.get(symbol)
        if found is None:
            raise NoData(f"{self._venue} has no market {symbol} here.", f"It has {', '.join(self._feed.markets)}.")
        return found

    async def book(self, symbol: str) -> Book:
        """The order book of now, as it was seen last.

        Raises:
            NoData: There is none, or it is too old.
        """
        self.market(symbol)
        now = self._clock.now()
        found = self._feed.book(symbol, now) if symbol in self._feed.markets else None
        if found is None:
            if symbol in self._feed.markets:
                self._feed.price(symbol, now)  # where there is none, it says why: halted, too old
            raise NoData(f"No order book of {symbol} is known at {now:%Y-%m-%d %H:%M:%S}.")
        return found

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        """The newest candles that had closed at a time, which is never later than now.

        Raises:
            NoData: There are none.
        """
        now = self._clock.now()
        at = now if until is None else min(now, until)
        candles = self._feed.candles(self.market(symbol).symbol, timeframe, at, limit)
        if not len(candles):
            raise NoData(f"No {timeframe} candle of {symbol} has closed before {at:%Y-%m-%d %H:%M}.")
        return candles


class OwnBooks(FeedData):
    """The same of a venue that prices do not come from: its candles are the feed's, its order books its own.

    What is asked again within a moment is not asked of the venue again.

    Args:
        ask: Asks the venue for a market's book.
    """

    def __init__(self, *, ask: Callable[[Market], Awaitable[Book]], **how: Any) -> None:
        super().__init__(**how)
        self._ask = ask
        self._known: dict[str, Book] = {}

    async def book(self, symbol: str) -> Book:
        """The order book of now, as the venue has it.

        Raises:
            NoData: It does not list the market.
            VenueError: It cannot be reached, or answers nonsense.
        """
        market, known = self._listed(symbol), self._known.get(symbol)
        if market is None:
            raise NoData(f"{self._venue} does not list {symbol}.")
        if known is not None and abs(self._clock.now() - known.at) < FRESH_FOR:
            return known
        found = self._known[symbol] = await self._ask(market)
        return found
