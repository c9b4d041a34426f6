"""What is done when: the table of jobs as data, and the driver for the wall clock.

Live, APScheduler drives the table. In a replay ``engine.backtest.replay`` drives the same table on the market clock and
asks the same triggers for the next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

import structlog

from engine.approvals import Approvals
from engine.bookkeeping import Bookkeeping
from engine.cycle import run_cycles
from engine.deciding import Kit
from engine.domain.market import Timeframe
from engine.faults import fault_id
from engine.ports import Clock
from engine.strategies.context import StrategyContexts

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

_log = structlog.get_logger(__name__)

ALARM_EVERY = timedelta(seconds=1)
"""How often the wall clock's driver asks a job whose time is known only at run time."""
FINISH_WITHIN = 5.0
"""Wall seconds that a job which runs at the end has to finish."""


class Trigger(Protocol):
    """APScheduler's triggers, as far as they are needed."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first time after the previous one that is not before now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is done again and again.

    Attributes:
        trigger: When; ``None`` for a job that only has alarms.
        grace: How late it may still be done; later, it is left out.
        run: Does it, for the time it was due at.
        ready: Waits, out of turn and not for ever, until what it needs has come in; a replay has everything.
        alarm: A further time that is known only at run time, such as the next question to run out.
    """

    name: str
    run: Callable[[datetime], Awaitable[None]]
    trigger: Trigger | None = None
    grace: timedelta = timedelta(seconds=60)
    alarm: Callable[[], Awaitable[datetime | None]] | None = None
    ready: Callable[[datetime], Awaitable[None]] | None = None


def job_table(
    *,
    kit: Kit,
    contexts: StrategyContexts,
    approvals: Approvals,
    books: Bookkeeping,
    digest_at: time,
    timezone: ZoneInfo,
    candles_in: Callable[[datetime], Awaitable[None]] | None = None,
) -> tuple[Job, ...]:
    """Everything this program does by itself, in the order in which it is done when it is due at the same time.

    ``candles_in`` waits for the candles that close at a time; ``None`` where they are there by then.
    """
    shortest = min((context.timeframe for context in contexts), key=lambda timeframe: timeframe.duration)

    async def candle(at: datetime) -> None:
        """What the venue did is taken in first; the books are closed last, on everything that happened."""
        await kit.orchestrator.settle_unknown()
        await kit.orchestrator.restore_protection()
        await books.mark(at)
        try:
            await run_cycles(kit, contexts.due(at), at)
            await kit.orchestrator.pump()
        finally:
            await books.close(at)

    async def look_again(_: datetime) -> None:
        await kit.orchestrator.look_again()

    async def expire(_: datetime) -> None:
        await approvals.expire()

    return (
        Job(name="candle", trigger=every(shortest), run=candle, ready=candles_in),
        Job(name="second look", run=look_again, alarm=kit.orchestrator.next_look),
        Job(name="approvals", run=expire, alarm=approvals.next_deadline),
        Job(name="digest", trigger=daily(digest_at, timezone), run=books.digest, grace=timedelta(hours=1)),
    )


def every(timeframe: Timeframe) -> Trigger:
    """Fires at each close of a timeframe's candles."""
    from apscheduler.triggers.interval import IntervalTrigger

    anchor = timeframe.floor(datetime(2000, 1, 3, tzinfo=UTC))
    trigger: Trigger = IntervalTrigger(seconds=int(timeframe.duration.total_seconds()), start_date=anchor, timezone=UTC)
    return trigger


def often(interval: timedelta) -> Trigger:
    """Fires again and again, from now on."""
    from apscheduler.triggers.interval import IntervalTrigger

    trigger: Trigger = IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC)
    return trigger


def daily(at: time, timezone: ZoneInfo) -> Trigger:
    """Fires once a day at a time of a time zone, through its changes of clock."""
    from apscheduler.triggers.cron import CronTrigger

    trigger: Trigger = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=timezone)
    return trigger


