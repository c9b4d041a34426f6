"""Slices at real venues: one position, whose stop grows with each of them, also where one is lost on the way.

The real ccxt against a strict Binance and a strict Kraken; when a slice is sent is what ``test_slices`` is about.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import GreenlightError
from engine.domain.orders import Order, OrderStatus, Purpose
from engine.domain.plans import AT_MARKET, Slicing, TradePlan
from engine.execution.orders import intend, intend_slice
from tests.fakes.exchange import Fault
from tests.fakes.real_account import BookOf
from tests.fakes.real_bench import VENUES, Bench, usual_bench
from tests.fakes.reports import plan
from tests.fakes.venues.binance import DROPPED, NEVER_HEARD

SLICING = Slicing(most=3, every=timedelta(minutes=1), twap=True)
SLICE = Decimal("0.004")
PLACE = {"binance": "POST /api/v3/order", "kraken": "POST /0/private/AddOrder"}


def left(bench: Bench, quantity: Decimal) -> TradePlan:
    """What is left to be bought, with the slice that is sent."""
    return plan(
        venue=bench.name,
        symbol=bench.symbol,
        key="whole",
        quantity=quantity,
        price=Decimal(60_000),
        stop=Decimal(58_000),
        target=Decimal(65_000),
        execution=replace(AT_MARKET, slicing=SLICING, slice=SLICE),
    )


async def first(bench: Bench) -> Order:
    now = bench.clock.now()
    return await bench.store.transact(lambda uow: intend(uow, left(bench, 3 * SLICE), now, decision_id="D1"))


async def next_after(bench: Bench, before: Order) -> Order:
    known = await bench.store.read(lambda uow: uow.orders.get(before.id))
    rest = replace(left(bench, known.to_follow or Decimal(0)), position_id=known.position_id or None)
    there, now = await BookOf(bench.fake).book(bench.symbol), bench.clock.now()
    return await bench.store.transact(lambda uow: intend_slice(uow, known, rest, now, there, None))


async def send(bench: Bench, order: Order) -> None:
    with suppress(GreenlightError):
        await bench.orchestrator.send(order)


async def statuses(bench: Bench) -> list[OrderStatus]:
    found = await bench.store.read(lambda uow: uow.orders.all_of_decision("D1"))
    return [each.status for each in found if each.purpose is Purpose.ENTRY]


@VENUES
async def test_each_slice_adds_to_one_position_and_its_stop_covers_all_of_it(tmp_path: Path, name: str):
    async with usual_bench(tmp_path, name) as bench:
        order = await first(bench)
        await send(bench, order)
        for _ in range(2):
            await bench.check()
            order = await next_after(bench, order)
            await send(bench, order)
        (held,) = await bench.held()
        assert 3 * SLICE * Decimal("0.99") < held.quantity <= 3 * SLICE, "less a fee in the coin"
        await bench.settle()
        await bench.check()


@VENUES
@pytest.mark.parametrize(
    ("fault", "ends"),
    [(DROPPED, OrderStatus.FILLED), (NEVER_HEARD, OrderStatus.REJECTED)],
    ids=["answer lost", "never arrived"],
)
async def test_a_slice_that_is_lost_on_the_way_is_there_once_or_never_and_what_is_held_is_protected(
    tmp_path: Path, name: str, fault: Fault, ends: OrderStatus
):
    async with usual_bench(tmp_path, name) as bench:
        order = await first(bench)
        await send(bench, order)
        second = await next_after(bench, order)
        bench.fake.fail(PLACE[name], fault)
        await send(bench, second)
        await bench.crash()
        await bench.settle()
        await bench.check()
        assert await statuses(bench) == [OrderStatus.FILLED, ends]
        (held,) = await bench.held()
        whole = (2 if ends is OrderStatus.FILLED else 1) * SLICE
        assert whole * Decimal("0.99") < held.quantity <= whole
