"""The program as a process of its own that dies at an exact point, as if the power had been cut.

The real program runs; the test stands in what it reaches the venue and the database by (``bot.externals.Externals``),
where it counts the moments before and after every call. At the chosen one the process kills itself with SIGKILL.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TypeVar

from bot.app import App
from bot.externals import Externals
from bot.stopping import run_until_signal
from config.settings import Settings
from engine.domain.market import Book
from engine.domain.orders import NotFound, OrderRequest, OrderState, SubmitResult
from engine.exchanges.paper import PaperExchange
from engine.ports import Cursor, EventBatch
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.forks import FORKS

T = TypeVar("T")

DEATH_WITHIN = 30.0


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where the power is cut, counted from the moment on at which the file ``armed`` is there.

    Attributes:
        moment: Which moments count, e.g. ``before submit``; all of them where it is empty.
        number: The how manieth of them.
    """

    moment: str = ""
    number: int

    def __str__(self) -> str:
        return f"{self.moment or 'moment'} {self.number}"


class Reaper:
    """Counts moments, and kills this process at the chosen one."""

    def __init__(self, folder: Path, cut: Cut | None) -> None:
        self._armed, self._note = folder / "armed", folder / "cut"
        self._cut = cut
        self._seen: Counter[str] = Counter()

    def moment(self, name: str) -> None:
        """Something is about to happen, or has just happened."""
        if self._cut is None or not self._armed.exists():
            return
        self._seen[name] += 1
        count = self._seen[name] if self._cut.moment else self._seen.total()
        if self._cut.moment in ("", name) and count == self._cut.number:
            self._note.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)


def externals_with(reaper: Reaper) -> Externals:
    """Externals in which it stands."""

    class MortalStore(Database):
        async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
            reaper.moment("before transact")
            result = await super().transact(work)
            reaper.moment("after transact")
            return result

    class MortalVenue(PaperExchange):
        async def submit(self, request: OrderRequest) -> SubmitResult:
            reaper.moment("before submit")
            answer = await super().submit(request)
            reaper.moment("after submit")
            return answer

        async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
            reaper.moment("before find")
            return await super().find(symbol, client_id)

        async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
            reaper.moment("before cancel")
            state = await super().cancel(symbol, client_id)
            reaper.moment("after cancel")
            return state

        async def book(self, symbol: str) -> Book:
            reaper.moment("before book")
            return await super().book(symbol)

        async def events(self, after: Cursor | None) -> EventBatch:
            reaper.moment("before events")
            return await super().events(after)

    return Externals(store=MortalStore, venue=MortalVenue)


class Life:
    """One run of the program, from its start to whatever its end is.

    Args:
        folder: Where its files are; what it prints goes into ``log`` there.
        cut: Where it dies; ``None`` for a life that somebody else must end.
        stall: Which call of the venue never comes back: ``book`` or ``submit``.
    """

    def __init__(self, folder: Path, settings: Settings, cut: Cut | None = None, stall: str = "") -> None:
        self._process: ForkServerProcess = FORKS.Process(target=_live, args=(folder, settings, cut, stall), daemon=True)
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """Cut its power now."""
        self._process.kill()

    def stop(self) -> None:
        """Tell it to stop."""
        self._process.terminate()

    def freeze(self) -> None:
        """Let it stand still, as when the lid is closed, unless it has ended."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it stood, unless it has ended."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    async def end(self) -> int | None:
        """Wait until it has ended; its exit code, negative for a signal."""
        await asyncio.to_thread(self._process.join, DEATH_WITHIN)
        return self._process.exitcode


def _live(folder: Path, settings: Settings, cut: Cut | None, stall: str) -> None:
    log = (folder / "log").open("a", buffering=1)
    os.dup2(log.fileno(), sys.stdout.fileno())
    os.dup2(log.fileno(), sys.stderr.fileno())
    externals = stalling_externals(folder, stall) if stall else externals_with(Reaper(folder, cut))
    asyncio.run(run_until_signal(App(settings, announce=print, externals=externals)))


def stalling_externals(folder: Path, stall: str) -> Externals:
    """Externals behind which the venue takes what it is sent, once the file ``armed`` is there, and never answers."""

    async def never(name: str) -> None:
        if name == stall and (folder / "armed").exists():
            (folder / "stalled").touch()
            await asyncio.Event().wait()

    class StallingVenue(PaperExchange):
        async def submit(self, request: OrderRequest) -> SubmitResult:
            answer = await super().submit(request)
            await never("submit")
            return answer

        async def book(self, symbol: str) -> Book:
            await never("book")
            return await super().book(symbol)

    return Externals(venue=StallingVenue)
