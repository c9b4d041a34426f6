"""The live cycle over history, on the market clock: the same jobs, the same approvals, the same people.

Time jumps from one due job to the next at the speed asked for. While an approval is open it goes 1:1 with the wall, so
that people can answer it, for at most ``wait_for_people`` wall seconds an approval. While an answer is carried out it
stands still: the order is filled and protected at the moment it was judged for, whatever the speed.

What is written at one moment is committed together, and at full speed that of several moments is (``Journal``): at the
latest before time is let pass, before anybody is shown anything, and before the venue writes anything itself.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from engine.domain.errors import StoreError
from engine.jobs.runs import Troubles, note_failure, run_guarded
from engine.jobs.table import Job
from engine.support.faults import fault_id
from engine.timing.clocks import MarketClock

_log = structlog.get_logger(__name__)

INSTANT = timedelta(seconds=1)
"""What passes once everything due at a moment is done: answers of people are always later than the candle they saw."""
AGAIN_AFTER = 1.0
"""Wall seconds after which a database that could not be read is read again."""
GoesOn = Callable[[datetime], bool]
"""Hears of a moment at which all that was due is done; whether to go on."""
_NEVER = datetime.max.replace(tzinfo=UTC)
BREATH = 0.05
"""Wall seconds between two looks at whether an approval has been answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the market goes.

    Attributes:
        speed: Market seconds in a wall second; ``inf`` for as fast as it goes.
        wait_for_people: Wall seconds for which an open approval holds it at 1:1.
        commit_every: How many moments at which something was due share a commit, where no time passes between them.
    """

    speed: float
    wait_for_people: float
    commit_every: int = 1

    def left(self, asked_at: datetime, until: datetime, now: datetime) -> timedelta:
        """How long people have for an answer by their own clock, at the least: another approval may hold the market.

        Args:
            asked_at: When they were asked, in market time.
            until: When the answer is due, in market time.
            now: The market time.
        """
        rest = max(until - now, timedelta(0))
        held = min(rest, max(timedelta(seconds=self.wait_for_people) - (now - asked_at), timedelta(0)))
        return held + timedelta(seconds=(rest - held).total_seconds() / self.speed)


class Journal(Protocol):
    """Where the jobs write: it can let what one task writes wait for a common commit."""

    @property
    def has_news(self) -> bool:
        """Whether anything that waits is to be shown to people."""
        ...

    def group_commit(self) -> AbstractContextManager[None]:
        """Let what this task writes within wait."""
        ...

    async def flush(self) -> None:
        """Commit what waits.

        Raises:
            StoreError: Nothing of it could be kept.
        """
        ...


def for_ever(now: datetime) -> bool:
    """Nobody looks on."""
    del now
    return True


class NoJournal:
    """For jobs that write nothing."""

    has_news = False
    group_commit = nullcontext

    async def flush(self) -> None:
        """Nothing waits."""


class Replay:
    """Drives a table of jobs on a market clock.

    Args:
        open_approvals: The ids of the approvals that wait for people.
        answering: Whether a person's answer is being carried out.
        journal: Where the jobs write.
        goes_on: Who looks on, and may stop it.
    """

    def __init__(
        self,
        *,
        clock: MarketClock,
        jobs: Sequence[Job],
        pace: Pace,
        open_approvals: Callable[[], Awaitable[Sequence[str]]],
        on_trouble: Callable[[str], None],
        answering: Callable[[], bool] = lambda: False,
        journal: Journal | None = None,
        goes_on: GoesOn = for_ever,
    ) -> None:
        self._clock = clock
        self._jobs = jobs
        self._pace = pace
        self._open_approvals = open_approvals
        self._on_trouble = on_trouble
        self._troubles = Troubles(on_trouble)
        self._answering = answering
        self._journal = journal or NoJournal()
        self._goes_on = goes_on
        self._uncommitted = 0
        self._waiting_since: dict[str, float] = {}
        self._stopping = False
        self._next: dict[str, datetime | None] = {
            job.name: job.trigger.after(clock.now() - timedelta.resolution) if job.trigger else None for job in jobs
        }
        self._owed = self._making_up()

    @property
    def is_stopped(self) -> bool:
        """Whether it has ended, or will, before it would have by itself."""
        return self._stopping

    def stop(self) -> None:
        """End the run once what is due at this moment is done."""
        self._stopping = True

    async def run(self, until: datetime | None) -> None:
        """Go on until a market time, that moment included; ``None`` for ever."""
        with self._journal.group_commit():
            try:
                await self._run(until)
            finally:
                await self._commit()

    async def _run(self, until: datetime | None) -> None:
        while not self._stopping:
            try:
                if await self._is_over(until):
                    return
            except StoreError as error:  # what is due could not be read: the market waits for the database
                self._tell(error)
                await asyncio.sleep(AGAIN_AFTER)

    async def _is_over(self, until: datetime | None) -> bool:
        """Go on to what is due next and do it, unless nothing is due any more up to a market time."""
        due = await self._due()
        at = max(min(due.values(), default=self._clock.now()), self._clock.now())
        if not due or (until is not None and at > until):
            return True
        if not await self._travel(at):
            return False  # what is due next has changed on the way, or may have: an approval was answered
        jobs = [job for job in self._jobs if job.name in self._owed or (job.name in due and due[job.name] <= at)]
        times, left = await self._do_ahead(jobs, at, due, until)
        if not times:
            times = [max(at, self._clock.now())]  # where looking ahead has failed, time may have passed
        for job in left:
            await self._do(job, times[-1])
        self._clock.move_to(times[-1] + INSTANT)
        self._uncommitted += len(times)
        if self._uncommitted >= self._pace.commit_every or self._journal.has_news:
            await self._commit()
        if not self._goes_on(times[-1]):
            self.stop()
        return False

    async def _do_ahead(
        self, jobs: Sequence[Job], at: datetime, due: Mapping[str, datetime], until: datetime | None
    ) -> tuple[list[datetime], Sequence[Job]]:
        """Do the job that comes first for as many of its times as it can before another is due; beside others, for one.

        Those that go along with it are done by it.

        Returns:
            These times, none where it has to be done for this one by itself; and the jobs that are still to be done.
        """
        along = {job.name: job for job in self._jobs if job.along is not None and job.along()}
        leading = [job for job in jobs if job.name not in along]
        lead = leading[0] if leading else None
        ahead = lead.ahead if lead is not None else None
        if lead is None or ahead is None or self._pace.speed != math.inf or self._next[lead.name] != at:
            return [], jobs
        if self._answering() or await self._is_held():
            return [], jobs
        others = [when for name, when in due.items() if name != lead.name and name not in along and when > at]
        if len(leading) > 1:
            others.append(at + timedelta.resolution)
        before = min(others, default=_NEVER) if until is None else min([*others, until + timedelta.resolution])
        try:
            count = await ahead(at, before, self._pace.commit_every - self._uncommitted)
        except Exception:  # noqa: BLE001 - as where it is run: a fault must not stop the program
            note_failure(lead, at, self._troubles.of(lead))
            while (missed := self._next[lead.name]) is not None and missed < self._clock.now():
                self._advance(lead, missed)  # as where what was written could not be kept: the market goes on
            return [], jobs
        times: list[datetime] = []
        for _ in range(count):
            times.append(self._next[lead.name] or at)
            self._advance(lead, times[-1])
        for job in along.values() if times else ():
            while (done := self._next[job.name]) is not None and done <= times[-1]:
                self._advance(job, done)
        await self._until_answered()
        return times, leading[1:] if times else jobs

    async def _commit(self) -> None:
        """Keep what was written; what cannot be kept is told of, and the database is as it was before."""
        self._uncommitted = 0
        try:
            await self._journal.flush()
        except StoreError as error:
            self._tell(error)
            self._owed = self._making_up()

    def _making_up(self) -> set[str]:
        """The jobs that may have missed something, and make up for it when they run next."""
        return {job.name for job in self._jobs if job.grace is None}

    async def _do(self, job: Job, at: datetime) -> None:
        done = await run_guarded(replace(job, run=partial(_prepared, job)), at, self._troubles.of(job))
        await self._until_answered()
        self._owed.discard(job.name)
        if not done and job.grace is None:
            self._owed.add(job.name)
        self._advance(job, at)

    async def _until_answered(self) -> None:
        """Stand still while what was begun, or what somebody has answered at this very moment, is carried out."""
        while self._answering() and not self._stopping:
            await self._sleep(BREATH)

    def _tell(self, error: StoreError) -> None:
        reference = fault_id()
        _log.error("the database fails", at=self._clock.now().isoformat(), reference=reference, exc_info=error)
        self._on_trouble(f"{error.message} (log id {reference})")

    async def _sleep(self, seconds: float) -> None:
        await self._commit()
        await asyncio.sleep(seconds)

    async def _due(self) -> dict[str, datetime]:
        """When each job is due next, by its trigger or its alarm."""
        due = {name: at for name, at in self._next.items() if at is not None}
        for job in self._jobs:
            alarm = await job.alarm() if job.alarm else None
            if alarm is not None:
                due[job.name] = min(alarm, due.get(job.name, alarm))
        return due

    def _advance(self, job: Job, at: datetime) -> None:
        planned = self._next[job.name]
        if job.trigger is not None and planned is not None and planned <= at:
            self._next[job.name] = job.trigger.after(planned)

    async def _travel(self, to: datetime) -> bool:
        """Let time pass up to a moment; whether it got there undisturbed."""
        while (rest := (to - self._clock.now()).total_seconds()) > 0:
            held = await self._is_held()
            if self._answering():
                await self._sleep(BREATH)
                return False
            rate = 1.0 if held else self._pace.speed
            if rate == float("inf"):
                self._clock.move_to(to)
                return True
            before = self._clock.monotonic()
            await self._sleep(min(BREATH, rest / rate))
            slept = self._clock.monotonic() - before
            asked = not held and await self._is_held()  # what was asked just now must not be hours old at once
            passed = timedelta(seconds=min(rest, slept * (1.0 if asked else rate)))
            if not self._answering():
                self._clock.move(passed)
            if self._stopping or (held and not await self._is_held()):
                return False
            if min((await self._due()).values(), default=to) < to:  # somebody has paused until then, say
                return False
        return True

    async def _is_held(self) -> bool:
        """Whether an approval is open that has not yet held the market for as long as it may."""
        if self._pace.wait_for_people <= 0:
            return False
        now = self._clock.monotonic()
        open_now = await self._open_approvals()
        self._waiting_since = {approval: self._waiting_since.get(approval, now) for approval in open_now}
        return any(now - since < self._pace.wait_for_people for since in self._waiting_since.values())


async def _prepared(job: Job, at: datetime) -> None:
    """Do a job once what it needs has come in."""
    if job.ready is not None:
        await job.ready(at)
    await job.run(at)
