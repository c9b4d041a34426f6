"""What the database lets go of, when, and what it never does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.books.housekeeping import QUIET, Housekeeping
from engine.domain.autonomy import Hold, Refuse
from engine.domain.decisions import Stance
from engine.domain.events import Welcomed
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import KeptPrediction
from engine.store import retention
from engine.store.database import Database
from engine.store.history import history
from engine.store.retention import AT_ONCE, Retention
from engine.store.tables import EquityRow, table_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import new_database
from tests.fakes.engine import events_of
from tests.fakes.predictions import LISTING
from tests.fakes.reports import asked, decision, judged, prediction

BEGAN = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
WALL = datetime(2031, 1, 1, tzinfo=UTC)
"""Far from the market's clock, as in a replay."""


@pytest.fixture
async def store(each_database: str) -> AsyncIterator[Database]:
    opened = Database(each_database)
    await opened.transact(_begin)
    yield opened
    await opened.close()


def _begin(uow: UnitOfWork) -> None:
    uow.account.open("paper", "USDT", Decimal(10_000))
    uow.settings.set("account.began", BEGAN.isoformat())


def keep(store: Database, **changes: object) -> Housekeeping:
    return Housekeeping(store=store, retention=Retention(**changes), wall=lambda: WALL)


def hold(uow: UnitOfWork, at: datetime) -> str:
    """A decision that held, with its readings."""
    own = decision(id=uow.decisions.next_id(), key=f"{at}|{uow.decisions.next_id()}", at=at, stance=Stance.HOLD)
    uow.decisions.add(replace(judged(decision=own), ruling=Hold(), plan=None))
    return own.id


async def days_of_holding(store: Database, days: int, *, every: timedelta = timedelta(hours=6)) -> list[str]:
    times = [BEGAN + step * every for step in range(int(timedelta(days=days) / every))]
    return await store.transact(lambda uow: [hold(uow, at) for at in times])


def list_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.sqlite"))


async def test_it_is_due_a_day_after_the_account_began_and_then_at_each_midnight(store: Database):
    house = keep(store)
    assert await house.next_due() == BEGAN + timedelta(days=1)
    await house.run(BEGAN + timedelta(days=1))
    assert await house.next_due() == datetime(2026, 3, 3, tzinfo=UTC) + QUIET
    assert await keep(store).next_due() == datetime(2026, 3, 3, tzinfo=UTC) + QUIET, "after a restart too"


async def test_before_there_is_an_account_nothing_is_due(tmp_path: Path):
    empty = new_database(tmp_path)
    assert await keep(empty).next_due() is None
    await empty.close()


async def test_a_decision_that_held_loses_its_readings_first_and_then_goes(store: Database):
    ids = await days_of_holding(store, 40)
    await keep(store, held_readings=timedelta(days=2), held=timedelta(days=30)).run(BEGAN + timedelta(days=40))
    kept = await store.read(lambda uow: uow.decisions.newest(500))
    assert len(kept) == 30 * 4 + 1, "from the last midnight on"
    with_readings = [each for each in kept if each.signals]
    assert len(with_readings) == 2 * 4 + 1
    assert all(each.decision.conditions for each in kept), "what /why tells of a hold stays"
    told = await store.read(lambda uow: history(uow.connection))
    assert told.decisions == {"held": len(ids)}, "those that went are still counted"


async def test_what_led_to_anything_is_kept_whole(store: Database):
    def work(uow: UnitOfWork) -> None:
        uow.decisions.add(judged(decision=decision(id="D900", at=BEGAN)))
        uow.approvals.add(asked(id="A1", decision_id="D900"))
        uow.decisions.add(
            replace(judged(decision=decision(id="D901", key="x", at=BEGAN)), ruling=Refuse(reasons=("no",)))
        )

    await store.transact(work)
    house = keep(store, held=timedelta(0), held_readings=timedelta(0))
    await house.run(BEGAN + timedelta(days=300))
    kept = await store.read(lambda uow: uow.decisions.newest(9))
    assert sorted(each.decision.id for each in kept) == ["D900", "D901"]
    assert all(each.signals for each in kept)
    await house.run(BEGAN + timedelta(days=900))
    (asked_about,) = await store.read(lambda uow: uow.decisions.newest(9))
    assert (asked_about.decision.id, bool(asked_about.signals)) == ("D900", True), "what was refused led to nothing"
    assert (await store.read(lambda uow: history(uow.connection))).decisions["refused"] == 1


async def test_null_keeps_everything(store: Database):
    ids = await days_of_holding(store, 3)
    nothing = dict.fromkeys(each.name for each in fields(Retention))
    await keep(store, **nothing).run(BEGAN + timedelta(days=9000))
    kept = await store.read(lambda uow: uow.decisions.newest(500))
    assert len(kept) == len(ids)
    assert all(each.signals for each in kept)


async def test_more_than_fits_into_one_transaction_goes_in_several(store: Database):
    count = 2 * AT_ONCE + 1
    await store.transact(lambda uow: [hold(uow, BEGAN + timedelta(seconds=step)) for step in range(count)])
    await keep(store, held=timedelta(days=1)).run(BEGAN + timedelta(days=9))
    assert await store.read(lambda uow: uow.decisions.newest(9)) == ()
    assert await store.read(lambda uow: retention.forgotten(uow.settings, "held")) == count


