"""What calls cost is booked before they are made, and no two of them together pass a cap."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.days import Period
from engine.domain.events import ModelBudgetUsed
from engine.domain.model_calls import Usage
from engine.domain.model_ledger import CallState, Cap, ModelCall, OverCap
from engine.llm.ledger import LOST, CostLedger
from engine.store.database import Database
from engine.timing.clocks import MarketClock
from tests.fakes.database import new_database
from tests.fakes.engine import events_of
from tests.fakes.models import NOW, FakeWall

MARKET = datetime(2022, 5, 1, 7, tzinfo=UTC)
"""A replay's time: what people are told carries it, and not the wall's."""


def call(usd: str, **changes: object) -> ModelCall:
    usual = ModelCall(
        id="",
        at=NOW,
        purpose="analyst",
        context="sol",
        provider="openai",
        model="big",
        key="k",
        system_message="",
        prompt="",
        schema_name="",
        json_schema="",
        max_tokens=1,
        reserved_usd=Decimal(usd),
    )
    return replace(usual, **changes)


def of(store: Database, *caps: Cap) -> CostLedger:
    return CostLedger(store=store, caps=caps, clock=MarketClock(MARKET), wall=FakeWall())


def cap(usd: str, period: Period = Period.MONTH, **about: str) -> Cap:
    return Cap(period=period, usd=Decimal(usd), **about)


async def settle(ledger: CostLedger, reserved: ModelCall | OverCap, usd: str) -> None:
    assert isinstance(reserved, ModelCall)
    usage = Usage(input_tokens=1, output_tokens=1)
    await ledger.end(replace(reserved, state=CallState.SETTLED, cost_usd=Decimal(usd), usage=usage))


async def told(store: Database) -> list[tuple[str, Decimal]]:
    """The notices people were told of, with what was used by then."""
    events = await events_of(store, ModelBudgetUsed)
    assert {event.at for event in events} <= {MARKET}
    notices = [await store.read(lambda uow, e=event: uow.model_budgets.get(e.notice_id)) for event in events]
    return [(notice.id, notice.used) for notice in notices]


async def test_a_cap_may_be_reached_and_never_passed(store: Database):
    ledger = of(store, cap("1"))
    await settle(ledger, await ledger.reserve(call("0.90")), "0.80")
    assert await ledger.reserve(call("0.21")) == OverCap(cap=cap("1"), used=Decimal("0.80"), worst=Decimal("0.21"))
    assert isinstance(await ledger.reserve(call("0.20")), ModelCall)
    assert isinstance(await ledger.reserve(call("0")), ModelCall), "what costs nothing is always made"
    assert isinstance(await ledger.reserve(call("0.00000000001")), OverCap)


async def test_a_call_is_of_the_wall_clocks_day_for_its_bill_and_of_the_markets_for_people(store: Database):
    reserved = await of(store, cap("1")).reserve(call("0.90"))
    assert isinstance(reserved, ModelCall)
    assert (reserved.at, reserved.market_at) == (call("0").at, MARKET)


async def test_of_two_caps_each_holds_and_each_begins_anew_by_itself(store: Database):
    ledger = of(store, cap("1", Period.DAY), cap("1.5"))
    day = timedelta(days=1)
    assert isinstance(await ledger.reserve(call("1")), ModelCall)
    assert isinstance(await ledger.reserve(call("0.1")), OverCap)
    assert isinstance(await ledger.reserve(call("0.5", at=NOW + day)), ModelCall)
    assert (await ledger.reserve(call("0.1", at=NOW + 2 * day))).cap == cap("1.5")
    assert isinstance(await ledger.reserve(call("1", at=NOW + 17 * day)), ModelCall), "the first of April"


async def test_a_cap_for_one_purpose_or_strategy_leaves_the_others_alone(store: Database):
    ledger = of(store, cap("9"), cap("1", purpose="analyst"), cap("2", context="sol"))
    assert isinstance(await ledger.reserve(call("1")), ModelCall)
    assert (await ledger.reserve(call("1"))).cap.about == "analyst"
    assert isinstance(await ledger.reserve(call("1", purpose="risk")), ModelCall)
    assert (await ledger.reserve(call("1", purpose="risk"))).cap.about == "sol"
    assert isinstance(await ledger.reserve(call("7", purpose="risk", context="btc")), ModelCall)
    assert await ledger.share("risk", "btc") == 1
    assert await ledger.share("none", "doge") == 1
    assert await of(store, cap("18"), cap("4", context="sol")).share("none", "sol") == Decimal("0.5")


async def test_people_are_told_once_of_each_part_and_not_of_a_lower_one_after_a_higher(store: Database):
    ledger = of(store, cap("10"))
    for cost in ("4", "0.99", "0.01", "0.1", "2.9", "1.1"):
        await settle(ledger, await ledger.reserve(call(cost)), cost)
    assert await told(store) == [("20260301-month-50", Decimal(5)), ("20260301-month-80", Decimal("8.0"))]
    for _ in range(2):
        assert isinstance(await ledger.reserve(call("2")), OverCap)
    again = of(store, cap("10"))  # after a restart
    assert isinstance(await again.reserve(call("2")), OverCap)
    assert (await told(store))[2:] == [("20260301-month-100", Decimal("9.1"))]
    await settle(ledger, await ledger.reserve(call("0.9", at=NOW + timedelta(30))), "9")
    assert (await told(store))[3:] == [("20260401-month-80", Decimal(9))], "a new month, and both parts at once"


async def test_what_is_cut_keeps_its_reservation_and_what_was_lost_with_the_program_too(store: Database):
    ledger = of(store, cap("1"))
    first, second = await ledger.reserve(call("0.3")), await ledger.reserve(call("0.4"))
    assert isinstance(first, ModelCall)
    await ledger.end(replace(first, state=CallState.KEPT, reason="it was cut"))
    assert await of(store).keep_lost() == 1
    assert await of(store).keep_lost() == 0
    newest, oldest = await store.read(lambda uow: uow.model_calls.newest(2))
    assert (newest.state, newest.reason, oldest.reason) == (CallState.KEPT, LOST, "it was cut")
    assert isinstance(await ledger.reserve(call("0.31")), OverCap)
    await settle(ledger, second, "0.1")
    assert isinstance(await ledger.reserve(call("0.6")), ModelCall), "another process has ended it after all"


async def test_a_reservation_is_on_the_disk_before_the_call_in_a_group_commit_too(store: Database, tmp_path: Path):
    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("x", "y"))
        await of(store, cap("1")).reserve(call("0.5"))
        other = new_database(tmp_path)
        assert len(await other.read(lambda uow: uow.model_calls.newest(9))) == 1
        await other.close()


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
async def test_calls_at_once_never_pass_a_cap_by_a_cent_from_two_processes_either(
    tmp_path: Path, each_database: str, count: int
):
    """Each second one through a connection of its own, as another process has it."""
    if not each_database.startswith("sqlite"):
        count = min(count, 2000)  # a commit there takes four times as long
    stores = [new_database(tmp_path), new_database(tmp_path)]
    ledgers = [of(store, cap("100.00", Period.DAY), cap("1000")) for store in stores]
    worst = Decimal("1000.00") / count  # a tenth of them fits

    async def one(number: int) -> bool:
        ledger = ledgers[number % 2]
        reserved = await ledger.reserve(call(str(worst + number % 3 * Decimal("0.000001"))))
        if isinstance(reserved, OverCap):
            return False
        await asyncio.sleep(0)
        if number % 5:
            await settle(ledger, reserved, str(worst))
        return True

    made = await asyncio.gather(*map(one, range(count)))
    (day,) = await stores[0].read(lambda uow: uow.model_calls.spent_since(NOW.date()))
    assert day.usd <= Decimal("100.00")
    assert day.usd > Decimal("100.00") - 2 * worst
    assert day.calls == sum(made)
    for store in stores:
        await store.close()
