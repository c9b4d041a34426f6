"""A purchase that is filled bit by bit at a real venue: what people are told of it, and how what protects it moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import OrderPartlyFilled, ProtectionMoved
from engine.domain.orders import OrderType
from engine.domain.plans import ExecutionPlan
from engine.execution.orders import intend
from engine.views import reports
from handlers.cards import parts
from tests.fakes.engine import events_of
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.reports import plan
from tests.fakes.venues.binance import trading
from tests.fakes.venues.kraken import FakeKraken, trading_kraken


@pytest.fixture(params=["binance", "kraken"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = trading_kraken() if request.param == "kraken" else trading()
    async with made as fake, bench_at(tmp_path, fake, haste=100.0) as bench:
        if isinstance(fake, FakeKraken):
            fake.counter.most = 1000
        bench.move(60_000)
        yield bench


async def waiting(at: Bench, limit: str, quantity: str) -> str:
    """Buy at a limit below the market; the order's id."""
    wanted = plan(
        venue=at.name, symbol=at.symbol, key="a", quantity=Decimal(quantity), price=Decimal(limit),
        stop=Decimal(55_000), target=Decimal(65_000),
        execution=ExecutionPlan(type=OrderType.LIMIT, limit_price=Decimal(limit)),
    )  # fmt: skip
    order = await at.store.transact(lambda uow: intend(uow, wanted, at.clock.now(), decision_id="D1"))
    await at.orchestrator.send(order)
    return order.id


async def told(at: Bench) -> tuple[list[str], list[str]]:
    """Which orders people were told of as partly filled, and which positions as protected anew."""
    filled, moved = await events_of(at.store, OrderPartlyFilled), await events_of(at.store, ProtectionMoved)
    return (
        [each.order_id for each in filled if isinstance(each, OrderPartlyFilled)],
        [each.position_id for each in moved if isinstance(each, ProtectionMoved)],
    )


async def test_parts_and_the_stop_that_follows_them_are_told_once_each(at: Bench) -> None:
    order_id = await waiting(at, "59000", "0.1")
    assert await told(at) == ([], [])
    (resting,) = at.fake.matching.open_orders()
    at.fake.matching.fill(resting, "0.04")
    await at.sync()
    (held,) = await at.held()
    assert await told(at) == ([order_id], [])
    card = parts.partly_filled(await at.store.read(lambda uow: reports.part(uow, order_id)))
    assert dict(card.fields)["Still waits"] == "0.06 BTC"
    at.fake.matching.fill(resting, "0.05")
    await at.sync()
    assert await told(at) == ([order_id] * 2, [held.id])
    shown = parts.moved(await at.store.read(lambda uow: reports.moved(uow, held.id)))
    first, second = dict(shown.fields)["Before"], dict(shown.fields)["Now"]
    assert first.startswith("55,000 / 65,000 for 0.0")
    assert second.startswith("55,000 / 65,000 for 0.0")
    assert first != second
    at.move(58_900)
    await at.sync()
    assert await told(at) == ([order_id] * 2, [held.id] * 2), "the last part ends it: its card is edited, none is made"
    ended = parts.partly_filled(await at.store.read(lambda uow: reports.part(uow, order_id)))
    assert "filled whole after all" in ended.title
    await at.sync()
    assert await told(at) == ([order_id] * 2, [held.id] * 2)
    await at.settle()
    await at.check()


async def test_a_purchase_at_market_that_walks_the_book_is_no_part(at: Bench) -> None:
    await at.buy("a", "0.05")
    assert await told(at) == ([], [])


async def test_a_stop_that_somebody_cancelled_comes_back_without_being_called_moved(at: Bench) -> None:
    await at.buy("a", "0.05")
    (standing, *_) = at.fake.matching.open_orders()
    at.fake.matching.cancel(standing)
    await at.sync()
    await at.settle()
    assert await told(at) == ([], [])
    await at.check()
