"""Real prices of several venues at once: each is kept up to date by itself, and none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from engine.data.live.feed import LiveFeed
from engine.data.live.refresh import Refresher
from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Market, Timeframe

_WELL = "ok"


class Refreshers:
    """What keeps the prices of each venue up to date.

    Args:
        by_venue: Who does it for each venue of the account; several venues may go by the same prices.
    """

    def __init__(self, by_venue: Mapping[str, Refresher]) -> None:
        self._by_venue = by_venue
        self._all = tuple(dict.fromkeys(by_venue.values()))

    def at(self, venue: str) -> Refresher:
        """Who keeps the prices that a venue of the account goes by."""
        return self._by_venue[venue]

    def start(self, since: Mapping[str, datetime]) -> None:
        """Begin.

        Args:
            since: Up to when the paper venue has followed each market before, by symbol.
        """
        for each in self._all:
            each.start(since)

    async def stop(self) -> None:
        """Stop asking, and let go of every connection."""
        await asyncio.gather(*(each.stop() for each in self._all))

    async def first(self, within: float) -> str:
        """Wait until every market has a price and its candles, or until the time is over; then as ``health``."""
        return _told(await asyncio.gather(*(each.first(within) for each in self._all)))

    async def closed(self, venue: str, at: datetime) -> None:
        """Wait for what is known at a time of the markets that a venue goes by; not for ever."""
        await self.at(venue).closed(at)

    async def all_closed(self, at: datetime) -> None:
        """The same for every venue."""
        await asyncio.gather(*(each.closed(at) for each in self._all))

    @property
    def health(self) -> str:
        """``ok``, or everything that is wrong with the data, in words for people."""
        return _told([each.health for each in self._all])

    @property
    def clock_health(self) -> str:
        """``ok``, or what is wrong with this machine's clock, in words for people."""
        return _told([each.clock_health for each in self._all])

    @property
    def outage(self) -> str:
        """Why nothing at all can be traded on at any venue; empty where something can be at one of them."""
        outages = [each.outage for each in self._all]
        return "; ".join(dict.fromkeys(outages)) if all(outages) else ""

    def no_entry(self, timeframe: Timeframe) -> str:
        """Why nothing is entered somewhere that is decided on such candles; empty where nothing speaks against it."""
        return next(filter(None, (each.no_entry(timeframe) for each in self._all)), "")

    def confirms(self, candles: Candles) -> bool:
        """Whether an order book of now stands where candles of now have closed; at which venue, they do not say."""
        return any(each.confirms(candles) for each in self._all if each.follows(candles.symbol))


class FirstOfFeeds:
    """The port ``MarketFeed`` for what is asked of no venue in particular: a market's first venue tells of it."""

    timeframe = LiveFeed.timeframe

    def __init__(self, feeds: Sequence[LiveFeed]) -> None:
        self._feeds = feeds

    @property
    def markets(self) -> Mapping[str, Market]:
        """The markets of all venues, by symbol."""
        return {symbol: market for feed in reversed(self._feeds) for symbol, market in feed.markets.items()}

    def candles(self, symbol: str, timeframe: Timeframe, now: datetime, limit: int) -> Candles:
        """The newest candles, as ``LiveFeed`` has them."""
        return self._of(symbol).candles(symbol, timeframe, now, limit)

    def price(self, symbol: str, now: datetime) -> Decimal:
        """The price last observed at a moment."""
        return self._of(symbol).price(symbol, now)

    def path(self, symbol: str, after: datetime, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        """The observed prices of a time."""
        return self._of(symbol).path(symbol, after, until)

    def volume(self, symbol: str, now: datetime) -> Decimal:
        """What the last closed candle traded."""
        return self._of(symbol).volume(symbol, now)

    def book(self, symbol: str, now: datetime) -> Book | None:
        """The order book as it was observed."""
        return self._of(symbol).book(symbol, now)

    def reach(self, symbol: str, now: datetime) -> datetime | None:
        """Up to when the prices are known."""
        return self._of(symbol).reach(symbol, now)

    def _of(self, symbol: str) -> LiveFeed:
        found = next((feed for feed in self._feeds if symbol in feed.markets), None)
        if found is None:
            raise NoData(f"{symbol} is not watched.", f"There are {', '.join(self.markets)}.")
        return found


def _told(parts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(each for each in parts if each != _WELL)) or _WELL
