"""Real venues as the program has them: their orders as the database has them, and what they tell by themselves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.real_venues import StoredOrders, follow_news, open_real_venues
from config.loader import load
from engine.data.live.feed_data import OwnBooks
from engine.domain.errors import NoData, VenueError
from engine.domain.market import Book, Level, Market
from engine.domain.orders import OrderStatus
from engine.store.database import Database, nowhere
from engine.store.location import url_of
from engine.store.unit_of_work import UnitOfWork
from engine.timing.clocks import WallClock
from tests.fakes.database import new_file
from tests.fakes.feed import BTC, HandClock, hand_feed
from tests.fakes.patience import until
from tests.fakes.real_account import BookOf, account_at, names_of, order
from tests.fakes.recorded import MemoryRecord
from tests.fakes.venues.binance import trading
from tests.fakes.venues.kraken import trading_kraken


async def test_what_a_venue_tells_by_itself_is_taken_in_at_once_over_a_cut_and_an_error_that_nobody_foresaw() -> None:
    asked: list[str] = []
    fails = [True, False, False]

    async def sync(venue: str) -> None:
        asked.append(venue)
        if fails and fails.pop(0):
            raise RuntimeError("nobody foresaw this")

    async with trading() as fake, account_at(fake) as at, account_at(fake) as hand:
        following = asyncio.create_task(follow_news(at.exchange, sync))
        await until(lambda: fake.stream.listeners == 1)
        await hand.venue.submit(order("a", "0.01"))
        await until(lambda: bool(asked))
        await fake.stream.cut()
        await until(lambda: fake.stream.subscribed == 2)
        asked.clear()
        await hand.venue.submit(order("b", "0.01"))
        await until(lambda: bool(asked))
        assert set(asked) == {"binance"}
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def test_the_record_of_a_venue_has_its_own_orders_alone(tmp_path: Path) -> None:
    memory = MemoryRecord()
    for name in ("a", "b", "c"):
        memory.write(order(name))
    mine, done, other = memory.orders.values()
    store = Database(url_of(new_file(tmp_path)), route=nowhere)
    try:

        def write(uow: UnitOfWork) -> None:
            for each in (mine, done):
                uow.orders.add(each)
            uow.orders.mark(done.id, OrderStatus.FILLED, done.created_at)

        await store.transact(write)
        record = StoredOrders(store, "binance")
        assert [each.id for each in await record.unfinished()] == [mine.id]
        found = await record.order(done.request.client_id)
        assert found is not None
        assert found.status is OrderStatus.FILLED
        assert await record.order(other.request.client_id) is None
        assert await StoredOrders(store, "kraken").order(mine.request.client_id) is None
        assert await StoredOrders(store, "kraken").unfinished() == []
    finally:
        await store.close()


@pytest.mark.parametrize("venue", [trading, trading_kraken])
async def test_a_venue_that_prices_do_not_come_from_tells_its_own_books(venue: Any) -> None:
    async with venue() as fake, account_at(fake) as at:
        await at.account.open()

        def listed(symbol: str) -> Market | None:
            found = at.account.markets.get(symbol)
            return found.market if found else None

        clock = HandClock()
        data = OwnBooks(
            venue=at.name, feed=hand_feed([(1, 1, 1, 1, 1)]), clock=clock, listed=listed, ask=at.account.book
        )
        told, there = await data.book(at.symbol), await at.prices.book(at.symbol)
        assert (told.bid, told.ask, told.asks[0].quantity) == (there.bid, there.ask, there.asks[0].quantity)
        assert told.ask > 2, "not the feed's"
        with pytest.raises(NoData, match="does not list DOGE/USDT"):
            await data.book("DOGE/USDT")
        await at.close()
        clock.to(1)
        with pytest.raises(VenueError):
            await data.book(at.symbol)


async def test_a_book_that_is_asked_for_again_at_once_is_asked_of_the_venue_once() -> None:
    asked: list[str] = []

    async def ask(market: Market) -> Book:
        asked.append(market.symbol)
        level = Level(price=Decimal(100), quantity=Decimal(1))
        return Book(symbol=market.symbol, at=clock.now(), bids=(level,), asks=(level,))

    clock = HandClock()
    data = OwnBooks(venue="kraken", feed=hand_feed([(1, 1, 1, 1, 1)]), clock=clock, listed=lambda _: BTC, ask=ask)
    await data.book(BTC.symbol)
    await data.book(BTC.symbol)
    assert len(asked) == 1
    clock.to(1)
    await data.book(BTC.symbol)
    assert len(asked) == 2


async def test_of_two_real_venues_that_which_prices_come_from_has_the_feeds_book_and_the_other_its_own(
    tmp_path: Path,
) -> None:
    async with trading() as binance, trading_kraken() as kraken:
        fakes = {"binance": binance, "kraken": kraken}
        keys = {
            f"BOT_EXCHANGES__{name.upper()}__{part}": value
            for name, fake in fakes.items()
            for part, value in (("API_KEY", fake.keys.key), ("SECRET", fake.keys.secret))
        }
        exchanges = {name: {"orders": "real", "api_url": fake.url} for name, fake in fakes.items()}
        context = {"name": "c", "strategy": "momentum", "markets": ["BTC/USDT"], "venues": list(fakes)}
        asked = {"exchanges": exchanges, "contexts": [context]}
        settings = load("paper", None, asked, keys, tmp_path).settings
        store, feed = Database(url_of(new_file(tmp_path)), route=nowhere), hand_feed([(1, 1, 1, 1, 1)])
        found = open_real_venues(settings, lambda _: feed, store, WallClock(), lambda _: None)
        try:
            for each in found.values():
                await each.exchange.balances()
            symbol = next(iter(names_of(kraken)))
            told, there = await found["kraken"].market_data.book(symbol), await BookOf(kraken).book(symbol)
            assert (told.bid, told.ask) == (there.bid, there.ask)
            with pytest.raises(NoData):
                await found["binance"].market_data.book("BTC/USDT")  # the feed has nothing of today
        finally:
            for each in found.values():
                await each.exchange.close()
            await store.close()
