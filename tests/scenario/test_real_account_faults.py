"""Faults of a whole account at a real venue: the engine's execution and database, the real ccxt, a strict venue.

What one order meets on its way is in ``test_real_faults``.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from engine.domain.errors import StoreError
from engine.execution.emergency import EmergencyStopSystem
from engine.execution.orders import intend
from engine.execution.reconcile import agree
from tests.fakes.exchange import Symbol, usual_symbols
from tests.fakes.program import Files
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.reports import plan
from tests.fakes.venues import binance
from tests.fakes.venues.binance import FakeBinance, trading
from tests.fakes.venues.spot_filters import Filters
from tests.fakes.venues.spot_orders import SpotOrder

PLACE = "POST /api/v3/order"
ENOUGH = 60
"""How many rounds an emergency stop may take."""


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    symbols = [*usual_symbols(), Symbol(base="BNB", price=lambda _: 600.0)]
    async with trading(symbols, balances={"USDT": "100000"}) as fake:
        fake.set_price("BTCUSDT", 60_000)
        fake.matching.filters = Filters(max_orders=1000, max_conditional=500)
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, fake: FakeBinance) -> AsyncIterator[Bench]:
    async with bench_at(tmp_path, fake, haste=100) as made:
        yield made


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The database is held by another process."""
    with closing(sqlite3.connect(folder / "greenlight.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.slow
async def test_while_the_database_is_locked_nothing_is_sent_to_the_venue(
    bench: Bench, fake: FakeBinance, tmp_path: Path
) -> None:
    """FAULT 28: no order without a stored intent, and none whose sending could not be written down."""
    wanted = plan(venue="binance", symbol="BTC/USDT", key="a", quantity=Decimal("0.01"), price=Decimal(60_000),
                  stop=Decimal(58_000), target=Decimal(65_000))  # fmt: skip
    order = await bench.store.transact(lambda uow: intend(uow, wanted, bench.clock.now(), decision_id="a"))
    with locked(tmp_path), pytest.raises(StoreError):
        await bench.orchestrator.send(order)
    assert fake.count(PLACE) == 0
    await bench.settle()
    await bench.check()
    (row,) = Files(folder=tmp_path).rows("SELECT status, reason FROM orders")
    assert (row["status"], fake.matching.accepted) == ("rejected", {})
    assert "never reached the venue" in row["reason"]


@pytest.mark.parametrize("fault", [binance.DOWN, binance.UNKNOWN_OUTCOME], ids=["not done", "nobody knows"])
async def test_an_emergency_stop_goes_on_through_a_storm_of_503_and_a_restart(
    bench: Bench, fake: FakeBinance, fault: binance.Fault
) -> None:
    """FAULT 30."""
    for name in "ab":
        await bench.buy(name)
    rounds, dice = 0, Random(30)  # noqa: S311 - no secret

    def storm(_: str) -> binance.Fault | None:
        return fault if rounds < 2 or dice.random() < 0.5 else None  # all calls at first, then every other

    async def wait(_: float) -> None:
        nonlocal rounds
        rounds += 1
        bench.clock.leap(timedelta(minutes=10))  # what failed is left alone longer each time
        if rounds == 2 or rounds > ENOUGH or not await bench.held():
            raise TimeoutError

    def system() -> EmergencyStopSystem:
        return EmergencyStopSystem(store=bench.store, orchestrator=bench.orchestrator, clock=bench.clock, wait=wait)

    fake.meddle = storm
    halt = await system().call("Ada")
    with pytest.raises(TimeoutError):
        await system().run()
    fake.meddle = lambda _: None
    await bench.crash()
    fake.meddle = storm
    assert await system().standing() == halt, "the halt survives the restart"
    while await bench.held() and rounds <= ENOUGH:
        with pytest.raises(TimeoutError):
            await system().run()
    await bench.settle()
    assert await bench.held() == ()
    assert fake.ledger.total("BTC") < Decimal("0.0001")
    await bench.check()
    assert fake.matching.open_orders() == []


async def test_what_the_account_holds_at_the_first_start_is_counted_named_and_left_alone(
    tmp_path: Path, fake: FakeBinance
) -> None:
    """FAULT 34: coins, and an order by hand."""
    fake.ledger.change("BTC", Decimal("0.5"), "deposit")
    fake.matching.place(_by_hand("SELL", "LIMIT", "0.1", price=Decimal(90_000)))
    async with bench_at(tmp_path, fake, haste=100) as bench:
        found = await bench.store.read(lambda uow: uow.ledger.inventory("binance"))
        assert found is not None
        assert [(each.currency, each.quantity) for each in found.holdings] == [("BTC", Decimal("0.5"))]
        assert [each.quantity for each in found.orders] == [Decimal("0.1")]
        equity = await bench.store.read(lambda uow: Decimal(uow.account.opening))
        assert equity > 100_000 + 29_000, "never: equity is the cash"
        await bench.buy("a")
        await bench.sync()
        assert await agree(bench.store, bench.exchange, bench.orchestrator, bench.clock.now()) == {}
        assert fake.ledger.total("BTC") >= Decimal("0.5"), "nothing of it was sold"
        assert any(each.client_id == "hand SELL" for each in fake.matching.open_orders())


@pytest.mark.parametrize(
    ("coin", "amount"), [("USDT", "500"), ("USDT", "-500"), ("BNB", "0.5"), ("BTC", "0.2")],
    ids=["deposit", "withdrawal", "conversion", "coins"],
)  # fmt: skip
async def test_what_is_paid_in_or_out_is_no_fill_and_no_loss(
    bench: Bench, fake: FakeBinance, tmp_path: Path, coin: str, amount: str
) -> None:
    """FAULT 39: a start says so, and an admin's word books it."""
    await bench.buy("a")
    before = Files(folder=tmp_path).rows("SELECT * FROM fills")
    fake.ledger.change(coin, Decimal(amount), "deposit")
    await bench.sync()
    await bench.orchestrator.look_again()
    assert Files(folder=tmp_path).rows("SELECT * FROM fills") == before
    assert len(await bench.held()) == 1
    with pytest.raises(StoreError):
        await agree(bench.store, bench.exchange, bench.orchestrator, bench.clock.now())
    booked = await agree(bench.store, bench.exchange, bench.orchestrator, bench.clock.now(), accept=True)
    (here, there) = booked[coin]
    assert there - here == Decimal(amount)
    await bench.crash()
    await bench.check()


@pytest.mark.parametrize("fault", [None, binance.DROPPED, binance.DOWN], ids=["calm", "lost", "down"])
async def test_two_positions_of_one_coin_are_each_sold_once_however_often_it_is_wished(
    bench: Bench, fake: FakeBinance, fault: binance.Fault | None
) -> None:
    """FAULT 41."""
    await bench.buy("a", "0.01")
    await bench.buy("b", "0.02")
    first, second = await bench.held()
    if fault is not None:
        fake.fail(PLACE, fault)
    await asyncio.gather(*(bench.sell(each) for each in (first, second, first, second)))
    for _ in range(4):
        await bench.settle()
        for held in await bench.held():
            await bench.sell(held)
    await bench.check()
    assert await bench.held() == ()
    sold = sum(each.quantity for each in fake.matching.trades if each.side == "SELL")
    bought = sum(each.quantity - each.fee for each in fake.matching.trades if each.side == "BUY")
    assert 0 <= bought - sold < Decimal("0.00002"), "all of it, once"
    assert fake.count(PLACE) <= 2 + 6, "no storm of retries"


async def test_a_fill_that_is_told_by_socket_by_polling_and_after_a_reconnect_counts_once(
    bench: Bench, fake: FakeBinance, tmp_path: Path
) -> None:
    """FAULT 32."""
    fake.stream.copies = 2
    news = asyncio.create_task(bench.exchange.news())
    for _ in range(300):
        if fake.stream.listeners:
            break
        await asyncio.sleep(0.02)
    await bench.buy("a")
    await asyncio.wait_for(news, 10)
    await asyncio.gather(bench.sync(), bench.sync())
    await fake.stream.cut()
    await bench.sync()
    await bench.crash()
    await bench.sync()
    trades = [str(each.trade_id) for each in fake.matching.trades]
    assert [row["trade_id"] for row in Files(folder=tmp_path).rows("SELECT * FROM fills")] == trades
    await bench.check()


async def test_a_market_that_is_halted_refuses_its_own_orders_and_what_is_held_stays_protected(
    bench: Bench, fake: FakeBinance, tmp_path: Path
) -> None:
    """FAULT 11."""
    await bench.buy("a")
    fake.symbols["BTCUSDT"].status = "BREAK"
    placed = fake.count(PLACE)
    await bench.buy("b")
    for _ in range(3):
        await bench.sync()
    assert fake.count(PLACE) <= placed + 1, "no loop of retries"
    (row,) = Files(folder=tmp_path).rows("SELECT status, reason FROM orders WHERE decision_id = 'b'")
    assert row["status"] == "rejected"
    assert row["reason"]
    fake.symbols["BTCUSDT"].status = "TRADING"
    await bench.settle()
    await bench.check()
    assert len(await bench.held()) == 1


def _by_hand(side: str, kind: str, quantity: str, **more: Decimal) -> SpotOrder:
    order = SpotOrder(symbol="BTCUSDT", side=side, type=kind, client_id=f"hand {side}", quantity=Decimal(quantity))
    return replace(order, **more)
