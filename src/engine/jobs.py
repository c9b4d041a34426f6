"""What is done when: the table of jobs as data, and the driver for the wall clock.

Live, APScheduler drives the table (``engine.looks``). In a replay ``engine.backtest.replay`` drives the same table on
the market clock and asks the same triggers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

import structlog

from engine.approvals import Approvals
from engine.bookkeeping import Bookkeeping
from engine.cycle import Deliberations, run_cycles
from engine.cycle_services import CycleServices
from engine.faults import fault_id
from engine.looks import Look, Looks, ScheduledLooks
from engine.ports import Clock
from engine.strategies.context import StrategyContexts
from engine.triggers import Daily, Trigger, every

_log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=1)
"""How often the wall clock's driver looks at its clock, and asks a job whose time is known only at run time."""
LONGEST_REST = timedelta(seconds=30)
"""How long a job that fails again and again is left alone at most, where it is not left out."""
SET_BACK = timedelta(seconds=5)
"""By how much the wall clock may go back and nothing is done again; a time server's corrections are smaller."""
FINISH_WITHIN = 5.0
"""Wall seconds that a job which runs at the end has to finish."""


class Group(StrEnum):
    """Jobs that are about the same thing; no group waits for another."""

    ACCOUNT = "account"
    """Candles, what venues do, protection, what runs out."""
    RESEARCH = "research"
    """What takes long to find out: panels, predictions, sentiment."""
    HOUSEKEEPING = "housekeeping"
    """Figures of days, and what is let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is done again and again.

    Attributes:
        group: Within a group one job is done at a time at each venue, and one of those that wait for none.
        venue: The venue that it waits for; empty where it waits for nobody outside, so that no venue holds it up.
        trigger: When; ``None`` for a job that only has alarms.
        grace: How late it may still be done; later, it is left out. ``None`` for a job that makes up for all it has
            missed whenever it runs: it runs at the start, again where it fails, and after the account's jobs before it.
        run: Does it, for the time it was due at.
        ready: Waits, out of turn and not for ever, until what it needs has come in; a replay has everything.
        alarm: A further time that is known only at run time, such as the next approval to run out.
    """

    name: str
    run: Callable[[datetime], Awaitable[None]]
    group: Group = Group.ACCOUNT
    venue: str = ""
    trigger: Trigger | None = None
    grace: timedelta | None = timedelta(seconds=60)
    alarm: Callable[[], Awaitable[datetime | None]] | None = None
    ready: Callable[[datetime], Awaitable[None]] | None = None


def job_table(
    *,
    services: CycleServices,
    contexts: StrategyContexts,
    deliberations: Deliberations,
    approvals: Approvals,
    books: Bookkeeping,
    candles_in: Callable[[datetime], Awaitable[None]] | None = None,
    caught_up: Callable[[datetime], Awaitable[None]] | None = None,
) -> tuple[Job, ...]:
    """Everything this program does by itself, in the order in which it is done when it is due at the same time.

    ``candles_in`` waits for the candles that close at a time, ``caught_up`` until all that the venue did up to a time
    is known; ``None`` where both are there by then.
    """
    everywhere = services.orchestrator.venues
    shortest = min((context.timeframe for context in contexts), key=lambda timeframe: timeframe.duration)
    account = _AccountJobs(services=services, contexts=contexts, books=books)

    async def end_halts(at: datetime) -> None:
        """What ends a halt is the clock; a candle that closes at the same time is decided on without it."""
        await books.end_halts(at)

    async def ask_panels(_: datetime) -> None:
        await deliberations.ask()

    async def expire(_: datetime) -> None:
        await approvals.advance_open()

    return (
        Job(name="halts", run=end_halts, alarm=books.next_halt_end),
        *at_each(everywhere, "candle", account.candle, trigger=every(shortest), ready=candles_in),
        Job(name="panels", group=Group.RESEARCH, run=ask_panels, alarm=deliberations.next_question),
        *at_each(everywhere, "conclusions", deliberations.conclude, alarm=deliberations.next_due),
        *at_each(everywhere, "second look", account.look_again, alarm=account.next_look),
        *at_each(everywhere, "patience", account.end_patience, alarm=account.patience_ends),
        Job(name="approvals", run=expire, alarm=approvals.next_deadline),
        Job(
            name="digest",
            group=Group.HOUSEKEEPING,
            trigger=Daily(books.days),
            run=books.digest,
            grace=None,
            ready=caught_up,
        ),
    )


