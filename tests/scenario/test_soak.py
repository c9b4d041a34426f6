"""The soak on real time, for a minute; and what its audit sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.program import Files
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.venues.binance import FakeBinance, trading
from tests.fakes.venues.spot_orders import SpotOrder
from tests.proof import audit
from tests.proof.soak import soak
from tests.proof.storms import storm

MINUTE = 1 / 60


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_minute_with_faults_leaves_database_and_venue_alike(tmp_path: Path) -> None:
    made = await soak(tmp_path, MINUTE)
    assert made.complaints == []
    assert made.faults.total() > 0
    assert made.samples


@pytest.mark.slow
async def test_the_same_seed_gives_the_same_journal_twice_and_another_seed_another(tmp_path: Path) -> None:
    first, again, other = [
        await storm(tmp_path / name, seed=seed, decisions=12) for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert [each.complaints for each in (first, again, other)] == [[], [], []]
    assert first.faults.total() > 10
    assert first.told() | {"seconds": 0} == again.told() | {"seconds": 0}
    assert other.journal != first.journal


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    async with trading(balances={"USDT": "100000"}) as fake:
        fake.set_price("BTCUSDT", 60_000)
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, fake: FakeBinance) -> AsyncIterator[Bench]:
    async with bench_at(tmp_path, fake, haste=100) as made:
        await made.buy("a")
        assert audit.complaints(Files(folder=tmp_path), fake) == []
        yield made


async def test_the_audit_sees_a_trade_that_is_not_in_the_books(bench: Bench, tmp_path: Path, fake: FakeBinance) -> None:
    order = SpotOrder(symbol="BTCUSDT", side="BUY", type="MARKET", client_id="by hand", quantity=Decimal("0.01"))
    fake.matching.place(order)
    found = audit.complaints(Files(folder=tmp_path), fake)
    assert any("not in the books" in each for each in found)
    assert any(each.startswith("BTC:") for each in found)


async def test_the_audit_sees_a_missing_stop_and_money_that_went(
    bench: Bench, tmp_path: Path, fake: FakeBinance
) -> None:
    for order in fake.matching.open_orders():
        fake.matching.cancel(order)
    fake.ledger.free["USDT"] -= Decimal("0.00000001")
    found = audit.complaints(Files(folder=tmp_path), fake)
    assert any("stops of [] at the venue" in each for each in found)
    assert any("not conserved" in each for each in found)
    assert any(each.startswith("USDT:") for each in found)


async def test_the_audit_sees_an_order_that_was_sent_twice(bench: Bench, tmp_path: Path, fake: FakeBinance) -> None:
    (bought,) = [each for each in fake.matching.orders if each.is_buy]
    again = SpotOrder(symbol="BTCUSDT", side="BUY", type="MARKET", client_id=bought.client_id, quantity=Decimal("0.01"))
    fake.matching.place(again)
    assert f"{bought.client_id} was taken 2 times" in audit.complaints(Files(folder=tmp_path), fake)


def test_time_without_protection_is_counted_while_the_bot_runs() -> None:
    fake = FakeBinance(balances={"USDT": "100000"})
    fake.set_price("BTCUSDT", 60_000)
    fake.matching.place(_order("BUY", "MARKET"))
    fake.matching.place(_order("SELL", "STOP_LOSS", stop_price=Decimal(58_000)))
    _, stop = fake.matching.orders
    since = fake.matching.trades[0].at
    stop.created = since + 3000
    assert audit.bare(fake) == [3.0]
    assert audit.bare(fake, [(since + 500, since + 2500)]) == [1.0]


def _order(side: str, kind: str, **more: Decimal) -> SpotOrder:
    quantity = Decimal("0.01") if side == "BUY" else Decimal("0.009")
    return SpotOrder(symbol="BTCUSDT", side=side, type=kind, client_id=side, quantity=quantity, **more)
