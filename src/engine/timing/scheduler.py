"""Lets APScheduler call what drives the jobs, again and again, and goes on when somebody sets the machine's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

Tick = Callable[[], Awaitable[timedelta]]
"""Does what is due, if anything is; how long to wait until the next tick."""
AT_LEAST_EVERY = timedelta(seconds=1)
"""When a tick is called that came due before the one before it had ended: APScheduler skips it then."""
SET_BACK = timedelta(seconds=2)
"""By how much the machine's clock may go back and the scheduler is let wait: by so much every tick comes late."""


class Scheduler(Protocol):
    """Calls ticks until it is stopped; each by itself, never twice at once."""

    def start(self, ticks: Mapping[str, Tick]) -> None:
        """Begin, with a tick of each at once."""
        ...

    async def stop(self, within: float) -> None:
        """Begin none any more; those under way have so many wall seconds to finish."""
        ...


class WallScheduler:
    """The ticks of a running program, by APScheduler.

    APScheduler waits for a time of the machine's clock. Where that is set back it would wait for as long as it was set
    back by, so each next tick is then set anew.

    Args:
        now: The machine's clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._scheduler: AsyncIOScheduler | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._clock_watch: asyncio.Task[None] | None = None

    def start(self, ticks: Mapping[str, Tick]) -> None:
        """Begin; every tick is registered anew, as its state is in our own tables."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.interval import IntervalTrigger

        self._scheduler = scheduler = AsyncIOScheduler(timezone=UTC)
        often = IntervalTrigger(seconds=int(AT_LEAST_EVERY.total_seconds()), timezone=UTC)
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None, "next_run_time": self._now()}
        for name, tick in ticks.items():
            scheduler.add_job(self._tick, often, args=(name, tick), id=name, **options)
        scheduler.start()
        self._clock_watch = asyncio.create_task(self._watch_the_clock(scheduler), name="clock watch")

    async def stop(self, within: float) -> None:
        """Begin none any more; those under way have so many wall seconds to finish."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        scheduler.pause()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        scheduler.shutdown(wait=False)  # which cancels what still runs
        if self._clock_watch is not None:
            self._clock_watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._clock_watch

    async def _tick(self, name: str, tick: Tick) -> None:
        with self._noted():
            rest = timedelta(seconds=1)
            try:
                rest = await tick()
            finally:
                if self._scheduler is not None:
                    self._scheduler.modify_job(name, next_run_time=self._now() + rest)

    async def _watch_the_clock(self, scheduler: AsyncIOScheduler) -> None:
        last = self._now()
        while True:
            await asyncio.sleep(1)
            if self._now() < last - SET_BACK:
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=self._now())
            last = self._now()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Know what is under way; what is cancelled at the end is no failure that the scheduler should log."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("ticks run in tasks")
        self._under_way.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if self._scheduler is not None:
                raise
        finally:
            self._under_way.discard(task)
