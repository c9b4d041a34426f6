"""Faults of a real venue on the way of orders: the engine's execution and database, the real ccxt, a strict venue.

Each ends the same way: one order per decision, money conserved, the database as the venue, nothing held unprotected.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.real_venues import follow_news
from engine.domain.errors import GreenlightError
from tests.fakes.exchange import Fault, Symbol, usual_symbols
from tests.fakes.patience import until
from tests.fakes.real_bench import Bench, LeapingClock, bench_at
from tests.fakes.venues import binance
from tests.fakes.venues.binance import FakeBinance, trading
from tests.fakes.venues.kraken import FakeKraken, trading_kraken
from tests.fakes.venues.spot_filters import Filters

PLACE, LIST, UNLIST = "POST /api/v3/order", "POST /api/v3/orderList/oco", "DELETE /api/v3/order"
REFUSED = Fault(status=400, effect=False, body='{"code":-2010,"msg":"This action is disabled on this account."}')
NEVER_ANSWERED = Fault(after=60)
NEVER_ARRIVED = Fault(after=60, effect=False)


def no_fault(_: str) -> Fault | None:
    return None


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    async with trading(balances={"USDT": "100000"}) as fake:
        fake.set_price("BTCUSDT", 60_000)
        fake.matching.filters = Filters(max_orders=1000, max_conditional=500)
        fake.limits.weight = 10**9  # dozens of starts within a minute are no account's
        yield fake


@pytest.fixture
async def bench(tmp_path: Path, fake: FakeBinance) -> AsyncIterator[Bench]:
    async with bench_at(tmp_path, fake, haste=100) as made:
        yield made


async def test_a_purchase_is_protected_and_sold_with_no_fault(bench: Bench) -> None:
    await bench.buy("a")
    await bench.check()
    (position,) = await bench.held()
    await bench.sell(position)
    await bench.settle()
    await bench.check()
    assert await bench.held() == ()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [NEVER_ANSWERED, NEVER_ARRIVED], ids=["done", "not done"])
async def test_it_may_die_at_any_call_between_decision_and_protection(
    bench: Bench, fake: FakeBinance, fault: Fault
) -> None:
    """FAULTS 1 and 5: at each call in turn the answer never comes, and the process is gone."""
    died_at: list[str] = []
    for number in range(20):
        calls: list[str] = []

        def at_last(call: str, *, number: int = number, calls: list[str] = calls) -> Fault | None:
            calls.append(call)
            return fault if len(calls) == number + 1 else None

        fake.meddle = at_last
        buying = asyncio.create_task(bench.buy(f"decision {number}", "0.001"))
        await until(lambda calls=calls, buying=buying, number=number: len(calls) > number or buying.done())
        if len(calls) <= number:
            break
        died_at.append(calls[number])
        await until(lambda: not fault.effect or fake.log[-1].call == died_at[-1])
        buying.cancel()
        with suppress(asyncio.CancelledError):
            await buying
        fake.meddle = no_fault
        await bench.crash()
        await bench.settle()
        await bench.check()
    assert {PLACE, LIST} <= set(died_at)


@pytest.mark.slow
@pytest.mark.parametrize("late", [1.2, 1.45, 1.55, 2.0])
async def test_a_stop_that_comes_about_the_end_of_its_window_is_there_once_and_soon(
    bench: Bench, fake: FakeBinance, late: float
) -> None:
    """FAULT 3: on the wall's clock; it is looked at when execution wants to."""
    fake.fail(LIST, binance.late(late))
    await bench.buy("a")
    while fake.log[-1].call != LIST and any(order.status.in_doubt for order in await bench.unfinished()):
        await asyncio.sleep(0.02)
        await bench.orchestrator.look_again()
    await until(lambda: sum(each.call == LIST for each in fake.log) >= 1, seconds=20)
    await bench.settle()
    await bench.check()
    assert len(fake.matching.open_orders()) == 2, "one stop, one target"


@pytest.mark.parametrize(
    "fault",
    [binance.DROPPED, binance.TRUNCATED, binance.PAGE_OF_HTML, binance.GARBAGE, binance.UNKNOWN_OUTCOME,
     binance.NEVER_HEARD, binance.DOWN, binance.DOWN_IN_WORDS],
    ids=["dropped", "truncated", "html", "garbage", "503 unknown", "never heard", "down", "down in words"],
)  # fmt: skip
@pytest.mark.parametrize("call", [PLACE, LIST])
async def test_a_lost_answer_about_an_order_or_its_protection_leaves_one_of_each(
    bench: Bench, fake: FakeBinance, call: str, fault: Fault
) -> None:
    """FAULTS 2 and 6."""
    fake.fail(call, fault)
    await bench.buy("a")
    await bench.settle()
    await bench.check()


