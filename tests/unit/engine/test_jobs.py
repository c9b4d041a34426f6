"""What is done when, and the driver for the wall clock with the real scheduler."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from engine.clocks import WallClock
from engine.domain.market import Timeframe
from engine.jobs import Job, WallDriver, _due_times, daily, every, job_table, run_guarded
from engine.strategies.context import StrategyContexts
from tests.fakes.engine import DAY, Room, at, signals
from tests.fakes.feed import START

UTC_ZONE = ZoneInfo("UTC")


def table(room: Room, digest_at: time = time(0)) -> tuple[Job, ...]:
    return job_table(
        kit=room.kit,
        contexts=StrategyContexts(contexts=(room.context,)),
        approvals=room.approvals,
        books=room.books,
        digest_at=digest_at,
        timezone=UTC_ZONE,
    )


def test_candles_come_before_answers_and_the_day_is_closed_last(room: Room):
    jobs = table(room)
    assert [(job.name, job.trigger is not None, job.alarm is not None) for job in jobs] == [
        ("candle", True, False),
        ("second look", False, True),
        ("approvals", False, True),
        ("digest", True, False),
    ]


@pytest.mark.parametrize(
    ("timeframe", "now", "following"),
    [
        (Timeframe.H1, 0.0, 0.0),
        (Timeframe.H1, 0.25, 1.0),
        (Timeframe.H4, 5.0, 8.0),
        (Timeframe.D1, 1.0, 24.0),
        (Timeframe.W1, 1.0, 7 * 24.0),
    ],
)
def test_candles_close_where_venues_close_them(timeframe: Timeframe, now: float, following: float):
    """The first of January 2024 was a Monday."""
    found = every(timeframe).get_next_fire_time(None, START + timedelta(hours=now))
    assert found == START + timedelta(hours=following)


def test_a_day_ends_once_through_a_change_of_clocks():
    berlin, fired, trigger = ZoneInfo("Europe/Berlin"), [], daily(time(2, 30), ZoneInfo("Europe/Berlin"))
    before = datetime(2024, 3, 29, 12, tzinfo=UTC)
    for _ in range(4):
        before = trigger.get_next_fire_time(None, before + timedelta(minutes=1))
        assert before is not None
        fired.append(before.astimezone(berlin).date().day)
    assert fired == [30, 31, 1, 2]


async def test_a_closed_candle_is_decided_on_and_then_the_books_are_closed(room: Room):
    room.script.entries[room.clock.now()] = signals(1.0)
    candle = table(room)[0]
    await candle.run(room.clock.now())
    assert [purpose for purpose, _, _ in await room.orders()] == ["entry", "protection"]
    (point,) = await room.views.equity_curve(5)
    assert point[0] == room.clock.now()
    assert point[1] < 10_000  # the fee and the spread of what was just bought


async def test_an_order_in_doubt_is_settled_before_anything_is_decided(room: Room):
    room.venue.loses = "request"
    await room.enter()
    room.venue.loses = ""
    room.clock.to(DAY + 60)
    await table(room)[0].run(room.clock.now())
    room.clock.to(DAY + 120)
    await table(room)[0].run(room.clock.now())
    assert [status for _, status, _ in await room.orders()] == ["rejected"]


async def test_open_questions_run_out_at_their_own_time(room: Room):
    approvals = next(job for job in table(room) if job.name == "approvals")
    assert approvals.alarm is not None
    assert await approvals.alarm() is None
    asked = await room.ask(minutes=15)
    assert await approvals.alarm() == at(DAY + 15)
    room.clock.to(DAY + 15)
    await approvals.run(at(DAY + 15))
    assert (await room.views.approval(asked.id)).approval.status == "expired"


@dataclass
class Log:
    """What jobs did, and a bell to wait for."""

    ran: list[tuple[str, datetime]] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def job(self, name: str, *, fails: bool = False, enough: int = 2, **options) -> Job:
        """A job that notes its time, and rings once it has run often enough."""

        async def run(at: datetime) -> None:
            self.ran.append((name, at))
            if [each for each, _ in self.ran].count(name) >= enough:
                self.bell.set()
            if fails:
                raise RuntimeError("no luck")

        return Job(name=name, run=run, **options)


def often() -> IntervalTrigger:
    return IntervalTrigger(seconds=0.05, timezone=UTC)


async def drive(log: Log, *jobs: Job) -> None:
    """Let the real scheduler drive some jobs until the bell rings."""
    driver = WallDriver(jobs=jobs, clock=WallClock(), on_trouble=log.trouble.append)
    driver.start()
    async with asyncio.timeout(20):
        await log.bell.wait()
    await driver.stop()


async def test_the_scheduler_runs_a_job_again_and_again_for_the_time_it_was_due():
    log, began = Log(), datetime.now(UTC)
    await drive(log, log.job("candle", trigger=often(), enough=3))
    times = [at for _, at in log.ran]
    assert times == sorted(times)
    assert all(began <= each <= datetime.now(UTC) for each in times)
    count = len(log.ran)
    await asyncio.sleep(0.2)
    assert len(log.ran) == count


async def test_a_job_that_fails_is_told_of_and_the_others_go_on():
    log = Log()
    await drive(log, log.job("candle", fails=True, trigger=often(), enough=99), log.job("digest", trigger=often()))
    assert {name for name, _ in log.ran} == {"candle", "digest"}
    assert any(text.startswith("candle failed at ") for text in log.trouble)


async def test_an_alarm_is_heeded_when_its_time_has_come_and_not_before():
    log, alarms = Log(), {"past": START, "future": datetime.now(UTC) + timedelta(hours=1)}

    def alarm_of(name: str):
        async def alarm() -> datetime | None:
            return alarms[name]

        return alarm

    await drive(
        log, log.job("past", alarm=alarm_of("past"), enough=1), log.job("future", alarm=alarm_of("future"), enough=1)
    )
    assert log.ran == [("past", START)]


async def test_two_jobs_never_run_at_the_same_time():
    log, inside = Log(), []

    def slow(name: str) -> Job:
        async def run(_: datetime) -> None:
            assert not inside
            inside.append(name)
            await asyncio.sleep(0.02)
            inside.remove(name)
            log.ran.append((name, START))
            if len(log.ran) >= 4:
                log.bell.set()

        return Job(name=name, run=run, trigger=often())

    await drive(log, slow("candle"), slow("digest"))
    assert not any(log.trouble)
    assert {name for name, _ in log.ran} == {"candle", "digest"}


async def test_a_driver_that_never_started_can_be_stopped():
    log = Log()
    await WallDriver(jobs=(log.job("candle"),), clock=WallClock(), on_trouble=log.trouble.append).stop()
    assert log.ran == []


async def test_trouble_is_over_once_the_job_succeeds():
    log = Log()
    await run_guarded(log.job("candle", fails=True), START, log.trouble.append)
    await run_guarded(log.job("candle"), START, log.trouble.append)
    assert log.trouble[0].startswith("candle failed at 2024-01-01 00:00 (log id ")
    assert log.trouble[1] == ""


def test_a_job_that_runs_late_knows_for_which_time_it_was_due():
    due = _due_times(every(Timeframe.H1), START + timedelta(minutes=10))
    assert due(START + timedelta(minutes=60, seconds=2)) == START + timedelta(hours=1)
    assert due(START + timedelta(hours=5, minutes=1)) == START + timedelta(hours=5)
    assert due(START + timedelta(hours=5, minutes=1)).tzinfo is UTC


async def test_a_job_that_runs_when_the_driver_stops_is_finished():
    begun, done = asyncio.Event(), []

    async def run(_: datetime) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        done.append("the last line")

    driver = WallDriver(jobs=(Job(name="candle", run=run, trigger=often()),), clock=WallClock(), on_trouble=done.append)
    driver.start()
    await begun.wait()
    await driver.stop()
    assert "the last line" in done


async def test_an_alarm_that_cannot_say_is_told_of_and_asked_again():
    asked: list[int] = []
    told: list[str] = []

    async def alarm() -> datetime:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("the database is away")
        return datetime.now(UTC) - timedelta(seconds=1)

    rung = asyncio.Event()

    async def run(_: datetime) -> None:
        rung.set()

    driver = WallDriver(jobs=(Job(name="approvals", run=run, alarm=alarm),), clock=WallClock(), on_trouble=told.append)
    driver.start()
    async with asyncio.timeout(20):
        await rung.wait()
    await driver.stop()
    assert told[0].startswith("approvals failed at ")


async def test_what_is_cut_off_at_the_end_is_no_failure_in_the_log(caplog: pytest.LogCaptureFixture):
    begun = asyncio.Event()

    async def ready(_: datetime) -> None:
        begun.set()
        await asyncio.sleep(60)

    async def run(_: datetime) -> None:
        """Never comes to it."""

    job = Job(name="candle", run=run, trigger=often(), ready=ready)
    driver = WallDriver(jobs=(job,), clock=WallClock(), on_trouble=lambda _: None, finish_within=0.1)
    driver.start()
    await begun.wait()
    await driver.stop()
    await asyncio.sleep(0)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