class WallDriver:
    """Drives the table on the wall clock: coalesced, never two jobs at once, nothing that is too late."""

    def __init__(
        self,
        *,
        jobs: Sequence[Job],
        clock: Clock,
        on_trouble: Callable[[str], None],
        finish_within: float = FINISH_WITHIN,
    ) -> None:
        self._finish_within = finish_within
        self._jobs = jobs
        self._clock = clock
        self._on_trouble = on_trouble
        self._in_turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()
        self._scheduler: AsyncIOScheduler | None = None

    def start(self) -> None:
        """Begin; every job is registered anew, its state is in our own tables."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.interval import IntervalTrigger

        scheduler = AsyncIOScheduler(timezone=UTC)
        options = {"coalesce": True, "max_instances": 1}
        for job in self._jobs:
            grace = int(job.grace.total_seconds())
            if job.trigger is not None:
                due = _due_times(job.trigger, self._clock.now())
                scheduler.add_job(
                    self._run, job.trigger, args=(job, due), id=job.name, misfire_grace_time=grace, **options
                )
            if job.alarm is not None:
                often = IntervalTrigger(seconds=ALARM_EVERY.total_seconds(), timezone=UTC)
                scheduler.add_job(
                    self._ring, often, args=(job,), id=f"{job.name} alarm", misfire_grace_time=1, **options
                )
        scheduler.start()
        self._scheduler = scheduler

    async def stop(self) -> None:
        """Start nothing more, and let what runs finish, within so many wall seconds."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        scheduler.pause()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._finish_within)
        scheduler.shutdown(wait=False)  # which cancels what still runs

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Know what is under way; what is cancelled at the end is no failure that the scheduler should log."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("jobs run in tasks")
        self._under_way.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if self._scheduler is not None:
                raise
        finally:
            self._under_way.discard(task)

    async def _ring(self, job: Job) -> None:
        with self._noted():
            at = await self._alarm(job)
            if at is not None and at <= self._clock.now():
                async with self._in_turn:
                    await run_guarded(job, at, self._on_trouble)

    async def _alarm(self, job: Job) -> datetime | None:
        """When a job is due by its alarm; ``None`` where it is not, or cannot say."""
        try:
            return await job.alarm() if job.alarm else None
        except Exception:  # noqa: BLE001 - the boundary of every job, as in ``run_guarded``
            _note_failure(job, self._clock.now(), self._on_trouble)
            return None

    async def _run(self, job: Job, due: Callable[[datetime], datetime]) -> None:
        with self._noted():
            at = due(self._clock.now())
            if job.ready is not None:
                await job.ready(at)
            async with self._in_turn:
                await run_guarded(job, at, self._on_trouble)


async def run_guarded(job: Job, at: datetime, on_trouble: Callable[[str], None]) -> None:
    """Run a job; one that fails is logged with an id and told of, and the others go on."""
    try:
        await job.run(at)
    except Exception:  # noqa: BLE001 - the boundary of every job: a fault in one must not stop the program
        _note_failure(job, at, on_trouble)
    else:
        on_trouble("")


def _note_failure(job: Job, at: datetime, on_trouble: Callable[[str], None]) -> None:
    """Log the error that is being handled, and tell of it."""
    reference = fault_id()
    _log.exception("job failed", job=job.name, at=at.isoformat(), reference=reference)
    on_trouble(f"{job.name} failed at {at:%Y-%m-%d %H:%M} (log id {reference})")


def _due_times(trigger: Trigger, start: datetime) -> Callable[[datetime], datetime]:
    """For which time a job that runs now was due: the newest that is not after now. APScheduler does not say."""
    state = [trigger.get_next_fire_time(None, start) or start]

    def due(now: datetime) -> datetime:
        while (following := trigger.get_next_fire_time(state[0], state[0])) is not None and following <= now:
            state[0] = following
        return state[0].astimezone(UTC)

    return due
