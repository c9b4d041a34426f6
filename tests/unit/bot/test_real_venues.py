"""Real venues as the program has them: their orders as the database has them, and what they tell by themselves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from bot.real_venues import StoredOrders, follow_news
from engine.domain.orders import OrderStatus
from engine.store.database import Database, nowhere
from engine.store.location import url_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.binance import trading
from tests.fakes.database import new_file
from tests.fakes.patience import until
from tests.fakes.real_account import account_at, order
from tests.fakes.recorded import MemoryRecord


async def test_what_a_venue_tells_by_itself_is_taken_in_at_once_over_a_cut() -> None:
    asked: list[str] = []

    async def sync(venue: str) -> None:
        asked.append(venue)

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