def at_each(
    venues: Sequence[str],
    name: str,
    run: Callable[[str, datetime], Awaitable[None]],
    *,
    trigger: Trigger | None = None,
    alarm: Callable[[str], Awaitable[datetime | None]] | None = None,
    ready: Callable[[datetime], Awaitable[None]] | None = None,
) -> tuple[Job, ...]:
    """The same job at each venue, by its own clock there: one that is slow holds up only itself."""
    return tuple(
        Job(
            name=f"{name} at {venue}" if len(venues) > 1 else name,
            venue=venue,
            run=partial(run, venue),
            trigger=trigger,
            alarm=partial(alarm, venue) if alarm else None,
            ready=ready,
        )
        for venue in venues
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountJobs:
    """What is done about an account at one of its venues."""

    services: CycleServices
    contexts: StrategyContexts
    books: Bookkeeping

    async def candle(self, venue: str, at: datetime) -> None:
        """Doubts are settled and closes marked first, so that nothing is protected in a market that is another now.

        The books are closed last, on everything that happened.
        """
        orchestrator = self.services.orchestrator
        await orchestrator.resolve_unknown_orders(venue)
        await self.books.mark_to_market(at, venue)
        await orchestrator.adopt_rest(at, venue)
        await orchestrator.restore_protection(venue)
        try:
            due = [context for context in self.contexts.due(at) if context.venue == venue]
            await run_cycles(self.services, due, at)
            await orchestrator.sync_venue_events(venue)
        finally:
            await self.books.record_equity(at)

    async def look_again(self, venue: str, _: datetime) -> None:
        await self.services.orchestrator.look_again(venue)

    async def next_look(self, venue: str) -> datetime | None:
        return await self.services.orchestrator.next_look(venue)

    async def end_patience(self, venue: str, _: datetime) -> None:
        await self.services.orchestrator.end_patience(venue)

    async def patience_ends(self, venue: str) -> datetime | None:
        return await self.services.orchestrator.patience_ends(venue)


class Troubles:
    """What is wrong with the jobs, each by itself: that one succeeds says nothing of another.

    Args:
        tell: Called with all that is wrong, an empty text where nothing is.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._by_job: dict[str, str] = {}

    def of(self, job: Job) -> Callable[[str], None]:
        """Tells of one job; an empty text where all is well again."""

        def note(text: str) -> None:
            self._by_job[job.name] = text
            self._tell("; ".join(each for each in self._by_job.values() if each))

        return note


class WallDriver:
    """Drives the table on the wall clock: in a group one job at a time, nothing twice, nothing that is too late.

    What research or a slow venue takes long for holds up neither what runs out nor another venue (``Job.venue``).

    APScheduler (``looks``) has it look at the clock at each time that a job is due, and every second at the latest, so
    that a clock that is set, or a machine that slept, costs no job more than that: what was missed many times meanwhile
    is done once, for the newest time.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Job],
        clock: Clock,
        on_trouble: Callable[[str], None],
        finish_within: float = FINISH_WITHIN,
        look_every: timedelta = LOOK_EVERY,
        looks: Looks | None = None,
    ) -> None:
        self._finish_within = finish_within
        self._look_every = look_every
        self._jobs = jobs
        self._clock = clock
        self._looks = looks or ScheduledLooks(clock.now)
        self._troubles = Troubles(on_trouble)
        self._in_turn = {(job.group, job.venue): asyncio.Lock() for job in jobs}
        self._ending = asyncio.Event()
        self._over: dict[str, datetime] = {}  # up to which time what a job's trigger says is done, or left out
        self._owed = {job.name for job in jobs if job.grace is None and job.trigger is not None}
        self._rests: dict[str, timedelta] = {}  # how long what failed was left alone the last time
        self._moved = asyncio.Condition()

    def start(self) -> None:
        """Begin; what a job's trigger said before now is over, unless it makes up for what it has missed."""
        now = self._clock.now()
        looks: dict[str, Look] = {}
        for job in self._jobs:
            if job.trigger is not None:
                self._over[job.name] = job.trigger.latest(now - timedelta.resolution)
                looks[job.name] = partial(self._by_trigger, job, job.trigger)
            if job.alarm is not None:
                looks[f"{job.name} alarm"] = partial(self._by_alarm, job, job.alarm)
        self._looks.start(looks)

    async def stop(self) -> None:
        """Start nothing more, and let what runs finish, within so many wall seconds."""
        self._ending.set()
        await self._note()
        await self._looks.stop(self._finish_within)

    async def _by_trigger(self, job: Job, trigger: Trigger) -> timedelta:
        """Do a job if its trigger says so; how long until the next look."""
        now = self._clock.now()
        due, over = trigger.latest(now), self._over[job.name]
        if now < over - SET_BACK:  # the clock was set back: what comes now is done when it comes
            self._over[job.name] = over = trigger.latest(now - self._look_every)
        if job.name in self._owed or due > over:
            done = await self._do(job, due) if job.grace is None or now - due <= job.grace else True
            self._keep_owed(job, done=done or job.grace is not None)
            self._over[job.name] = max(due, over)
            await self._note()
        return self._rests.get(job.name) or min(self._until_next(trigger), self._look_every)

    def _keep_owed(self, job: Job, *, done: bool) -> None:
        """What makes up for what it missed is owed until it succeeds, and tried again after longer and longer rests."""
        if done:
            self._owed.discard(job.name)
            self._rests.pop(job.name, None)
        else:
            self._owed.add(job.name)
            self._rests[job.name] = _longer(self._rests.get(job.name, timedelta(0)))

    async def _by_alarm(self, job: Job, alarm: Callable[[], Awaitable[datetime | None]]) -> timedelta:
        """Do a job if its alarm has gone off; how long until the next look, which is at the time it says by then."""
        name = f"{job.name} alarm"
        rest = await self._ring(job, alarm)
        if rest is not None:
            self._rests.pop(name, None)
            return rest
        self._rests[name] = _longer(self._rests.get(name, timedelta(0)))
        return max(self._rests[name], self._look_every)

    async def _ring(self, job: Job, alarm: Callable[[], Awaitable[datetime | None]]) -> timedelta | None:
        """Do a job if its alarm has gone off; how long until the next look, ``None`` where something failed."""
        try:
            at = await alarm()
            if at is not None and at <= self._clock.now():
                if not await self._do(job, at):
                    return None
                at = await alarm()
        except Exception:  # noqa: BLE001 - the boundary of every job, as in ``run_guarded``
            _note_failure(job, self._clock.now(), self._troubles.of(job))
            return None
        self._troubles.of(job)("")
        now = self._clock.now()
        return self._look_every if at is None or at <= now else min(at - now, self._look_every)

    async def _do(self, job: Job, at: datetime) -> bool:
        """Do a job when its turn has come, unless the end comes first; whether it succeeded."""

        async def in_turn(at: datetime) -> None:
            if job.grace is None:
                await self._those_before(job, at)
            if job.ready is not None:
                await job.ready(at)
            async with self._in_turn[job.group, job.venue]:
                if not self._ending.is_set():
                    await job.run(at)

        return await run_guarded(replace(job, run=in_turn), at, self._troubles.of(job))

    async def _those_before(self, job: Job, at: datetime) -> None:
        """Wait until all that the triggers of the account's earlier jobs in the table said up to a time is done."""
        earlier = [each for each in self._jobs[: self._jobs.index(job)] if each.group is Group.ACCOUNT]
        before = [(each.name, each.trigger) for each in earlier if each.trigger]
        async with self._moved:
            await self._moved.wait_for(
                lambda: self._ending.is_set() or all(self._over[name] >= due.latest(at) for name, due in before)
            )

    async def _note(self) -> None:
        """Let those look again who wait for others."""
        async with self._moved:
            self._moved.notify_all()

    def _until_next(self, trigger: Trigger) -> timedelta:
        now = self._clock.now()
        return trigger.after(now) - now


def _longer(rest: timedelta) -> timedelta:
    """The rest after another failure."""
    return min(max(2 * rest, timedelta(seconds=1)), LONGEST_REST)


async def run_guarded(job: Job, at: datetime, on_trouble: Callable[[str], None]) -> bool:
    """Run a job; one that fails is logged with an id and told of, and the others go on. Whether it succeeded."""
    try:
        await job.run(at)
    except Exception:  # noqa: BLE001 - the boundary of every job: a fault in one must not stop the program
        _note_failure(job, at, on_trouble)
        return False
    on_trouble("")
    return True


def _note_failure(job: Job, at: datetime, on_trouble: Callable[[str], None]) -> None:
    """Log the error that is being handled, and tell of it."""
    reference = fault_id()
    _log.exception("job failed", job=job.name, at=at.isoformat(), reference=reference)
    on_trouble(f"{job.name} failed at {at:%Y-%m-%d %H:%M} UTC (log id {reference})")
