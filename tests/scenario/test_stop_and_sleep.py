"""Told to stop, or put to sleep, in the middle of something (fault 16)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.chat import destinations
from bot.engine import build_engine
from bot.markets import source
from config.settings import Settings
from engine.domain.autonomy import AskHuman
from engine.flow.approvals import Approvals
from engine.store.unit_of_work import UnitOfWork
from handlers.topics import routes
from tests.fakes import reports
from tests.fakes.database import new_file
from tests.fakes.lives import PATIENCE, moment, telling
from tests.fakes.mortal import Life
from tests.fakes.patience import until
from tests.fakes.program import CHAT, FALLEN, Files, question, settings_of
from tests.fakes.telegram import FakeTelegram

STOPS_WITHIN = 10.0


async def stopped(life: Life) -> float:
    """Tell it to stop; how long that took."""
    began = time.monotonic()
    life.stop()
    assert await life.end() == 0
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("call", [pytest.param("book", marks=pytest.mark.slow), "submit"])
async def test_told_to_stop_while_an_answer_is_carried_out_it_stops_and_goes_on_later(tmp_path, call):
    """The venue never answers, so that there is nothing to finish: what is known is kept."""
    async with telling(tmp_path) as story:
        life = await story.begins(stall=call)
        (tmp_path / "armed").touch()
        story.press()
        await until((tmp_path / "stalled").exists)
        assert await stopped(life) < STOPS_WITHIN
        await story.comes_back()
        await story.ends_well()
        story.must_be_whole()
        assert len(story.files.venue("SELECT * FROM orders WHERE side = 'buy'")) == 1


@pytest.mark.slow
async def test_told_to_stop_in_the_middle_of_a_cycle_at_full_speed_it_stops_and_goes_on_later(tmp_path):
    settings = settings_of(tmp_path, approval={"auto_above": 0}, replay={"end": FALLEN.isoformat(), "until_end": True})
    (tmp_path / "armed").touch()
    life = Life(tmp_path, settings, stall="submit")
    await until((tmp_path / "stalled").exists, seconds=PATIENCE)
    assert await stopped(life) < STOPS_WITHIN
    assert await Life(tmp_path, settings).end() == 0
    files = Files(folder=tmp_path)
    assert files.complaints() == []
    assert files.is_quiet()
    assert files.rows("SELECT status FROM orders WHERE purpose = 'entry'") == [{"status": "filled"}]


@pytest.mark.slow
async def test_told_to_stop_while_somebody_has_locked_the_database_it_ends_in_time_and_goes_on_later(tmp_path):
    settings = settings_of(tmp_path, approval={"auto_above": 0}, replay={"end": FALLEN.isoformat(), "speed": 3600})
    life = Life(tmp_path, settings)
    files = Files(folder=tmp_path)
    await until(lambda: files.venue_file.exists() and len(files.rows("SELECT id FROM decisions")) > 1, seconds=PATIENCE)
    with closing(sqlite3.connect(tmp_path / "greenlight.sqlite", isolation_level=None, timeout=10)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        await until(lambda: "candle" in (tmp_path / "log").read_text(), seconds=PATIENCE)  # a job has waited in vain
        began = time.monotonic()
        life.stop()
        ended = await life.end()
        assert time.monotonic() - began < STOPS_WITHIN
    cut_off = "stopping took too long" in (tmp_path / "log").read_text()
    assert ended == int(cut_off), "in order, or cut off where the next job has begun to wait"
    settings = settings_of(tmp_path, approval={"auto_above": 0}, replay={"end": FALLEN.isoformat(), "until_end": True})
    assert await Life(tmp_path, settings).end() == 0
    assert files.complaints() == []


async def test_asleep_on_a_replay_a_press_made_meanwhile_is_answered_once_on_waking(tmp_path):
    async with telling(tmp_path) as story:
        life = await story.begins()
        life.freeze()
        story.press()
        await asyncio.sleep(1.0)
        assert story.files.approval()["status"] == "pending"
        life.thaw()
        await story.fake.wait_for(story.is_over, PATIENCE)
        story.must_be_whole()
        assert story.entry()["status"] == "filled"
        assert len(story.files.rows("SELECT * FROM audit WHERE action LIKE 'pressed%'")) == 1


async def test_put_to_sleep_again_and_again_at_full_speed_it_comes_to_a_good_end(tmp_path):
    settings = settings_of(tmp_path, approval={"auto_above": 0}, replay={"end": FALLEN.isoformat(), "until_end": True})
    life = Life(tmp_path, settings)
    while life.alive:
        life.freeze()
        await asyncio.sleep(0.1)
        life.thaw()
        await asyncio.sleep(0.1)
    assert await life.end() == 0
    assert Files(folder=tmp_path).complaints() == []
    assert Files(folder=tmp_path).is_quiet()


def on_the_wall(folder: Path, fake: FakeTelegram) -> Settings:
    """The program on a generated market at the time of this machine; its strategy has nothing to say by itself."""
    market = {
        "clock": "wall",
        "timeframe": "1m",
        "history": "2d",
        "seed": 20,
        "start": (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="minutes"),
        "markets": {"BTC/USDT": {"start_price": 60000, "lot": 0.00001, "tick": 0.01, "volatility": 0.6}},
    }
    trend = {"name": "trend", "strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1m", "higher": []}
    nothing = dict.fromkeys(("data", "start", "end", "wait_for_people"))
    return settings_of(
        folder,
        fake,
        market=market,
        contexts=[trend],
        replay=nothing | {"data": []},
        venue={"balances": {"USDT": 10000}},
    )


async def ask(settings: Settings, count: int) -> None:
    """Put so many questions to people before the program runs; each may be answered for an hour."""
    engine = await build_engine(settings, source(settings), routes(destinations(settings)))
    book, now = await engine.venues["paper"].book("BTC/USDT"), engine.clock.now()

    def work(uow: UnitOfWork) -> None:
        for _ in range(count):
            decision_id = uow.decisions.next_id()
            plan = reports.plan(
                key=f"trend|{decision_id}",
                context="trend",
                symbol="BTC/USDT",
                quantity=Decimal("0.01"),
                price=book.ask,
                stop=(book.ask * Decimal("0.9")).quantize(Decimal("0.01")),
                target=(book.ask * Decimal("1.2")).quantize(Decimal("0.01")),
            )
            decision = reports.decision(
                id=decision_id, key=plan.key, context="trend", symbol="BTC/USDT", at=now, timeframe="1m"
            )
            ruling = AskHuman(plan=plan, votes_needed=1, expires_at=now + timedelta(hours=1))
            uow.decisions.add(reports.judged(decision=decision, ruling=ruling))
            Approvals.open(uow, decision, ruling, now)

    await engine.store.transact(work)
    await engine.store.close()
    engine.venues["paper"].close()


async def asleep_until_soon(life: Life, files: Files) -> None:
    """Freeze it, not in the middle of writing, and let A2 run out in a second."""
    while True:
        life.freeze()
        runs_out = datetime.now(UTC) + timedelta(seconds=1)
        at = f"{runs_out:%Y-%m-%d %H:%M:%S.%f}"
        with suppress(sqlite3.OperationalError):  # it holds the lock
            files.write(f"UPDATE approvals SET expires_at = '{at}' WHERE id = 'A2'")  # noqa: S608 - our own words
            return
        life.thaw()
        await asyncio.sleep(0.1)


async def test_asleep_on_the_wall_clock_what_ran_out_is_expired_and_what_did_not_is_ruled_on_a_fresh_price(tmp_path):
    async with telling(tmp_path) as story:
        new_file(tmp_path)
        story.settings = on_the_wall(tmp_path, story.fake)
        await ask(story.settings, 2)
        life = await story.begins()
        await story.fake.wait_for(lambda: question(story.fake, "A2") and story.files.is_quiet(), PATIENCE)
        late = question(story.fake, "A2")
        assert late
        await asleep_until_soon(life, story.files)
        story.press()
        story.fake.press(CHAT, late.message_id, 1001, "Approve")
        await asyncio.sleep(2.0)
        woken = datetime.now(UTC)
        life.thaw()
        await story.fake.wait_for(story.is_over, PATIENCE)

        assert story.files.approval("A2")["status"] == "expired"
        approved = story.files.approval("A1")
        assert approved["status"] == "ordered"
        assert moment(approved["state"]["votes"][0]["at"]) >= woken
        assert moment(approved["state"]["at"]) >= woken
        assert len(story.files.rows("SELECT * FROM audit WHERE action LIKE 'pressed%'")) == 2
        assert story.entry()["status"] == "filled"
        assert story.files.complaints() == []
        assert await stopped(life) < STOPS_WITHIN