@pytest.mark.parametrize("call", [PLACE, LIST])
async def test_words_under_a_status_of_a_fault_are_no_refusal(bench: Bench, fake: FakeBinance, call: str) -> None:
    """FAULT 2: it was done, whatever the venue says while something is broken there."""
    fake.fail(call, replace(binance.DOWN_IN_WORDS, effect=True))
    await bench.buy("a")
    await bench.settle()
    await bench.check()
    assert len(await bench.held()) == 1


async def test_an_entry_that_arrives_after_a_not_found_is_taken_in_and_protected(
    bench: Bench, fake: FakeBinance
) -> None:
    """FAULT 3."""
    fake.fail(PLACE, binance.late(0.5))
    await bench.buy("a")
    assert fake.matching.accepted == {}
    await until(lambda: bool(fake.matching.accepted))
    await bench.settle()
    await bench.check()
    assert len(await bench.held()) == 1


async def test_a_protection_that_arrives_late_does_not_stand_twice(bench: Bench, fake: FakeBinance) -> None:
    """FAULT 3, where the account has more coins than the position: both would be taken."""
    fake.ledger.change("BTC", Decimal(1), "deposit")
    await bench.crash()
    fake.fail(LIST, binance.late(0.5))
    await bench.buy("a")
    await until(lambda: fake.count(LIST) > 0)
    await asyncio.sleep(0.6)
    await bench.settle()
    fake.audit()
    assert len([each for each in fake.matching.open_orders() if each.type == "STOP_LOSS"]) == 1


@pytest.mark.parametrize("fault", [binance.DROPPED, binance.TRUNCATED, binance.NEVER_HEARD, binance.DOWN])
async def test_a_sale_goes_on_over_a_cancel_whose_answer_is_lost(bench: Bench, fake: FakeBinance, fault: Fault) -> None:
    """FAULT 4: the protection is taken back first."""
    await bench.buy("a")
    (position,) = await bench.held()
    fake.fail(UNLIST, fault)
    await bench.sell(position)
    await bench.settle()
    for held in await bench.held():  # the sale was given up: it is protected as before, or again
        await bench.check()
        await bench.sell(held)
        await bench.settle()
    await bench.check()
    assert await bench.held() == ()


async def test_a_protection_that_is_refused_ends_in_a_sale(bench: Bench, fake: FakeBinance) -> None:
    """FAULT 6."""
    fake.fail(LIST, REFUSED, times=50)
    await bench.buy("a")
    for _ in range(3):
        with suppress(GreenlightError):
            await bench.orchestrator.look_again()
    assert await bench.held() == ()
    assert fake.ledger.total("BTC") < Decimal("0.0001")
    fake.audit()


async def test_a_protection_for_which_the_venue_has_no_room_ends_in_a_sale(bench: Bench, fake: FakeBinance) -> None:
    """FAULT 6: five conditional orders stand there at most, as at the real venue."""
    fake.matching.filters = Filters(max_conditional=2)
    for name in "abc":
        await bench.buy(name)
    for _ in range(3):
        with suppress(GreenlightError):
            await bench.orchestrator.look_again()
    await bench.check()
    assert len(await bench.held()) == 2


async def test_what_the_venue_tells_of_by_itself_is_not_waited_for_until_its_answer_comes(
    tmp_path: Path, fake: FakeBinance
) -> None:
    """What was bought would stand without a stop for as long as an answer may take."""
    bench = Bench(tmp_path, fake, haste=100)
    bench.within = timedelta(minutes=1)
    await bench.open()
    following = asyncio.create_task(follow_news(bench.exchange, bench.orchestrator.sync_venue_events))
    try:
        await until(lambda: fake.stream.listeners == 1)
        fake.fail(PLACE, NEVER_ANSWERED)
        async with asyncio.timeout(30):
            await bench.buy("a")
        await bench.check()
        assert len(await bench.held()) == 1
    finally:
        following.cancel()
        await bench.close()


