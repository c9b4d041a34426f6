"""The table of jobs on the clock on the wall, whatever becomes of that clock."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from engine.domain.days import Days
from engine.domain.errors import StrategyError
from engine.domain.market import Timeframe
from engine.jobs.runs import run_guarded
from engine.jobs.table import Group, Job
from engine.jobs.wall_driver import WallDriver
from engine.timing.clocks import WallClock
from engine.timing.triggers import Daily, every, often
from tests.chaos.loop import SimulatedLoop
from tests.fakes.feed import START
from tests.fakes.scheduler import LoopScheduler

HOUR = timedelta(hours=1)


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


OFTEN = often(timedelta(seconds=0.05))


async def drive(log: Log, *jobs: Job) -> None:
    """Let the driver run some jobs on the real clock until the bell rings."""
    driver = WallDriver(jobs=jobs, clock=WallClock(), on_trouble=log.trouble.append)
    driver.start()
    async with asyncio.timeout(20):
        await log.bell.wait()
    await driver.stop()


async def test_a_job_runs_again_and_again_for_the_time_it_was_due():
    log, began = Log(), datetime.now(UTC)
    await drive(log, log.job("candle", trigger=OFTEN, enough=3))
    times = [at for _, at in log.ran]
    assert times == sorted(times)
    assert all(began - timedelta(seconds=0.05) < each <= datetime.now(UTC) for each in times)
    count = len(log.ran)
    await asyncio.sleep(0.2)
    assert len(log.ran) == count


async def test_a_job_that_fails_is_told_of_and_the_others_go_on():
    log = Log()
    await drive(log, log.job("candle", fails=True, trigger=OFTEN, enough=99), log.job("digest", trigger=OFTEN))
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


async def test_two_jobs_of_a_group_never_run_at_the_same_time():
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

        return Job(name=name, run=run, trigger=OFTEN)

    await drive(log, slow("candle"), slow("digest"))
    assert not any(log.trouble)
    assert {name for name, _ in log.ran} == {"candle", "digest"}


def hanging(log: Log, name: str, **options) -> Job:
    """A job that begins and does not end."""

    async def run(at: datetime) -> None:
        log.ran.append((name, at))
        await asyncio.sleep(3600)

    return Job(name=name, run=run, trigger=OFTEN, **options)


@pytest.mark.parametrize("group", [Group.RESEARCH, Group.HOUSEKEEPING])
async def test_what_takes_long_beside_the_account_holds_up_nothing_of_it(group: Group):
    log = Log()
    long = hanging(log, "long", group=group)
    jobs = (log.job("candle", trigger=OFTEN, venue="paper", enough=3), log.job("digest", group=Group.HOUSEKEEPING))
    driver = WallDriver(jobs=(long, *jobs), clock=WallClock(), on_trouble=log.trouble.append, finish_within=0.1)
    driver.start()
    async with asyncio.timeout(5):
        await log.bell.wait()
    await driver.stop()
    assert [name for name, _ in log.ran].count("long") == 1


async def test_a_venue_that_hangs_holds_up_neither_another_nor_what_waits_for_none():
    log, others = Log(), Log()
    driver = WallDriver(
        jobs=(
            hanging(log, "candle at slow", venue="slow"),
            others.job("candle at other", trigger=OFTEN, venue="other"),
            log.job("approvals", trigger=OFTEN),
        ),
        clock=WallClock(),
        on_trouble=log.trouble.append,
        finish_within=0.1,
    )
    driver.start()
    async with asyncio.timeout(5):
        await log.bell.wait()
        await others.bell.wait()
    await driver.stop()


def test_a_day_is_closed_whatever_research_takes():
    log = Log()
    research = hanging(log, "panels", group=Group.RESEARCH)
    digest = log.job("digest", trigger=Daily(Days(at=time(1), zone=ZoneInfo("UTC"))), grace=None, group=BESIDE)
    simulated(SetClock(START + HOUR / 2), research, digest, lasts=HOUR / 2 + timedelta(minutes=1))
    assert ("digest", START + HOUR) in log.ran


def test_an_alarm_goes_off_at_its_time_and_not_at_the_next_tick():
    clock, log = SetClock(), Log()
    rings = [START + timedelta(seconds=10.4), START + timedelta(seconds=10.7)]
    rang: list[datetime] = []

    async def alarm() -> datetime | None:
        return rings[len(rang)] if len(rang) < len(rings) else None

    async def run(_: datetime) -> None:
        rang.append(clock.now())

    job = Job(name="approvals", run=run, alarm=alarm)
    second = timedelta(seconds=1)
    assert simulated(clock, job, log.job("other"), lasts=timedelta(seconds=20), tick_every=second) == []
    assert [(at - due).total_seconds() for at, due in zip(rang, rings, strict=True)] == pytest.approx([0, 0], abs=0.01)


async def test_a_driver_that_never_started_can_be_stopped():
    log = Log()
    await WallDriver(jobs=(log.job("candle"),), clock=WallClock(), on_trouble=log.trouble.append).stop()
    assert log.ran == []


async def test_trouble_is_over_once_the_job_succeeds():
    log = Log()
    await run_guarded(log.job("candle", fails=True), START, log.trouble.append)
    await run_guarded(log.job("candle"), START, log.trouble.append)
    assert log.trouble[0].startswith("candle failed at 2024-01-01 00:00 UTC (log id ")
    assert log.trouble[1] == ""


async def test_the_trouble_of_one_job_is_not_over_because_another_succeeds():
    log = Log()
    venue = log.job("venue", trigger=OFTEN, enough=5)
    await drive(log, log.job("digest", fails=True, trigger=OFTEN, grace=None, enough=99), venue)
    first = next(number for number, text in enumerate(log.trouble) if text)
    assert all("digest failed at " in text for text in log.trouble[first:])


async def test_a_job_that_runs_when_the_driver_stops_is_finished():
    begun, done = asyncio.Event(), []

    async def run(_: datetime) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        done.append("the last line")

    driver = WallDriver(jobs=(Job(name="candle", run=run, trigger=OFTEN),), clock=WallClock(), on_trouble=done.append)
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

    job = Job(name="candle", run=run, trigger=OFTEN, ready=ready)
    driver = WallDriver(jobs=(job,), clock=WallClock(), on_trouble=lambda _: None, finish_within=0.1)
    driver.start()
    await begun.wait()
    await driver.stop()
    await asyncio.sleep(0)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


class SetClock(WallClock):
    """The time of a machine in a simulated loop, which somebody sets from time to time."""

    def __init__(self, start: datetime = START, *changes: tuple[timedelta, timedelta]) -> None:
        self._start = start
        self._changes = changes

    def now(self) -> datetime:
        passed = timedelta(seconds=asyncio.get_running_loop().time())
        return self._start + passed + sum((by for after, by in self._changes if passed >= after), timedelta(0))


HOUR, DAYS = timedelta(hours=1), timedelta(days=1)
BESIDE = Group.HOUSEKEEPING


def simulated(clock: SetClock, *jobs: Job, lasts: timedelta, tick_every: timedelta = timedelta(minutes=1)) -> list[str]:
    """Let the driver run some jobs for a simulated time; its troubles."""
    told: list[str] = []

    async def live() -> None:
        driver = WallDriver(
            jobs=jobs, clock=clock, on_trouble=told.append, tick_every=tick_every, scheduler=LoopScheduler()
        )
        driver.start()
        await asyncio.sleep(lasts.total_seconds())
        await driver.stop()

    in_simulated_time(live(), 2 * lasts.total_seconds())
    return [text for text in told if text]


def in_simulated_time(story: Coroutine[None, None, None], horizon: float) -> None:
    loop = SimulatedLoop(Random(1), horizon=horizon)  # noqa: S311 - chance from a seed
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


def hours(log: Log) -> list[float]:
    return [(at - START) / HOUR for _, at in log.ran]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("begin", [START, START + 183 * DAYS])
def test_through_half_a_year_and_its_change_of_clocks_every_time_comes_once(zone: str, begin: datetime):
    daily = Daily(Days(at=time(2, 30), zone=ZoneInfo(zone)))
    log, digests = Log(), Log()
    simulated(
        SetClock(begin),
        log.job("candle", trigger=every(Timeframe.H4)),
        digests.job("digest", trigger=daily, grace=None),
        lasts=184 * DAYS - HOUR,
        tick_every=HOUR,
    )
    assert [at for _, at in log.ran] == [begin + 4 * number * HOUR for number in range(184 * 6)]
    dates = [at.astimezone(daily.days.zone).date() for _, at in digests.ran]
    assert len(dates) == 185, "one at the start, for what was missed before"
    assert dates == [dates[0] + number * DAYS for number in range(185)]


def test_a_clock_that_is_set_back_stops_no_job():
    """A machine an hour ahead is put right: what is done every minute must not wait for that hour."""
    log = Log()
    clock = SetClock(START + HOUR, (timedelta(minutes=10, seconds=30), -HOUR))
    simulated(clock, log.job("venue", trigger=every(Timeframe.M1)), lasts=timedelta(minutes=20))
    minutes = [round(hour * 60) for hour in hours(log)]
    assert minutes == [*range(60, 71), *range(11, 20)]


def test_a_clock_that_is_set_back_a_little_repeats_nothing():
    log = Log()
    clock = SetClock(START, (timedelta(minutes=10, seconds=1), timedelta(seconds=-3)))
    simulated(clock, log.job("venue", trigger=every(Timeframe.M1)), lasts=timedelta(minutes=20))
    assert [round(hour * 60) for hour in hours(log)] == list(range(20))


def test_a_clock_that_is_set_forward_by_half_a_century_leaves_out_what_was_missed():
    """A board without a battery begins in 1970 and learns the time a moment later."""
    log = Log()
    clock = SetClock(
        datetime(1970, 1, 6, tzinfo=UTC), (timedelta(seconds=10), START - datetime(1970, 1, 6, tzinfo=UTC))
    )
    seconds = often(timedelta(seconds=1))
    simulated(clock, log.job("venue", trigger=seconds), lasts=timedelta(seconds=20), tick_every=timedelta(seconds=1))
    assert len(log.ran) == 20
    assert [at for _, at in log.ran[10:]] == [START + timedelta(seconds=10 + number) for number in range(10)]


def test_what_came_while_the_machine_slept_is_done_once_if_it_is_not_too_late():
    late, too_late = Log(), Log()
    for log, minutes in ((late, 30), (too_late, 32)):
        clock = SetClock(START, (timedelta(minutes=10), timedelta(hours=5, minutes=minutes - 10)))
        half_past = often(timedelta(minutes=30))
        simulated(clock, log.job("candle", trigger=half_past), lasts=timedelta(minutes=11))
    assert hours(late) == [0, 5.5]
    assert hours(too_late) == [0]


def test_a_job_that_takes_longer_than_its_time_is_never_done_twice_at_once_nor_made_up_for():
    log, inside = Log(), []

    async def run(at: datetime) -> None:
        assert not inside
        inside.append(at)
        await asyncio.sleep(90)
        inside.clear()
        log.ran.append(("slow", at))

    slow = Job(name="slow", run=run, trigger=every(Timeframe.M1), grace=timedelta(seconds=20))
    assert simulated(SetClock(), slow, lasts=timedelta(minutes=10), tick_every=timedelta(seconds=5)) == []
    assert [round(hour * 60) for hour in hours(log)] == [0, 2, 4, 6, 8]


def test_a_job_that_makes_up_for_what_it_missed_runs_at_the_start_and_again_after_it_failed():
    tries: list[datetime] = []
    clock = SetClock(START + HOUR)

    async def run(at: datetime) -> None:
        tries.append(clock.now())
        if len(tries) in (1, 2, 3, 5):
            raise OSError("the database is locked")

    digest = Job(name="digest", run=run, trigger=Daily(Days(at=time(3), zone=ZoneInfo("UTC"))), grace=None)
    told = simulated(clock, digest, lasts=3 * HOUR)
    after = [(at - START).total_seconds() - 3600 for at in tries]
    assert after == pytest.approx([0, 1, 3, 7, 7200, 7201], abs=0.5)
    assert len(told) == 4


def test_an_alarm_that_can_say_again_is_no_trouble_any_more():
    log, told = Log(), []

    async def alarm() -> None:
        told.append(len(told))
        if len(told) == 1:
            raise OSError("the database is away")

    async def live() -> None:
        job = log.job("approvals", alarm=alarm)
        driver = WallDriver(jobs=(job,), clock=SetClock(), on_trouble=log.trouble.append, scheduler=LoopScheduler())
        driver.start()
        await asyncio.sleep(5)
        await driver.stop()

    in_simulated_time(live(), 10.0)
    assert log.trouble[0].startswith("approvals failed at ")
    assert set(log.trouble[1:]) == {""}


def test_an_alarm_that_goes_on_failing_is_asked_with_growing_rests():
    asked: list[datetime] = []
    clock = SetClock()

    async def alarm() -> datetime:
        asked.append(clock.now())
        raise OSError("the database is away")

    second = timedelta(seconds=1)
    simulated(clock, Log().job("approvals", alarm=alarm), lasts=timedelta(minutes=10), tick_every=second)
    assert 20 < len(asked) < 30


@pytest.mark.parametrize("takes", [0, 40])
def test_the_day_is_closed_once_the_candle_that_closes_with_it_is_in(takes: float):
    """Else its last candle would be in no day: the candle comes when the venue has it, the day ends by the clock."""
    log = Log()

    async def ready(_: datetime) -> None:
        await asyncio.sleep(takes)

    candle = log.job("candle", trigger=every(Timeframe.H1), ready=ready)
    digest = log.job("digest", trigger=Daily(Days(at=time(1), zone=ZoneInfo("UTC"))), grace=None)
    simulated(SetClock(START + HOUR / 2), digest, candle, lasts=HOUR)
    assert log.ran[0][0] == "digest", "what it may have missed before"
    log.ran.clear()
    simulated(SetClock(START + HOUR / 2), candle, digest, lasts=HOUR)
    assert log.ran[1:] == [("candle", START + HOUR), ("digest", START + HOUR)]


async def test_an_end_while_a_job_waits_for_another_is_no_long_wait():
    begun = asyncio.Event()

    async def ready(_: datetime) -> None:
        begun.set()
        await asyncio.sleep(60)

    log = Log()
    candle = log.job("candle", trigger=OFTEN, ready=ready)
    digest = log.job("digest", trigger=OFTEN, grace=None)
    driver = WallDriver(jobs=(candle, digest), clock=WallClock(), on_trouble=log.trouble.append, finish_within=0.1)
    driver.start()
    await begun.wait()
    async with asyncio.timeout(10):
        await driver.stop()
    assert log.trouble == [] or not any(log.trouble)


async def test_what_a_strategy_of_ones_own_failed_with_is_told_in_its_words():
    async def fail(_: datetime) -> None:
        raise StrategyError("own.py, line 3: KeyError.")

    trouble: list[str] = []
    assert not await run_guarded(Job(name="candle", run=fail), START, trouble.append)
    assert trouble[0].startswith("candle failed at 2024-01-01 00:00 UTC: own.py, line 3: KeyError. (log id ")
