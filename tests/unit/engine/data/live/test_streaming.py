"""Prices over a venue's websocket, through ccxt.pro itself against one on loopback; polling where it stalls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.data.live.feed import LiveFeed
from engine.data.live.plausible import BookLimits
from engine.data.live.streaming import Streaming
from engine.domain.errors import VenueError
from engine.domain.market import Market
from engine.exchanges.ccxt.client import VenueClient
from engine.timing.clocks import WallClock
from tests.fakes.exchange import FakeExchange, Symbol, listening
from tests.fakes.patience import until

BTC, ETH = "BTC/USDT", "ETH/USDT"
LIMITS = BookLimits(max_spread=Decimal("0.005"), max_price_gap=Decimal("0.02"))


class Steps:
    """A market whose price is what it is set to."""

    def __init__(self, base: str, price: float) -> None:
        self.now = price
        self.symbol = Symbol(base=base, price=lambda _: self.now)


@pytest.fixture
def btc() -> Steps:
    return Steps("BTC", 60_000.0)


@pytest.fixture
async def fake(btc: Steps) -> AsyncIterator[FakeExchange]:
    async with listening([btc.symbol, Steps("ETH", 3_000.0).symbol]) as fake:
        yield fake


@asynccontextmanager
async def streaming(fake: FakeExchange, stalled_after: float = 1.0) -> AsyncIterator[tuple[LiveFeed, Streaming]]:
    """A feed that has been looked at once, and then hears of its markets by websocket alone."""
    clock = WallClock()
    client = VenueClient(exchange="binance", api_url=fake.url, answer_within=timedelta(seconds=5), clock=clock)
    await client.open()
    listed: dict[str, Market] = {name: each.market for name, each in (await client.listings()).items()}
    feed = LiveFeed(listed, fresh_for=timedelta(seconds=10))
    for market in listed.values():
        book = await client.book(market)
        feed.list_as(market)
        feed.see(market.symbol, book.at, book.mid, book)
    made = Streaming(client=client, feed=feed, clock=clock, limits=LIMITS, listed=listed, stalled_after=stalled_after)
    task = asyncio.create_task(made.run())
    try:
        yield feed, made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


def price(feed: LiveFeed) -> Decimal:
    return feed.price(BTC, datetime.now(UTC))


async def test_prices_come_by_themselves_and_the_book_stays_the_one_that_was_looked_at(
    fake: FakeExchange, btc: Steps
) -> None:
    async with streaming(fake) as (feed, made):
        looked_at = feed.book(BTC, datetime.now(UTC))
        await until(lambda: made.is_streamed(BTC) and made.is_streamed(ETH))
        asked = len(fake.calls)
        btc.now = 60_300.0
        await until(lambda: price(feed) == Decimal(60_300))
        assert feed.book(BTC, datetime.now(UTC)) is looked_at
        assert len(fake.calls) == asked
        assert fake.socket.connected == 1


async def test_a_price_that_stands_still_keeps_its_age_and_takes_no_room(fake: FakeExchange) -> None:
    async with streaming(fake) as (feed, made):
        await until(lambda: made.is_streamed(BTC))
        before, start = feed.seen_at(BTC), datetime.now(UTC)
        await until(lambda: (feed.seen_at(BTC) or start) > start + timedelta(seconds=1))
        assert before is not None
        assert len(feed.path(BTC, before - timedelta(hours=1), datetime.now(UTC))) <= 3


async def test_a_quote_far_from_the_last_price_waits_for_a_look_at_the_book(fake: FakeExchange, btc: Steps) -> None:
    async with streaming(fake) as (feed, made):
        await until(lambda: made.is_streamed(BTC))
        btc.now = 20_000.0
        await asyncio.sleep(1)
        assert price(feed) == Decimal(60_000)


async def test_a_socket_that_stalls_is_made_anew_and_meanwhile_the_market_is_not_streamed(
    fake: FakeExchange, btc: Steps
) -> None:
    async with streaming(fake) as (feed, made):
        await until(lambda: made.is_streamed(BTC))
        fake.socket.silent = True
        await until(lambda: fake.socket.connected >= 2)
        await until(lambda: not made.is_streamed(BTC))
        fake.socket.silent = False
        btc.now = 59_700.0
        await until(lambda: price(feed) == Decimal(59_700))
        assert made.is_streamed(BTC)


async def test_a_socket_that_is_cut_or_refused_is_asked_for_again(fake: FakeExchange, btc: Steps) -> None:
    async with streaming(fake) as (feed, made):
        await until(lambda: made.is_streamed(BTC))
        fake.socket.refused = True
        await fake.socket.cut()
        await asyncio.sleep(1)
        fake.socket.refused = False
        btc.now = 60_600.0
        await until(lambda: price(feed) == Decimal(60_600))
        assert fake.socket.connected == 2


@pytest.mark.slow
async def test_a_venue_that_says_no_goodbye_does_not_hold_up_the_end(fake: FakeExchange) -> None:
    fake.socket.deaf = True
    async with streaming(fake) as (_, made):
        await until(lambda: made.is_streamed(BTC))
        begins = asyncio.get_running_loop().time()
    fake.socket.deaf = False
    assert asyncio.get_running_loop().time() - begins < 3


async def test_after_a_time_in_which_nobody_looked_no_quote_counts_before_a_look_has_told_of_it(
    fake: FakeExchange, btc: Steps
) -> None:
    async with streaming(fake) as (feed, made):
        await until(lambda: made.is_streamed(BTC))
        feed.fresh_for = timedelta(0)
        await asyncio.sleep(0.5)
        seen = feed.seen_at(BTC)
        btc.now = 60_300.0
        await asyncio.sleep(1)
        assert feed.seen_at(BTC) == seen


def test_a_venue_that_has_not_listed_its_markets_has_no_stream() -> None:
    client = VenueClient(exchange="binance", api_url=None, answer_within=timedelta(seconds=1), clock=WallClock())
    with pytest.raises(VenueError, match="has not listed its markets"):
        client.stream()