async def test_a_ban_is_sat_out_without_a_call_and_what_is_held_keeps_its_stop(
    tmp_path: Path, fake: FakeBinance
) -> None:
    """FAULT 9; an hour of the ban is leapt over."""
    async with bench_at(tmp_path, fake, haste=100, clock=LeapingClock()) as bench:
        await bench.buy("a")
        fake.limits.ban(1800)  # the call that is told of it doubles it
        await bench.sync()
        calls = len(fake.calls)
        for number in range(5):
            await bench.buy(f"b{number}")
            await bench.sync()
        bench.clock.leap(timedelta(minutes=59))
        await bench.sync()
        assert len(fake.calls) == calls
        assert fake.limits.calls_while_banned == 1
        bench.clock.leap(timedelta(minutes=1))
        fake.limits.banned_until = 0
        await bench.sync()
        assert len(fake.calls) > calls, "it is asked again as soon as the ban is over"
        await bench.settle()
        await bench.check()


async def test_fees_in_a_third_coin_and_in_the_received_one_leave_what_can_be_sold(tmp_path: Path) -> None:
    """FAULT 33."""
    symbols = [*usual_symbols(), Symbol(base="BNB", price=lambda _: 600.0)]
    async with trading(symbols, balances={"USDT": "100000", "BNB": "0.0008"}) as fake:
        fake.set_price("BTCUSDT", 60_000)
        fake.matching.fees.paid_in = "BNB"
        async with bench_at(tmp_path, fake) as bench:
            for name in "ab":  # the first is paid in BNB, and then there is none left
                await bench.buy(name)
                await bench.check()
            assert {each.fee_asset for each in fake.matching.trades} == {"BNB", "BTC"}


async def test_a_venue_that_is_gone_for_a_while_changes_nothing(bench: Bench, fake: FakeBinance) -> None:
    """FAULT 35."""
    await bench.buy("a")
    before = await bench.held()
    await fake.stop()
    await bench.sync()
    await bench.buy("b")
    await fake.start()
    assert await bench.held() == before
    await bench.settle()
    await bench.check()


ANY = (binance.DROPPED, binance.TRUNCATED, binance.PAGE_OF_HTML, binance.GARBAGE, binance.UNKNOWN_OUTCOME,
       binance.NEVER_HEARD, binance.DOWN, binance.DOWN_IN_WORDS, binance.late(0.05))  # fmt: skip


async def storm(bench: Bench, seed: int, decisions: int) -> None:
    """So many decisions, while one call in five goes wrong in some way, prices move and the process dies at times."""
    fake, dice = bench.fake, random.Random(seed)  # noqa: S311 - no secret
    bench.move(60_000)
    fake.meddle = faults = lambda _: dice.choice(ANY) if dice.random() < 0.2 else None
    for number in range(decisions):
        await bench.buy(f"{seed} {number}", f"0.00{dice.randint(1, 9)}")
        if dice.random() < 0.3 and (held := await bench.held()):
            await bench.sell(dice.choice(held))
        if dice.random() < 0.2:  # to a stop, a target or neither, and back
            bench.move(dice.choice((57_500, 59_000, 61_000, 65_500)))
            await bench.sync()
            bench.move(60_000)
        await bench.sync()
        if dice.random() < 0.1:
            fake.meddle = no_fault
            await bench.crash()
        if number % 4 == 3 or number == decisions - 1:
            await bench.settle()
            await bench.check()
        fake.meddle = faults


@asynccontextmanager
async def in_a_storm(folder: Path, name: str) -> AsyncIterator[Bench]:
    """A venue that counts no calls, and an engine there that asks as fast as it can."""
    async with (
        trading_kraken(balances={"USD": "100000"}) if name == "kraken" else trading(balances={"USDT": "100000"}) as fake
    ):
        if isinstance(fake, FakeKraken):
            fake.counter.most = 10**9
        else:
            fake.limits.weight = fake.limits.orders = 10**9
        fake.matching.filters = type(fake.matching.filters)(max_orders=1000, max_conditional=500)
        async with bench_at(folder, fake, haste=100_000) as bench:
            yield bench


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_money_is_conserved_over_decisions_with_random_faults(tmp_path: Path, name: str) -> None:
    async with in_a_storm(tmp_path, name) as bench:
        await storm(bench, seed=0, decisions=8)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "decisions"), [("binance", 60), ("kraken", 16)])
async def test_money_is_conserved_over_many_decisions_with_random_faults(
    tmp_path: Path, name: str, decisions: int
) -> None:
    async with in_a_storm(tmp_path, name) as bench:
        await storm(bench, seed=99, decisions=decisions)
