"""Drives the table of jobs on the clock on the wall, whatever becomes of that clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from engine.jobs.runs import Troubles, note_failure, run_guarded
from engine.jobs.table import Group, Job
from engine.ports import Clock
from engine.timing.scheduler import Scheduler, Tick, WallScheduler
from engine.timing.triggers import Trigger

TICK_EVERY = timedelta(seconds=1)
"""How often the wall clock's driver looks at its clock, and asks a job whose time is known only at run time."""
LONGEST_REST = timedelta(seconds=30)
"""How long a job that fails again and again is left alone at most, where it is not left out."""
SET_BACK = timedelta(seconds=5)
"""By how much the wall clock may go back and nothing is done again; a time server's corrections are smaller."""
FINISH_WITHIN = 5.0
"""Wall seconds that a job which runs at the end has to finish."""


class WallDriver:
    """Drives the table on the wall clock: in a group one job at a time, nothing twice, nothing that is too late.

    What research or a slow venue takes long for holds up neither what runs out nor another venue (``Job.venue``).

    APScheduler (``engine.timing.scheduler``) has it look at the clock at each time that a job is due, and every second
    at the latest, so that a clock that is set, or a machine that slept, costs no job more than that: what was missed
    many times meanwhile is done once, for the newest time.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Job],
        clock: Clock,
        on_trouble: Callable[[str], None],
        finish_within: float = FINISH_WITHIN,
        tick_every: timedelta = TICK_EVERY,
        scheduler: Scheduler | None = None,
    ) -> None:
        self._finish_within = finish_within
        self._tick_every = tick_every
        self._jobs = jobs
        self._clock = clock
        self._scheduler = scheduler or WallScheduler(clock.now)
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
        ticks: dict[str, Tick] = {}
        for job in self._jobs:
            if job.trigger is not None:
                self._over[job.name] = job.trigger.latest(now - timedelta.resolution)
                ticks[job.name] = partial(self._by_trigger, job, job.trigger)
            if job.alarm is not None:
                ticks[f"{job.name} alarm"] = partial(self._by_alarm, job, job.alarm)
        self._scheduler.start(ticks)

    async def stop(self) -> None:
        """Start nothing more, and let what runs finish, within so many wall seconds."""
        self._ending.set()
        await self._note()
        await self._scheduler.stop(self._finish_within)

    async def _by_trigger(self, job: Job, trigger: Trigger) -> timedelta:
        """Do a job if its trigger says so; how long until the next tick."""
        now = self._clock.now()
        due, over = trigger.latest(now), self._over[job.name]
        if now < over - SET_BACK:  # the clock was set back: what comes now is done when it comes
            self._over[job.name] = over = trigger.latest(now - self._tick_every)
        if job.name in self._owed or due > over:
            done = await self._do(job, due) if job.grace is None or now - due <= job.grace else True
            self._keep_owed(job, done=done or job.grace is not None)
            self._over[job.name] = max(due, over)
            await self._note()
        return self._rests.get(job.name) or min(self._until_next(trigger), self._tick_every)

    def _keep_owed(self, job: Job, *, done: bool) -> None:
        """What makes up for what it missed is owed until it succeeds, and tried again after longer and longer rests."""
        if done:
            self._owed.discard(job.name)
            self._rests.pop(job.name, None)
        else:
            self._owed.add(job.name)
            self._rests[job.name] = _longer(self._rests.get(job.name, timedelta(0)))

    async def _by_alarm(self, job: Job, alarm: Callable[[], Awaitable[datetime | None]]) -> timedelta:
        """Do a job if its alarm has gone off; how long until the next tick, which is at the time it says by then."""
        name = f"{job.name} alarm"
        rest = await self._ring(job, alarm)
        if rest is not None:
            self._rests.pop(name, None)
            return rest
        self._rests[name] = _longer(self._rests.get(name, timedelta(0)))
        return max(self._rests[name], self._tick_every)

    async def _ring(self, job: Job, alarm: Callable[[], Awaitable[datetime | None]]) -> timedelta | None:
        """Do a job if its alarm has gone off; how long until the next tick, ``None`` where something failed."""
        try:
            at = await alarm()
            if at is not None and at <= self._clock.now():
                if not await self._do(job, at):
                    return None
                at = await alarm()
        except Exception:  # noqa: BLE001 - the boundary of every job, as in ``run_guarded``
            note_failure(job, self._clock.now(), self._troubles.of(job))
            return None
        self._troubles.of(job)("")
        now = self._clock.now()
        return self._tick_every if at is None or at <= now else min(at - now, self._tick_every)

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
