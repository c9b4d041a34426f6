"""Orders, fills, positions, halts, decisions: kept as they were, found as they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse, Ruling
from engine.domain.decisions import Stance
from engine.domain.errors import UnknownId
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderStatus
from engine.execution.fills import count_fill
from engine.store.database import Database
from engine.store.decisions import status_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import at
from tests.fakes.reports import NOON, closed_position, decision, judged, plan, position
from tests.fakes.venue import fill, oco, order

ENTRY = order(1)


@pytest.fixture
async def kept(store: Database) -> Database:
    """A database with one entry written down."""
    await store.transact(lambda uow: uow.orders.add(ENTRY))
    return store


async def test_an_order_comes_back_as_it_was_written_down(kept: Database):
    assert await kept.read(lambda uow: uow.orders.get("O1")) == ENTRY
    assert await kept.read(lambda uow: uow.orders.by_client_id(ENTRY.request.client_id)) == ENTRY
    assert await kept.read(lambda uow: uow.orders.by_client_id("f" * 32)) is None
    assert len(await kept.read(lambda uow: uow.orders.newest(9))) == 1


async def test_a_second_order_for_the_same_thing_cannot_be_written_down(kept: Database):
    with pytest.raises(IntegrityError):
        await kept.transact(lambda uow: uow.orders.add(replace(order(2), request=ENTRY.request)))


async def test_a_fill_counts_once_and_adds_up(kept: Database):
    first, second = fill(ENTRY, 1, Decimal(1), Decimal(100), Decimal("0.1")), fill(ENTRY, 2, Decimal(1), Decimal(103))
    await kept.transact(lambda uow: uow.account.open("paper", "USDT", Decimal(1000)))
    for each in (first, first, second):
        await kept.transact(lambda uow, each=each: count_fill(uow, ENTRY, each, "T1", lambda _: Decimal(0)))
    view = await kept.read(lambda uow: uow.orders.get("O1"))
    assert (view.filled, view.average, view.fee) == (Decimal(2), Decimal("101.5"), Decimal("0.1"))
    fills = await kept.read(lambda uow: uow.orders.newest_fills(9))
    assert [(each.fill, each.order_id, each.position_id) for each in fills] == [
        (second, "O1", "T1"),
        (first, "O1", "T1"),
    ]
    assert await kept.read(lambda uow: uow.orders.fees_within(at(0), at(1))) == Decimal("0.1")
    assert await kept.read(lambda uow: uow.orders.fees_within(at(1), at(2))) == 0


async def test_a_final_status_is_never_taken_back(kept: Database):
    for status in (OrderStatus.OPEN, OrderStatus.CANCELLED, OrderStatus.OPEN):
        await kept.transact(lambda uow, status=status: uow.orders.mark("O1", status, at(5), reason=f"{status}"))
    view = await kept.read(lambda uow: uow.orders.get("O1"))
    assert (view.status, view.reason) == (OrderStatus.CANCELLED, "cancelled")


async def test_orders_are_found_by_what_they_belong_to(kept: Database):
    guard = oco(2)

    def work(uow: UnitOfWork) -> None:
        uow.orders.add(guard)
        uow.orders.attach("O1", "T1")
        uow.orders.mark("O1", OrderStatus.FILLED, at(1))

    await kept.transact(work)
    assert [each.id for each in await kept.read(lambda uow: uow.orders.of_position("T1"))] == ["O1", "O2"]
    assert [each.id for each in await kept.read(lambda uow: uow.orders.unfinished())] == ["O2"]
    assert [each.id for each in await kept.read(lambda uow: uow.orders.newest(1))] == ["O2"]
    found = await kept.read(lambda uow: uow.orders.of_decision("D1"))
    assert found is not None
    assert (found.id, found.average) == ("O1", None)
    assert await kept.read(lambda uow: uow.orders.of_decision("D9")) is None


async def test_a_position_is_kept_as_it_is_now(store: Database):
    held = position()
    await store.transact(lambda uow: uow.positions.put(held, "D1"))
    assert await store.read(lambda uow: uow.positions.open()) == (held,)
    closed = closed_position()
    await store.transact(lambda uow: uow.positions.put(closed, "D1"))
    assert await store.read(lambda uow: uow.positions.open()) == ()
    assert await store.read(lambda uow: uow.positions.get("T3")) == closed
    assert await store.read(lambda uow: uow.positions.decision_of("T3")) == "D1"
    assert await store.read(lambda uow: uow.positions.newest(5)) == (closed,)


async def test_positions_are_counted_by_when_they_were_opened_and_closed(store: Database):
    closed = closed_position()
    await store.transact(lambda uow: uow.positions.put(closed, "D1"))
    end = closed.closed_at
    assert end is not None
    just_before = end - timedelta(microseconds=1)
    assert await store.read(lambda uow: uow.positions.closed_within(just_before, end)) == (closed,)
    assert await store.read(lambda uow: uow.positions.closed_within(end, end + timedelta(days=1))) == ()
    assert await store.read(lambda uow: uow.positions.opened_within(NOON, closed.opened_at)) == 1
    assert await store.read(lambda uow: uow.positions.opened_within(closed.opened_at, end)) == 0


async def test_a_halt_stands_until_it_is_ended(store: Database):
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, until=None, symbol="BTC/USDT")
    assert await store.transact(lambda uow: uow.halts.add(halt)) == "H1"
    assert await store.read(lambda uow: uow.halts.open()) == (HaltView(id="H1", halt=halt),)
    await store.transact(lambda uow: uow.halts.end("H1", at(1), "Ann"))
    assert await store.read(lambda uow: uow.halts.open()) == ()
    assert await store.read(lambda uow: uow.halts.get("H1")) == HaltView(
        id="H1", halt=halt, ended_at=at(1), ended_by="Ann"
    )


async def test_a_decision_is_kept_with_its_whole_record_and_its_key_is_seen(store: Database):
    record = judged(decision=decision(id="D1", key="k"))
    await store.transact(lambda uow: uow.decisions.add(record))
    assert await store.read(lambda uow: (uow.decisions.seen("k", NOON), uow.decisions.seen("other", NOON))) == (
        True,
        False,
    )
    assert await store.read(lambda uow: uow.decisions.get("D1")) == record
    assert await store.read(lambda uow: uow.decisions.newest(3)) == (record,)
    with pytest.raises(IntegrityError):
        await store.transact(lambda uow: uow.decisions.add(replace(record, decision=decision(id="D2", key="k"))))


@pytest.mark.parametrize(
    ("ruling", "stance", "status"),
    [
        (Execute(plan=plan()), Stance.ENTER, "executed"),
        (AskHuman(plan=plan(), votes_needed=1, expires_at=NOON), Stance.ENTER, "asked"),
        (Refuse(reasons=("paused",)), Stance.EXIT, "refused"),
        (Hold(), Stance.HOLD, "held"),
    ],
)
def test_one_word_says_what_became_of_a_decision(ruling: Ruling, stance: Stance, status: str):
    assert status_of(judged(decision=decision(stance=stance), ruling=ruling)) == status


async def test_what_is_not_there_is_said_by_name(store: Database):
    for look, words in (
        (lambda uow: uow.orders.get("O9"), "order O9"),
        (lambda uow: uow.positions.get("T9"), "trade T9"),
        (lambda uow: uow.positions.decision_of("T9"), "trade T9"),
        (lambda uow: uow.halts.get("H9"), "halt H9"),
        (lambda uow: uow.decisions.get("D9"), "decision D9"),
    ):
        with pytest.raises(UnknownId, match=words):
            await store.read(look)
