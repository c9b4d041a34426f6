"""The market clock's driver: it jumps from job to job, and stands by while people are asked."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.backtest.replay import Pace, Replay
from engine.domain.days import Days
from engine.domain.errors import StoreError
from engine.domain.market import Timeframe
from engine.jobs.table import Job
from engine.timing.clocks import MarketClock
from engine.timing.triggers import Daily, every
from tests.fakes.feed import START
from tests.fakes.patience import until

HOUR = timedelta(hours=1)
AT_ONCE = Pace(speed=math.inf, wait_for_people=0)


@dataclass
class Notebook:
    """A journal that notes after how many lines each commit came."""

    lines: int = 0
    commits: list[int] = field(default_factory=list)
    has_news: bool = False
    broken: bool = False

    @contextmanager
    def group_commit(self) -> Iterator[None]:
        yield

    async def flush(self) -> None:
        if self.broken:
            raise StoreError("The disk is full.")
        self.has_news = False
        if self.lines and self.lines not in self.commits:
            self.commits.append(self.lines)


@dataclass
class Bench:
    """A replay from midnight on, with jobs that note when they ran."""

    pace: Pace = AT_ONCE
    clock: MarketClock = field(default_factory=lambda: MarketClock(START))
    ran: list[tuple[str, datetime]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    answering: bool = False
    trouble: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    journal: Notebook | None = None

    def job(self, name: str, **options) -> Callable[[Callable[[datetime], Awaitable[None]] | None], None]:
        """Add a job that notes its time, and then does something more."""

        def add(more: Callable[[datetime], Awaitable[None]] | None = None) -> None:
            async def run(at: datetime) -> None:
                assert self.clock.now() == at
                self.ran.append((name, at))
                if more is not None:
                    await more(at)

            self.jobs.append(Job(name=name, run=run, **options))

        return add

    def replay(self) -> Replay:
        async def open_approvals() -> list[str]:
            return list(self.questions)

        return Replay(
            clock=self.clock,
            jobs=self.jobs,
            pace=self.pace,
            open_approvals=open_approvals,
            on_trouble=self.trouble.append,
            answering=lambda: self.answering,
            journal=self.journal,
        )

    async def run(self, until: datetime | None) -> list[tuple[str, float]]:
        """Run to the end; which jobs ran after how many hours."""
        async with asyncio.timeout(20):
            await self.replay().run(until)
        return self.hours

    @property
    def hours(self) -> list[tuple[str, float]]:
        return [(name, (at - START) / HOUR) for name, at in self.ran]


async def test_time_jumps_from_one_job_to_the_next_and_the_end_is_included():
    bench = Bench()
    bench.job("candle", trigger=every(Timeframe.H1))()
    assert await bench.run(START + 3 * HOUR) == [("candle", 0), ("candle", 1), ("candle", 2), ("candle", 3)]
    assert bench.clock.now() == START + 3 * HOUR + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("pace", "gone", "seconds"),
    [
        (Pace(speed=7200, wait_for_people=120), 0, 120 + 7080 / 7200),
        (Pace(speed=7200, wait_for_people=120), 90, 30 + 7080 / 7200),
        (Pace(speed=7200, wait_for_people=120), 3600, 0.5),
        (Pace(speed=1, wait_for_people=120), 60, 7140),
        (Pace(speed=60, wait_for_people=86400), 0, 7200),
        (Pace(speed=math.inf, wait_for_people=30), 0, 30),
        (AT_ONCE, 0, 0),
        (AT_ONCE, 9000, 0),
    ],
)
def test_people_are_told_how_long_they_have_by_their_own_clock(pace: Pace, gone: float, seconds: float):
    left = pace.left(START, START + 2 * HOUR, START + timedelta(seconds=gone))
    assert left.total_seconds() == pytest.approx(seconds, abs=1e-3)


async def test_jobs_of_one_moment_run_in_the_order_of_the_table():
    bench = Bench()
    bench.job("candle", trigger=every(Timeframe.H4))()
    bench.job("digest", trigger=Daily(Days(at=time(4), zone=ZoneInfo("UTC"))))()
    bench.job("hourly", trigger=every(Timeframe.H1))()
    ran = await bench.run(START + 4 * HOUR)
    assert ran[-3:] == [("candle", 4), ("digest", 4), ("hourly", 4)]


async def test_a_job_is_done_once_what_it_needs_has_come_in():
    bench = Bench()

    async def ask(at: datetime) -> None:
        bench.ran.append(("ready", at))

    bench.job("digest", trigger=every(Timeframe.H1), ready=ask)()
    assert await bench.run(START) == [("ready", 0), ("digest", 0)]


async def test_a_day_ends_when_it_ends_where_people_live():
    bench = Bench()
    bench.job("digest", trigger=Daily(Days(at=time(), zone=ZoneInfo("Asia/Kolkata"))))()
    assert await bench.run(START + 48 * HOUR) == [("digest", 18.5), ("digest", 42.5)]


EVENING = Daily(Days(at=time(18), zone=ZoneInfo("UTC")))


@pytest.mark.parametrize("minutes", [17 * 60 + 59, 18 * 60, 18 * 60 + 1])
async def test_a_day_that_ended_while_nothing_ran_is_made_up_for_at_the_start_and_comes_in_time_from_then_on(
    minutes: int,
):
    bench = Bench(clock=MarketClock(START + timedelta(minutes=minutes)))
    bench.job("candle", trigger=every(Timeframe.H1))()
    bench.job("digest", trigger=EVENING, grace=None)()
    ran = await bench.run(START + 3 * 24 * HOUR)
    begun = 18 if minutes <= 18 * 60 else 19
    assert [hours for name, hours in ran if name == "digest"] == [begun, 42, 66]
    assert [hours for name, hours in ran if name == "candle"] == list(range(begun, 73))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
async def test_through_a_year_with_its_changes_of_clocks_each_local_day_ends_once(zone: str):
    daily = Daily(Days(at=time(2, 30), zone=ZoneInfo(zone)))
    bench = Bench()
    bench.job("digest", trigger=daily)()
    await bench.run(START + 366 * 24 * HOUR)
    ended = [at.astimezone(daily.days.zone).date() for _, at in bench.ran]
    assert ended == [ended[0] + timedelta(days=number) for number in range(366)]


async def test_a_job_that_makes_up_for_what_it_missed_runs_again_at_the_next_moment_after_it_failed():
    bench = Bench()

    async def fail(at: datetime) -> None:
        if len([name for name, _ in bench.ran if name == "digest"]) in (2, 3):
            raise StoreError("The database is locked.")

    bench.job("candle", trigger=every(Timeframe.H1))()
    bench.job("digest", trigger=EVENING, grace=None)(fail)
    ran = await bench.run(START + 24 * HOUR)
    assert [hours for name, hours in ran if name == "digest"] == [0, 18, 19, 20]


async def test_what_could_not_be_committed_is_made_up_for():
    notebook = Notebook()
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=0, commit_every=4), journal=notebook)

    async def candle(at: datetime) -> None:
        notebook.broken = at == START + 19 * HOUR

    bench.job("candle", trigger=every(Timeframe.H1))(candle)
    bench.job("digest", trigger=EVENING, grace=None)()
    ran = await bench.run(START + 24 * HOUR)
    assert [hours for name, hours in ran if name == "digest"] == [0, 18, 20]


async def test_an_alarm_goes_off_between_candles():
    bench, alarms = Bench(), [START + 1.25 * HOUR]

    async def alarm() -> datetime | None:
        return alarms[0] if alarms else None

    async def expire(_: datetime) -> None:
        alarms.clear()

    bench.job("candle", trigger=every(Timeframe.H1))()
    bench.job("approvals", alarm=alarm)(expire)
    assert await bench.run(START + 2 * HOUR) == [("candle", 0), ("candle", 1), ("approvals", 1.25), ("candle", 2)]


async def test_an_alarm_that_is_overdue_goes_off_now_and_time_never_goes_back():
    bench, alarms = Bench(), [START - HOUR]

    async def alarm() -> datetime | None:
        return alarms[0] if alarms else None

    async def expire(_: datetime) -> None:
        alarms.clear()

    bench.job("approvals", alarm=alarm)(expire)
    assert await bench.run(START + HOUR) == [("approvals", 0)]


async def test_an_alarm_set_by_a_job_is_heeded():
    bench, alarms = Bench(), []

    async def alarm() -> datetime | None:
        return alarms[0] if alarms else None

    async def ask(at: datetime) -> None:
        if at == START:
            alarms.append(START + timedelta(minutes=15))

    async def expire(_: datetime) -> None:
        alarms.clear()

    bench.job("candle", trigger=every(Timeframe.H1))(ask)
    bench.job("approvals", alarm=alarm)(expire)
    assert await bench.run(START + HOUR) == [("candle", 0), ("approvals", 0.25), ("candle", 1)]


async def test_an_alarm_that_is_set_while_time_passes_is_heeded_before_what_was_due_next():
    """Somebody pauses until ten past, long before the next candle."""
    bench, alarms = Bench(pace=Pace(speed=3600, wait_for_people=0)), list[datetime]()

    async def alarm() -> datetime | None:
        return min(alarms, default=None)

    async def ring(_: datetime) -> None:
        alarms.clear()

    bench.job("halts", alarm=alarm)(ring)
    bench.job("candle", trigger=every(Timeframe.H1))()
    running = asyncio.create_task(bench.replay().run(START + HOUR))
    await until(lambda: bench.clock.now() > START + timedelta(minutes=1))
    alarms.append(START + timedelta(minutes=30))
    await running
    assert [name for name, _ in bench.ran] == ["candle", "halts", "candle"]
    assert bench.ran[1][1] < START + timedelta(minutes=40)


async def test_a_job_that_fails_is_told_of_and_the_others_go_on():
    bench = Bench()

    async def fail(at: datetime) -> None:
        raise RuntimeError("no luck")

    bench.job("candle", trigger=every(Timeframe.H1))(fail)
    bench.job("digest", trigger=every(Timeframe.H1))()
    assert await bench.run(START + HOUR) == [("candle", 0), ("digest", 0), ("candle", 1), ("digest", 1)]
    assert bench.trouble[0].startswith("candle failed at 2024-01-01 00:00 UTC (log id ")


async def test_a_database_that_is_away_holds_the_market_up_and_does_not_end_it():
    bench, answers = Bench(), iter([StoreError("The server is away."), None])

    async def alarm() -> datetime | None:
        answer = next(answers, None)
        if answer is not None:
            raise answer
        return None

    bench.job("candle", trigger=every(Timeframe.H1), alarm=alarm)()
    assert await bench.run(START + HOUR) == [("candle", 0), ("candle", 1)]
    assert bench.trouble[0].startswith("The server is away. (log id ")


async def test_stopping_finishes_what_is_due_at_this_moment():
    bench = Bench()
    replay: list[Replay] = []

    async def stop(_: datetime) -> None:
        replay[0].stop()

    bench.job("candle", trigger=every(Timeframe.H1))(stop)
    bench.job("digest", trigger=every(Timeframe.H1))()
    replay.append(bench.replay())
    await replay[0].run(None)
    assert bench.hours == [("candle", 0), ("digest", 0)]


async def test_without_jobs_there_is_nothing_to_wait_for():
    assert await Bench().run(None) == []


async def test_a_speed_that_can_be_watched_gets_there_too():
    bench = Bench(pace=Pace(speed=72_000, wait_for_people=0))
    bench.job("candle", trigger=every(Timeframe.H1))()
    assert await bench.run(START + 2 * HOUR) == [("candle", 0), ("candle", 1), ("candle", 2)]


async def test_while_a_question_is_open_the_market_waits_and_goes_on_once_it_is_answered():
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=3600), questions=["A1"])
    bench.job("candle", trigger=every(Timeframe.H1))()
    running = asyncio.create_task(bench.run(START + 2 * HOUR))
    await until(lambda: bool(bench.ran) and bench.clock.now() > START + timedelta(seconds=1))
    assert bench.hours == [("candle", 0)]
    assert bench.clock.now() < START + timedelta(minutes=5)
    bench.questions.clear()
    assert await running == [("candle", 0), ("candle", 1), ("candle", 2)]


async def test_what_is_asked_while_time_passes_is_not_old_at_once():
    bench = Bench(pace=Pace(speed=72_000, wait_for_people=3600))  # an hour of the market is 50 ms
    bench.job("candle", trigger=every(Timeframe.D1))()
    asyncio.get_running_loop().call_later(0.02, bench.questions.append, "C1")
    running = asyncio.create_task(bench.replay().run(START + timedelta(days=2)))
    await asyncio.sleep(0.2)
    assert bench.clock.now() < START + timedelta(minutes=1)
    running.cancel()


async def test_the_market_can_be_stopped_while_it_waits():
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=3600), questions=["A1"])
    bench.job("candle", trigger=every(Timeframe.H1))()
    replay = bench.replay()
    running = asyncio.create_task(replay.run(None))
    await until(lambda: bool(bench.ran))
    replay.stop()
    async with asyncio.timeout(10):
        await running
    assert bench.hours == [("candle", 0)]


async def test_while_an_answer_is_carried_out_the_market_stands_still():
    bench = Bench(answering=True)
    bench.job("candle", trigger=every(Timeframe.H1))()
    running = asyncio.create_task(bench.run(START + HOUR))
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert bench.hours == [("candle", 0)]
    assert bench.clock.now() == START
    bench.answering = False
    assert await running == [("candle", 0), ("candle", 1)]


async def test_an_answer_that_comes_within_the_moment_of_its_question_is_carried_out_in_it():
    bench = Bench()

    async def ask(_: datetime) -> None:
        bench.answering = True

    bench.job("candle", trigger=every(Timeframe.H1))(ask)
    running = asyncio.create_task(bench.replay().run(START))
    await asyncio.sleep(0.1)
    assert bench.clock.now() == START
    bench.answering = False
    await running
    assert bench.clock.now() == START + timedelta(seconds=1)


@pytest.mark.parametrize("wait", [0, 0.2])
async def test_a_question_holds_the_market_no_longer_than_it_may(wait: float):
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=wait), questions=["A1"])
    bench.job("candle", trigger=every(Timeframe.H1))()
    assert (await bench.run(START + 3 * HOUR))[-1] == ("candle", 3)


async def test_each_question_may_hold_the_market_by_itself():
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=0.2), questions=["A1"])

    async def ask(at: datetime) -> None:
        if at == START + HOUR:
            bench.questions.append("A2")

    bench.job("candle", trigger=every(Timeframe.H1))(ask)
    replay = bench.replay()
    await replay.run(START + 2 * HOUR)
    assert set(replay._waiting_since) == {"A1", "A2"}


def writing(pace: Pace, *, news: int | None = None) -> tuple[Bench, Notebook]:
    """A candle an hour that writes a line; with one of them there are news."""
    notebook = Notebook()
    bench = Bench(pace=pace, journal=notebook)

    async def write(_: datetime) -> None:
        notebook.lines += 1
        notebook.has_news = notebook.lines == news

    bench.job("candle", trigger=every(Timeframe.H1))(write)
    return bench, notebook


@pytest.mark.parametrize(("every_so_many", "commits"), [(1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6, 7]), (100, [7])])
async def test_so_many_moments_share_a_commit_and_the_end_has_its_own(every_so_many: int, commits: list[int]):
    bench, notebook = writing(Pace(speed=math.inf, wait_for_people=0, commit_every=every_so_many))
    await bench.run(START + 6 * HOUR)
    assert notebook.commits == commits


async def test_what_people_are_to_be_shown_is_committed_at_once():
    bench, notebook = writing(Pace(speed=math.inf, wait_for_people=0, commit_every=5), news=2)
    await bench.run(START + 8 * HOUR)
    assert notebook.commits == [2, 7, 9]


async def test_while_time_passes_nothing_waits():
    bench, notebook = writing(Pace(speed=200_000, wait_for_people=0, commit_every=100))
    await bench.run(START + 3 * HOUR)
    assert notebook.commits == [1, 2, 3, 4]


async def test_a_commit_that_fails_is_told_of_and_the_market_goes_on():
    bench, notebook = writing(Pace(speed=math.inf, wait_for_people=0, commit_every=2))
    notebook.broken = True
    await bench.run(START + 2 * HOUR)
    assert len(bench.hours) == 3
    told = [text for text in bench.trouble if text]
    assert told
    assert all(text.startswith("The disk is full. (log id ") for text in told)


def ahead_of(bench: Bench, quiet: int, asked: list[tuple[float, float, int]]) -> None:
    """A candle an hour, of which so many are done at once whenever that is asked for."""

    async def ahead(first: datetime, before: datetime, most: int) -> int:
        asked.append(((first - START) / HOUR, (before - START) / HOUR, most))
        return min(quiet, most, -((first - before) // HOUR))

    bench.job("candle", trigger=every(Timeframe.H1), ahead=ahead)()


async def test_closes_at_which_nothing_happens_are_done_at_once_up_to_what_is_due_beside_them() -> None:
    bench, asked = (
        Bench(pace=Pace(speed=math.inf, wait_for_people=0, commit_every=100)),
        list[tuple[float, float, int]](),
    )
    ahead_of(bench, 3, asked)
    bench.job("digest", trigger=Daily(Days(at=time(5), zone=ZoneInfo("UTC"))))()
    assert await bench.run(START + 6 * HOUR) == [("digest", 5)]
    assert [(first, round(before, 3), most) for first, before, most in asked] == [
        (0, 5, 100),
        (3, 5, 97),
        (5, 5, 95),  # this one alone: the digest is due at the same time, and done after it
        (6, 6, 94),
    ]
    assert bench.clock.now() == START + 6 * HOUR + timedelta(seconds=1)


@pytest.mark.parametrize(
    "pace", [Pace(speed=200_000, wait_for_people=0, commit_every=9), Pace(speed=math.inf, wait_for_people=0)]
)
async def test_where_time_passes_or_each_is_kept_by_itself_they_are_done_one_by_one(pace: Pace) -> None:
    bench, asked = Bench(pace=pace), list[tuple[float, float, int]]()
    ahead_of(bench, 3 if pace.commit_every > 1 else 1, asked)
    await bench.run(START + 3 * HOUR)
    assert all(most == 1 for _, _, most in asked)
    assert len(bench.hours) + len(asked) == 4


async def test_a_look_ahead_that_fails_is_told_of_and_each_is_done_by_itself() -> None:
    bench = Bench(pace=Pace(speed=math.inf, wait_for_people=0, commit_every=100))

    async def ahead(first: datetime, before: datetime, most: int) -> int:
        if first == START + HOUR:
            bench.clock.move_to(first + 2 * HOUR)
        raise ValueError(first, before, most)

    bench.job("candle", trigger=every(Timeframe.H1), ahead=ahead)()
    assert await bench.run(START + 4 * HOUR) == [("candle", 0), ("candle", 3), ("candle", 4)]
    assert bench.trouble[0].startswith("candle failed at ")
    assert bench.trouble[-1] == ""


async def test_a_job_that_goes_along_with_another_ends_nothing_and_is_not_done_by_itself() -> None:
    bench, asked = (
        Bench(pace=Pace(speed=math.inf, wait_for_people=0, commit_every=100)),
        list[tuple[float, float, int]](),
    )
    ahead_of(bench, 3, asked)
    bench.job("predictions", trigger=every(Timeframe.H1), along=lambda: bench.clock.now() < START + 5 * HOUR)()
    own = "once it does not go along any more it is done by itself, at each of its times"
    assert await bench.run(START + 7 * HOUR) == [("predictions", 6), ("predictions", 7)], own
    assert [first for first, _, _ in asked] == [0, 3, 6, 7]
