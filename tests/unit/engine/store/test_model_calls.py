"""Calls of models as they are kept, and what they come to by day, in each database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from engine.domain.errors import UnknownId
from engine.domain.model_calls import Usage
from engine.domain.model_ledger import CallState, ModelCall, Spend, Verdict
from engine.store.database import Database
from engine.store.retention import Retention, let_go
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import rows_of

AT = datetime(2026, 3, 15, 23, 59, 59, 999999, tzinfo=UTC)
DAY = AT.date()
CALL = ModelCall(
    id="",
    at=AT,
    purpose="analyst",
    context="sol-momentum",
    provider="anthropic",
    model="claude-x",
    key="k1",
    system_message="You are an analyst.",
    prompt="What of SOL/EUR? 価格 'quoted'",
    schema_name="Opinion",
    json_schema='{"type":"object"}',
    max_tokens=800,
    reserved_usd=Decimal("0.01234567890123456789"),
)
USAGE = Usage(input_tokens=1200, cached_tokens=1000, cache_write_tokens=7, output_tokens=90, tier="batch")


def settled(call: ModelCall, **changes: object) -> ModelCall:
    usual = {
        "state": CallState.SETTLED,
        "answer": '{"stance": "hold"}',
        "stop": "end",
        "served": "claude-x-2026",
        "usage": USAGE,
        "cost_usd": Decimal("0.0012"),
        "latency": 1.25,
        "verdict": Verdict.VALID,
    }
    return replace(call, **(usual | changes))


async def add(store: Database, *calls: ModelCall) -> list[ModelCall]:
    return await store.transact(lambda uow: [uow.model_calls.add(call) for call in calls])


async def put(store: Database, call: ModelCall) -> None:
    await store.transact(lambda uow: uow.model_calls.put(call))


async def spent(store: Database, first: date = DAY) -> tuple[Spend, ...]:
    return await store.read(lambda uow: uow.model_calls.spent_since(first))


async def test_a_call_comes_back_as_it_went_in_before_and_after_it_was_made(store: Database):
    (new,) = await add(store, CALL)
    assert new == replace(CALL, id="L1")
    assert await store.read(lambda uow: uow.model_calls.get("L1")) == new
    await put(store, settled(new))
    assert await store.read(lambda uow: uow.model_calls.get("L1")) == settled(new)
    with pytest.raises(UnknownId, match="There is no call L2"):
        await store.read(lambda uow: uow.model_calls.get("L2"))


async def test_a_day_counts_reservations_until_they_are_settled_and_then_what_was_used(store: Database):
    first, second, other = await add(store, CALL, CALL, replace(CALL, at=AT + timedelta(seconds=1)))
    day = Spend(day=AT.date(), provider="anthropic", purpose="analyst", context="sol-momentum", calls=2)
    assert (await spent(store))[0] == replace(day, usd=2 * CALL.reserved_usd)
    await put(store, settled(first))
    await put(store, replace(second, state=CallState.KEPT))
    tokens = {"input_tokens": 1200, "output_tokens": 90}
    kept = replace(day, usd=CALL.reserved_usd + Decimal("0.0012"), **tokens)
    assert (await spent(store))[0] == kept
    await put(store, settled(first))
    assert (await spent(store))[0] == kept, "what is settled twice counts once"
    assert await spent(store, AT.date() + timedelta(days=1)) == (
        replace(day, day=other.at.date(), calls=1, usd=CALL.reserved_usd),
    )


async def test_a_time_counts_what_was_begun_in_it(store: Database):
    made = await add(store, *[replace(CALL, at=AT + timedelta(minutes=n)) for n in range(4)])
    await add(store, settled(CALL, state=CallState.IMPORTED, at=made[1].at))
    await put(store, settled(made[1]))
    booked = await store.read(lambda uow: uow.model_calls.booked_within(made[1].at, made[3].at))
    assert booked == CALL.reserved_usd + Decimal("0.0012")


async def test_a_time_is_the_markets_where_a_market_is_replayed(store: Database):
    await add(store, CALL, replace(CALL, market_at=AT - timedelta(days=900)))
    for begins in (AT, AT - timedelta(days=900)):
        ends = begins + timedelta(minutes=1)
        booked = await store.read(lambda uow, span=(begins, ends): uow.model_calls.booked_within(*span))
        assert booked == CALL.reserved_usd


async def test_what_was_paid_for_elsewhere_costs_nothing(store: Database):
    await add(store, settled(CALL, state=CallState.IMPORTED))
    assert await spent(store) == ()
    assert await store.read(lambda uow: (uow.model_calls.has("k1", AT), uow.model_calls.has("k2", AT))) == (True, False)


async def test_the_newest_good_answer_to_a_question_is_found_while_it_is_fresh(store: Database):
    old, bad, open_, other = await add(store, CALL, replace(CALL, at=AT + timedelta(1)), CALL, replace(CALL, key="k2"))
    for call in (settled(old), settled(bad, verdict=Verdict.INVALID), settled(other)):
        await put(store, call)

    async def found(since: datetime) -> ModelCall | None:
        return await store.read(lambda uow: uow.model_calls.good_answer("k1", since))

    assert await found(AT) == settled(old)
    assert await found(AT + timedelta(microseconds=1)) is None
    await put(store, settled(open_, answer="{}"))
    assert (await found(AT)).answer == "{}"


async def test_an_answer_that_was_good_again_is_counted_on_the_day_of_that(store: Database):
    (call,) = await add(store, CALL)
    await put(store, settled(call))
    later = AT + timedelta(days=3)
    await store.transact(lambda uow: uow.model_calls.reuse(call, later, "risk", ""))
    assert (await store.read(lambda uow: uow.model_calls.get("L1"))).reused == 1
    assert await spent(store, later.date()) == (
        Spend(day=later.date(), provider="anthropic", purpose="risk", context="", reused=1),
    )


async def test_calls_are_read_in_order_from_either_end(store: Database):
    made = await add(store, *[replace(CALL, at=AT + timedelta(minutes=n)) for n in range(12)])
    assert list(await store.read(lambda uow: uow.model_calls.page(made[3].at, 5, 4))) == made[5:9]
    assert list(await store.read(lambda uow: uow.model_calls.page(None, 0, 99))) == made
    newest = await store.read(lambda uow: uow.model_calls.newest(2))
    assert [call.id for call in newest] == ["L12", "L11"]
    assert [call.id for call in await store.read(lambda uow: uow.model_calls.newest(2, "L11"))] == ["L10", "L9"]
    assert await store.read(lambda uow: len(uow.model_calls.under_way())) == 12


async def test_old_calls_are_let_go_and_what_they_cost_is_not(store: Database):
    now = AT + timedelta(days=91)
    await add(store, CALL, replace(CALL, at=now))

    def clean(uow: UnitOfWork) -> bool:
        return let_go(uow, Retention(), AT - timedelta(days=900), now)

    assert await store.transact(clean) is False
    assert [call.at for call in await store.read(lambda uow: uow.model_calls.newest(9))] == [now]
    assert [each.usd for each in await spent(store)] == [CALL.reserved_usd] * 2


async def test_a_call_takes_little_more_than_its_texts(tmp_path, store: Database, each_database: str):
    """What the database grows by: the texts once, three short keys, and some figures."""
    texts = {"prompt": "p" * 4000, "answer": "a" * 1000}
    made = await add(store, *[replace(CALL, key=f"{n:040}", **texts) for n in range(200)])
    if each_database.startswith("sqlite"):
        (pages,) = rows_of(each_database, "SELECT sum(pgsize) AS size FROM dbstat WHERE name LIKE '%model_calls%'")
        assert 5000 < pages["size"] / len(made) < 7000