@pytest.mark.parametrize("minutes", [5, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 15, 60))])
async def test_an_old_equity_curve_keeps_a_point_each_quarter_of_an_hour(store: Database, minutes: int):
    points = [BEGAN + timedelta(minutes=minutes * step) for step in range(3 * 1440 // minutes)]
    await store.transact(lambda uow: [uow.account.record_equity(at) for at in points])
    house = keep(store, equity=timedelta(days=1))
    for day in (1, 2, 3, 3):
        await house.run(BEGAN + timedelta(days=day))
    curve = [point.at for point in await store.read(lambda uow: uow.curve.newest(10**6))]
    edge = datetime(2026, 3, 3, tzinfo=UTC)
    assert curve == [at for at in points if at >= edge or at.minute % 15 == 0]


async def test_of_an_old_curve_the_deepest_points_stay(store: Database):
    """Else the largest drawdown of some months would become less by and by."""

    def work(uow: UnitOfWork) -> None:
        for minute in range(60):
            uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(100)}, BEGAN)
            uow.account.record_equity(BEGAN + timedelta(minutes=minute))
            uow.account.pay_in("paper", Decimal(1), BEGAN)
        points = table_of(EquityRow)
        low = BEGAN + timedelta(minutes=23)
        uow.connection.execute(update(points).where(points.c.at == low).values(drawdown=Decimal("0.07")))

    await store.transact(work)
    await keep(store, equity=timedelta(days=1)).run(BEGAN + timedelta(days=3))
    curve = await store.read(lambda uow: uow.curve.within(BEGAN - timedelta(days=1), BEGAN + timedelta(days=1)))
    assert [(point.at - BEGAN) / timedelta(minutes=1) for point in curve] == [0, 15, 23, 30, 45]
    assert max(point.drawdown for point in curve) == Decimal("0.07")


async def test_chat_deliveries_and_audit_go_by_the_wall_clock_and_events_by_the_markets(store: Database):
    def work(uow: UnitOfWork) -> None:
        for days in (1, 1000):
            at = WALL - timedelta(days=days)
            uow.chat.delivered(f"before {days} days", at)
            uow.chat.put_message(message_id=None, audience="", author="", at=at, card=None, text=f"{days}")
            uow.chat.audit(at=at, wall_at=at, platform="web", user="u", person="", action="x", outcome=f"{days}")
        for at in (BEGAN, BEGAN + timedelta(days=399)):
            uow.emit(Welcomed(at=at))

    await store.transact(work)
    await keep(store).run(BEGAN + timedelta(days=400))
    assert [entry.outcome for entry in await store.read(lambda uow: uow.chat.newest_audit(9))] == ["1"]
    assert [m.text for m in await store.read(lambda uow: uow.chat.messages(audience="x"))] == ["1"]
    assert not await store.read(lambda uow: uow.chat.has_seen("before 1000 days"))
    assert await store.read(lambda uow: uow.chat.has_seen("before 1 days"))
    assert await events_of(store, Welcomed) == [Welcomed(at=BEGAN + timedelta(days=399))]


async def test_predictions_go_a_year_after_they_were_made_with_what_came_of_them(store: Database):
    ages = (timedelta(days=366), timedelta(days=364))
    now = BEGAN + timedelta(days=400)
    kept = [KeptPrediction(prediction=prediction(at=now - age, made_at=now - age), close=100.0) for age in ages]
    await store.transact(lambda uow: uow.predictions.add(kept))
    await store.transact(lambda uow: uow.predictions.grade([each.graded(101.0, now) for each in kept]))
    await keep(store).run(now)
    left = await store.read(lambda uow: uow.predictions.between(LISTING, Timeframe.H1, BEGAN - ages[0], now))
    assert [each.prediction for each in left] == [kept[1].prediction]
    assert (left[0].move, left[0].was_right) == (pytest.approx(0.01), True)


async def test_what_rules_predicted_goes_a_month_after_it_is_known_what_came_of_it(store: Database):
    now = BEGAN + timedelta(days=60)
    hours = [now - timedelta(days=40, hours=hours) for hours in range(3)]
    model, rules, open_ = (
        KeptPrediction(prediction=prediction(at=at, made_at=at, is_offline=is_offline), close=100.0)
        for at, is_offline in zip(hours, (False, True, True), strict=True)
    )
    await store.transact(lambda uow: uow.predictions.add([model, rules, open_]))
    known = now - timedelta(days=31)
    await store.transact(lambda uow: uow.predictions.grade([each.graded(101.0, known) for each in (model, rules)]))
    await keep(store).run(now)
    left = await store.read(lambda uow: uow.predictions.between(LISTING, Timeframe.H1, BEGAN, now))
    assert {each.prediction for each in left} == {model.prediction, open_.prediction}


async def test_the_file_becomes_smaller_and_what_is_left_can_be_read_and_written(tmp_path: Path):
    store = new_database(tmp_path)
    await store.transact(_begin)
    await store.transact(lambda uow: [hold(uow, BEGAN + timedelta(seconds=step)) for step in range(3000)])
    await store.give_back()
    (file,) = list_files(tmp_path)
    before = file.stat().st_size
    with store.group_commit():
        ids = await days_of_holding(store, 1)
        await keep(store, held=timedelta(hours=1), held_readings=None).run(BEGAN + timedelta(days=9))
        assert not store.waiting
    assert file.stat().st_size < before / 10
    assert await store.read(lambda uow: uow.decisions.newest(9)) == ()
    again = await store.transact(lambda uow: hold(uow, BEGAN + timedelta(days=10)))
    assert int(again[1:]) > int(ids[-1][1:]), "ids are never given twice"
    await store.close()
