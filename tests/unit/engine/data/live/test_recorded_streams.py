"""Venues' websockets as they were recorded, through ccxt.pro itself; polling again where one of them stalls.

What was recorded of Kraken is the first version of its websocket, and ccxt speaks the second; what was recorded of
Binance is of futures, and only spot markets are followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.data.live.feed import LiveFeed
from engine.data.live.looking import Looking
from engine.data.live.plausible import BookLimits
from engine.data.live.streaming import Streaming
from engine.domain.errors import VenueError
from engine.domain.market import Market
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.parsing import Quote
from engine.exchanges.ccxt.streams import QuoteStream
from engine.timing.clocks import WallClock
from tests.fakes.coinbase import RecordedCoinbase, listening, recorded
from tests.fakes.data import real_file
from tests.fakes.patience import until

FILE = "exchange_ws/cryptofeed_COINBASE.ws.28.0.txt.gz"
SKL = "SKL/USD"
LIMITS = BookLimits(max_spread=Decimal("0.05"), max_price_gap=Decimal("0.5"))
SHORT = 0.5


@pytest.fixture
async def fake() -> AsyncIterator[RecordedCoinbase]:
    async with listening(recorded(real_file(FILE))) as fake:
        yield fake


@asynccontextmanager
async def client_of(fake: RecordedCoinbase) -> AsyncIterator[VenueClient]:
    client = VenueClient(
        exchange="coinbaseexchange", api_url=fake.url, answer_within=timedelta(seconds=5), clock=WallClock()
    )
    await client.open()
    try:
        yield client
    finally:
        await client.close()


async def follow(stream: QuoteStream, symbols: Sequence[str], newest: dict[str, Quote]) -> None:
    """Keep the newest quote of each market, for as long as there is news."""
    while True:
        newest |= {each.symbol: each for each in await stream.news(symbols, SHORT)}


@pytest.mark.slow
async def test_every_market_ends_at_the_bid_and_ask_that_was_recorded_last(fake: RecordedCoinbase) -> None:
    async with client_of(fake) as client:
        symbols = sorted(await client.listings())
        stream = client.stream()
        assert stream is not None
        newest: dict[str, Quote] = {}
        try:
            with pytest.raises(VenueError, match="has said nothing"):
                await follow(stream, symbols, newest)
        finally:
            await stream.close()
    told = {name.replace("-", "/"): each for name, each in fake.tickers.items()}
    assert {name: (each.bid, each.ask) for name, each in newest.items()} == {
        name: (Decimal(each["best_bid"]), Decimal(each["best_ask"])) for name, each in told.items()
    }
    assert len(newest) == 10


@pytest.mark.slow
async def test_where_the_socket_stalls_prices_come_by_polling_again(fake: RecordedCoinbase) -> None:
    async with client_of(fake) as client:
        clock = WallClock()
        listed: dict[str, Market] = {name: each.market for name, each in (await client.listings()).items()}
        feed = LiveFeed({SKL: ()}, fresh_for=timedelta(seconds=10))
        feed.list_as(listed[SKL])
        own = {SKL: listed[SKL]}
        streaming = Streaming(client=client, feed=feed, clock=clock, limits=LIMITS, listed=own, stalled_after=SHORT)
        looking = Looking(
            client=client,
            feed=feed,
            clock=clock,
            poll=timedelta(seconds=0.3),
            limits=LIMITS,
            listed=own,
            tell=lambda *_: asyncio.sleep(0),
        )
        loops = [asyncio.create_task(streaming.run()), asyncio.create_task(looking.keep_looking(SKL, None))]
        try:
            await until(lambda: streaming.is_streamed(SKL))
            await fake.played.wait()
            await until(lambda: fake.connected >= 2)  # it has stalled, and is asked for anew
            await until(lambda: not streaming.is_streamed(SKL))
            looks = fake.looks
            mid = (feed.price(SKL, datetime.now(UTC)) * Decimal("1.01")).quantize(Decimal("0.0001"))
            step = Decimal("0.0001")
            fake.books["SKL-USD"] = {"bids": [[str(mid - step), "100"]], "asks": [[str(mid + step), "100"]]}
            await until(lambda: feed.price(SKL, datetime.now(UTC)) == mid)
            assert fake.looks > looks
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
