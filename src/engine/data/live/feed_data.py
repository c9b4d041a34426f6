"""What is known of the markets of a real venue that orders go to: prices as they were seen, steps as it lists them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Market, Timeframe
from engine.ports import Clock, MarketFeed


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
