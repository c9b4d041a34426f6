"""An event loop in which time is simulated and nothing is left to the machine: no threads, no sockets, no waiting.

When nothing is ready it jumps to the next timer, so that minutes pass in milliseconds, and the same seed always makes
the same run. Work that would go to a thread is done in the loop, a little later, as the seed has it.

Everything that belongs to one life of the program runs under that ``Life``. When it dies, none of its callbacks ever
runs again: no ``finally``, no ``except``, as if the power had been cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

QUICK, USUAL, SLOW = 0.6, 0.95, 0.05
"""How much of the work in threads takes no time at all, how much a few milliseconds, and what the rest takes."""
BURIALS, BURIED_WITHIN = 5, 60.0


class Life:
    """One run of the program, from its start to whatever its end is."""

    def __init__(self) -> None:
        self.dead = False
        self.at_death: list[Callable[[], None]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.parked: list[tuple[Callable[..., object], Any, Context]] = []


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


class Stuck(Exception):
    """Everybody waits for somebody else, for ever; or they run round in circles."""


class _Nobody:
    """The selector of a loop without sockets: waiting is moving the time on."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> tuple[()]:
        if timeout is None:
            raise Stuck("nothing is due any more")
        self._loop.pass_(timeout)
        return ()


class SimulatedLoop(asyncio.BaseEventLoop):
    """The loop.

    Args:
        chance: Where it is drawn from how long work in threads takes.
        horizon: Seconds after which a run has gone wrong.
    """

    def __init__(self, chance: Random, *, horizon: float = 7200.0) -> None:
        super().__init__()
        self._selector = _Nobody(self)
        self._now = 0.0
        self._chance = chance
        self._horizon = horizon
        self._free_at: WeakKeyDictionary[ThreadPoolExecutor, float] = WeakKeyDictionary()
        self._begun: list[tuple[Any, asyncio.Future[Any], asyncio.TimerHandle]] = []
        self.steps = 0
        self.troubles: list[str] = []
        self.set_exception_handler(_note)
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Simulated seconds since the beginning."""
        return self._now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        if self._now > self._horizon:
            raise Stuck(f"not over after {self._horizon:g} simulated seconds")

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """As usual; what belongs to the dead is never called."""
        self.steps += 1
        handle = super().call_soon(callback, *args, context=context)
        if _is_dead(handle):
            _park(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As usual; what belongs to the dead is never called."""
        handle = super().call_at(when, callback, *args, context=context)
        if _is_dead(handle):
            _park(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """There are no other threads."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Do it here, a little later; a pool of one thread does one thing after the other, one that is shut nothing."""
        if isinstance(executor, ThreadPoolExecutor) and executor._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        done = self.create_future()
        at = self._now + self._takes()
        if isinstance(executor, ThreadPoolExecutor) and executor._max_workers == 1:
            at = self._free_at[executor] = max(at, self._free_at.get(executor, 0.0) + 1e-6)
        work = self.call_at(at, _work, done, executor, func, args)
        self._begun = [each for each in self._begun if not each[1].done()]
        self._begun.append((executor, done, work))
        return done

    def finish(self, executor: ThreadPoolExecutor) -> None:
        """Do what a pool has still to do, as it does before it shuts; what belongs to the dead is never done."""
        for pool, done, work in self._begun:
            if pool is executor and not done.done() and not work.cancelled():
                work._context.run(work._callback, *work._args)

    def kill(self, life: Life) -> None:
        """Cut the power of a life: what it had still to do is never done; what waits for its death is, by others."""
        life.dead = True
        for last in life.at_death:
            last()
        for handle in [*self._ready, *self._scheduled]:
            if _is_dead(handle):
                _park(handle)

    async def bury(self, life: Life) -> None:
        """Let everything that a life has left behind come to its end, once nothing can come of it any more."""
        life.dead = False
        for callback, args, context in life.parked:
            self.call_soon(callback, *args, context=context)
        for _ in range(BURIALS):  # what is on its way out begins new things, and waits for them
            left = [task for task in life.tasks if not task.done()]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=BURIED_WITHIN)
        for task in life.tasks:
            task._log_destroy_pending = False
        life.tasks.clear()
        life.parked.clear()

    def _takes(self) -> float:
        drawn = self._chance.random()
        if drawn < QUICK:
            return 0.0
        return self._chance.expovariate(500) if drawn < USUAL else self._chance.uniform(0, SLOW)

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps."""


def _park(handle: asyncio.Handle) -> None:
    """Keep a callback from being called; only its burial will, unless it is for a time that no longer comes."""
    life = handle._context.get(LIFE)
    if life is not None and not handle.cancelled():
        if not isinstance(handle, asyncio.TimerHandle):
            life.parked.append((handle._callback, handle._args, handle._context))
        handle.cancel()


def _is_dead(handle: asyncio.Handle) -> bool:
    life = handle._context.get(LIFE)
    return life is not None and life.dead


def _make_task(loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
    life = (context or {}).get(LIFE) if context is not None else LIFE.get()
    if life is not None:
        life.tasks.append(task)
        if len(life.tasks) > 1000:
            life.tasks[:] = [each for each in life.tasks if not each.done()]
    return task


def _work(done: asyncio.Future[Any], executor: Any, func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if done.done():
        return
    if isinstance(executor, ThreadPoolExecutor) and executor._shutdown:  # left by the dead: no file is opened again
        done.cancel()
        return
    try:
        done.set_result(func(*args))
    except Exception as error:  # noqa: BLE001 - it is whoever waits who gets it
        done.set_exception(error)


def _note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, SimulatedLoop)
    loop.troubles.append(f"{context['message']}: {context.get('exception')!r}")
