"""Kraken's counter as it is at the real venue: few calls, and what leads to a protection before what only looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.exchanges.ccxt.budget import asking
from engine.exchanges.ccxt.turns import Urgency
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.venues.kraken import FakeKraken, trading_kraken

AT_ONCE = 3.0
"""Seconds within which a purchase has its stop, on a busy machine; a single point of the counter takes as long."""


@pytest.fixture
async def fake() -> AsyncIterator[FakeKraken]:
    async with trading_kraken(balances={"USD": "100000"}) as fake:
        fake.set_price("XBTUSD", 60_000)
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, fake: FakeKraken) -> AsyncIterator[Bench]:
    async with bench_at(tmp_path, fake) as made:
        yield made


def calls_of(fake: FakeKraken) -> list[str]:
    return [each.call.rpartition("/")[2] for each in fake.log if "/private/" in each.call]


def stops_of(fake: FakeKraken) -> int:
    return sum(each.type == "STOP_LOSS" for each in fake.matching.open_orders())


async def test_two_purchases_at_once_are_both_protected_at_once(bench: Bench, fake: FakeKraken) -> None:
    begins = asyncio.get_running_loop().time()
    await asyncio.gather(bench.buy("a"), bench.buy("b"))
    took = asyncio.get_running_loop().time() - begins
    assert (stops_of(fake), fake.counter.refused) == (2, 0)
    assert took < AT_ONCE


async def test_an_order_is_asked_for_by_the_venues_id_of_it(bench: Bench, fake: FakeKraken) -> None:
    before = len(calls_of(fake))
    await bench.buy("a")
    assert calls_of(fake)[before:] == ["AddOrder", "QueryOrders", "TradesHistory", "AddOrder", "QueryOrders"]
    await bench.buy("b")
    before = len(calls_of(fake))
    await bench.sync()
    assert calls_of(fake)[before:] == ["QueryOrders"]


@pytest.mark.slow
async def test_a_purchase_waits_before_it_is_sent_and_not_before_it_is_protected(
    bench: Bench, fake: FakeKraken
) -> None:
    with asking(Urgency.NEWS):
        await asyncio.gather(*(bench.exchange.balances() for _ in range(9)))
    await bench.buy("a")
    bought, stop = fake.matching.orders
    assert (stop.created - bought.created) / 1000 < 1
    assert fake.counter.refused == 0


@pytest.mark.slow
async def test_on_a_counter_that_is_used_up_a_sale_costs_four_looks_and_waits_for_two(
    bench: Bench, fake: FakeKraken
) -> None:
    await bench.buy("a")
    with asking(Urgency.NEWS):
        await asyncio.gather(*(bench.exchange.balances() for _ in range(12)))
    assert not bench.exchange.has_room_for_a_look
    (held,) = await bench.held()
    before, begins = len(calls_of(fake)), asyncio.get_running_loop().time()
    selling = asyncio.create_task(bench.sell(held))
    while "AddOrder" not in calls_of(fake)[before:]:
        assert not selling.done()
        await asyncio.sleep(0.05)
    took = asyncio.get_running_loop().time() - begins
    until_sold = calls_of(fake)[before:].index("AddOrder")
    looked = ["QueryOrders", "BalanceEx", "QueryOrders", "CancelOrder", "QueryOrders"]
    assert calls_of(fake)[before:][:until_sold] == looked
    assert (took < 15, fake.counter.refused) == (True, 0)
    selling.cancel()
    await asyncio.gather(selling, return_exceptions=True)


async def test_after_a_restart_the_record_has_the_venues_ids(bench: Bench, fake: FakeKraken) -> None:
    await bench.buy("a")
    await bench.crash()
    before = len(calls_of(fake))
    await bench.sync()
    assert calls_of(fake)[before:] == ["QueryOrders", "TradesHistory"]


async def test_what_only_looks_holds_up_no_protection(bench: Bench, fake: FakeKraken) -> None:
    looking = [asyncio.create_task(bench.exchange.balances()) for _ in range(12)]
    await asyncio.sleep(0.1)
    begins = asyncio.get_running_loop().time()
    await bench.buy("a")
    assert stops_of(fake) == 1
    assert asyncio.get_running_loop().time() - begins < AT_ONCE
    assert not all(each.done() for each in looking)
    for each in looking:
        each.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
