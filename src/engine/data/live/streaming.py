"""Prices between two looks at the order books, as a venue's websocket tells them.

The looks go on all the while: they are where books come from, they bridge what nobody observed, and where the socket
stalls, is refused or does not exist they are all there is. So nothing is lost with it but a few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from engine.data.live.feed import LiveFeed
from engine.data.live.pauses import Pauses
from engine.data.live.plausible import BookLimits
from engine.domain.errors import VenueError
from engine.domain.market import Market
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.parsing import Quote
from engine.exchanges.ccxt.streams import PER_SOCKET, QuoteStream
from engine.ports import Clock

STALLED_AFTER = 15.0
"""Wall seconds without a word about any of its markets after which a connection is made anew."""
TAKEN_EVERY = 0.25
"""Wall seconds between two looks at what has come: venues tell each change, and the paper venue looks no oftener."""
_FRESH = 5.0
"""Wall seconds for which a market counts as streamed after its last quote."""
_LOOK_EVERY = 0.25

_log = structlog.get_logger(__name__)


class Streaming:
    """Fills a feed with quotes while a venue tells them.

    Args:
        limits: How far a quote may be from the last price and counts; what is farther is left to the next look.
        listed: The markets that are traded now, by symbol.
        stalled_after: Wall seconds without news after which a connection is made anew.
    """

    def __init__(
        self,
        *,
        client: VenueClient,
        feed: LiveFeed,
        clock: Clock,
        limits: BookLimits,
        listed: Mapping[str, Market],
        stalled_after: float = STALLED_AFTER,
    ) -> None:
        self._client = client
        self._feed = feed
        self._clock = clock
        self._limits = limits
        self._listed = listed
        self._stalled_after = stalled_after
        self._told: dict[str, float] = {}
        self._pauses = Pauses(clock)
        self._trouble = ""

    def is_streamed(self, symbol: str) -> bool:
        """Whether the venue tells a market's prices by itself at present."""
        told = self._told.get(symbol)
        return told is not None and self._clock.monotonic() - told <= _FRESH

    async def run(self) -> None:
        """Watch until cancelled, as soon as markets are listed; where the venue has no websocket there is an end."""
        while not self._listed:  # noqa: ASYNC110 - the list is another loop's
            await asyncio.sleep(_LOOK_EVERY)
        while True:
            stream = self._client.stream()
            if stream is None:
                return
            try:
                await self._watch(stream)
            except* VenueError as errors:
                self._note(str(errors.exceptions[0]))
            finally:
                await stream.close()
            await asyncio.sleep(self._pauses.next("stream"))

    async def _watch(self, stream: QuoteStream) -> None:
        """Watch all that is listed now, over as many connections as it takes, until one of them is lost."""
        symbols = sorted(self._listed)
        async with asyncio.TaskGroup() as group:
            for first in range(0, len(symbols), PER_SOCKET):
                group.create_task(self._follow(stream, symbols[first : first + PER_SOCKET]))

    async def _follow(self, stream: QuoteStream, symbols: Sequence[str]) -> None:
        while True:
            for quote in await stream.news(symbols, self._stalled_after):
                self._take(quote)
            self._note("")
            await asyncio.sleep(TAKEN_EVERY)

    def _take(self, quote: Quote) -> None:
        """Take in a quote that goes on from the last price; after a time that nobody observed a look comes first."""
        symbol, now = quote.symbol, self._clock.now()
        self._told[symbol] = self._clock.monotonic()
        seen = self._feed.seen_at(symbol)
        if seen is None or now - seen > self._feed.fresh_for or self._feed.doubted(symbol) or self._feed.paused(symbol):
            return
        last = self._feed.last_price(symbol)
        is_near = abs(quote.mid - last) <= self._limits.max_price_gap * last
        if is_near and quote.ask - quote.bid <= self._limits.max_spread * quote.mid:
            self._feed.quote(symbol, now, quote.mid)

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("prices come by polling alone", venue=self._client.name, trouble=trouble)
        elif self._trouble and not trouble:
            _log.info("prices come by websocket again", venue=self._client.name)
        if not trouble:
            self._pauses.end("stream")
        self._trouble = trouble
