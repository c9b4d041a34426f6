"""Entries at a limit at real venues: partly filled there, then at market or given up, and killed on the way.

The real ccxt against a strict Binance and a strict Kraken.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.orders import Order, OrderStatus, OrderType, Purpose
from engine.domain.plans import Entry, Then
from engine.execution.orders import intend
from engine.execution.reconcile import reconcile
from tests.fakes.exchange import Fault
from tests.fakes.patience import until
from tests.fakes.real_bench import VENUES, Bench, usual_bench
from tests.fakes.reports import plan

LIMIT, QUANTITY, AT_THE_LIMIT = Decimal(59_900), Decimal("0.01"), Decimal("0.004")
PATIENCE = timedelta(minutes=1)
"""Less than for how long a cancelled order is replaced: a fake venue goes by the wall clock, and is not leapt."""
NEVER_ANSWERED, NEVER_ARRIVED = Fault(after=60), Fault(after=60, effect=False)


async def wait_at_the_limit(bench: Bench, entry: Entry) -> Order:
    """Place an entry below the market, of which some is filled there."""
    wanted = plan(
        venue=bench.name,
        symbol=bench.symbol,
        key=f"{entry}",
        quantity=QUANTITY,
        price=LIMIT,
        stop=Decimal(58_000),
        target=Decimal(65_000),
        execution=entry.planned(LIMIT),
    )
    order = await bench.store.transact(lambda uow: intend(uow, wanted, bench.clock.now(), decision_id="D1"))
    await bench.orchestrator.send(order)
    (there,) = bench.fake.matching.open_orders()
    bench.fake.matching.fill(there, AT_THE_LIMIT, LIMIT)
    await bench.sync()
    return order


async def entries(bench: Bench) -> list[Order]:
    found = await bench.store.read(lambda uow: uow.orders.all_of_decision("D1"))
    return [each for each in found if each.purpose is Purpose.ENTRY]


def chasing(chase: str) -> Entry:
    return Entry(patience=PATIENCE, then=Then.MARKET, chase=Decimal(chase))


async def bought(bench: Bench) -> Decimal:
    return sum((each.filled for each in await entries(bench)), Decimal(0))


async def end_patience(bench: Bench) -> None:
    """As the job does, once it is due."""
    bench.clock.leap(PATIENCE)
    due = await bench.orchestrator.patience_ends()
    assert due is not None
    assert due <= bench.clock.now()
    await bench.orchestrator.end_patience()


@VENUES
async def test_what_is_filled_at_the_limit_is_protected_and_the_rest_is_bought_at_market(tmp_path: Path, name: str):
    async with usual_bench(tmp_path, name) as bench:
        await wait_at_the_limit(bench, chasing("0.01"))
        (held,) = await bench.held()
        standing = [each for each in await bench.unfinished() if each.purpose is Purpose.PROTECTION]
        lot = Decimal(bench.fake.symbols[bench.market].lot)
        whole = held.quantity - held.quantity % lot
        assert [each.request.quantity for each in standing] == [whole], "while the rest waits"
        await end_patience(bench)
        waited, instead = await entries(bench)
        assert (waited.status, waited.filled) == (OrderStatus.CANCELLED, AT_THE_LIMIT)
        assert (instead.request.type, instead.filled) == (OrderType.MARKET, QUANTITY - AT_THE_LIMIT)
        assert await bench.orchestrator.patience_ends() is None
        await bench.settle()
        await bench.check()


@VENUES
async def test_the_rest_is_given_up_where_the_price_has_run_away(tmp_path: Path, name: str):
    async with usual_bench(tmp_path, name) as bench:
        await wait_at_the_limit(bench, chasing("0.001"))
        bench.move(61_000)
        await end_patience(bench)
        (waited,) = await entries(bench)
        assert waited.reason == "cancelled: it has waited long enough, and the price has run away"
        assert await bought(bench) == AT_THE_LIMIT
        await bench.settle()
        await bench.check()


@VENUES
async def test_what_the_venue_filled_while_it_was_cancelled_is_not_bought_again(tmp_path: Path, name: str):
    async with usual_bench(tmp_path, name) as bench:
        await wait_at_the_limit(bench, chasing("0.01"))
        (there,) = [each for each in bench.fake.matching.open_orders() if each.side == "BUY"]
        bench.fake.matching.fill(there, QUANTITY - AT_THE_LIMIT, LIMIT)
        await end_patience(bench)
        (waited,) = await entries(bench)
        assert (waited.status, waited.filled) == (OrderStatus.FILLED, QUANTITY)
        await bench.settle()
        await bench.check()


@pytest.mark.slow
@VENUES
@pytest.mark.parametrize("fault", [NEVER_ANSWERED, NEVER_ARRIVED], ids=["done", "not done"])
async def test_killed_at_any_call_on_the_way_to_market_it_buys_the_rest_once(tmp_path: Path, name: str, fault: Fault):
    died_at: list[str] = []
    for number in range(30):
        calls: list[str] = []

        def at_last(call: str, *, number: int = number, calls: list[str] = calls) -> Fault | None:
            calls.append(call)
            return fault if len(calls) == number + 1 else None

        async with usual_bench(tmp_path / str(number), name) as bench:
            await wait_at_the_limit(bench, chasing("0.01"))
            bench.fake.meddle = at_last
            ending = asyncio.create_task(end_patience(bench))
            await until(lambda calls=calls, ending=ending, number=number: len(calls) > number or ending.done())
            over = len(calls) <= number
            if not over:
                died_at.append(calls[number])
                await until(lambda bench=bench: not fault.effect or bench.fake.log[-1].call == died_at[-1])
            ending.cancel()
            with suppress(asyncio.CancelledError):
                await ending
            bench.fake.meddle = lambda _: None
            await bench.crash()
            await reconcile(bench.store, bench.orchestrator)
            if await bench.orchestrator.patience_ends() is not None:
                await bench.orchestrator.end_patience()
            await bench.settle()
            assert len(await entries(bench)) <= 2
            assert await bought(bench) in (QUANTITY, AT_THE_LIMIT), "the rest once, or a recorded refusal"
            if await bought(bench) == AT_THE_LIMIT:
                assert (await entries(bench))[-1].never_arrived
            await bench.check()
        if over:
            break
    assert len(died_at) >= 3
