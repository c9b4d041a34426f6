"""Work that is too long or too heavy to be done among everything else: in a process of its own, which ends with it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from engine.domain.errors import GreenlightError

T = TypeVar("T")

_CALM = 10
"""By how much it steps back behind everything else on this machine."""
_SPAWN = multiprocessing.get_context("spawn")


class WorkFailed(Exception):
    """Work that raised what nobody expected: its text is the traceback there."""


class SideProcess:
    """Does one piece of work at a time; the next one waits for its turn.

    Args:
        within: Wall seconds a piece may take, with those that are done before it.
    """

    def __init__(self, within: float) -> None:
        self._within = within
        self._turn = asyncio.Lock()
        self._working: SpawnProcess | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether somebody would have to wait."""
        return self._turn.locked()

    async def do(self, work: Callable[..., T], *args: Any) -> T | None:
        """What a function gives for its arguments; ``None`` where the process ended without an answer.

        Function, arguments and answer must be fit for pickle.

        Raises:
            TimeoutError: It took too long.
            GreenlightError: The function raised it.
            WorkFailed: It raised anything else.
        """
        async with asyncio.timeout(self._within), self._turn:
            said: T | GreenlightError | WorkFailed | None = await self._done(work, args)
        if isinstance(said, (GreenlightError, WorkFailed)):
            raise said
        return said

    def close(self) -> None:
        """Give up what is being done; nothing more will be."""
        self._closed = True
        self._end()

    async def _done(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._closed:
            return None
        ours, theirs = _SPAWN.Pipe(duplex=False)
        self._working = _SPAWN.Process(target=_work, args=(theirs, work, args), daemon=True)
        try:
            self._working.start()
            theirs.close()
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, _received, ours))
        except asyncio.CancelledError:
            self._end()
            raise
        finally:
            self._end()

    def _end(self) -> None:
        """End the process, wherever it is: who waits for it then reads that nothing comes."""
        process, self._working = self._working, None
        if process is not None and process.pid is not None:
            process.kill()
            process.join()
            process.close()


def _received(ours: Connection) -> Any:
    with ours, suppress(EOFError, OSError):
        return ours.recv()
    return None


def _work(theirs: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """What the process does. An interrupt from the keyboard is for the program, which ends this."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(_CALM)
    try:
        said = work(*args)
    except GreenlightError as error:
        said = GreenlightError(error.message, error.remedy)  # the others have arguments that pickle does not know
    except Exception:  # noqa: BLE001 - the boundary of a process: whoever waits for it tells people and the log
        said = WorkFailed(traceback.format_exc())
    with suppress(OSError):  # the program is gone
        theirs.send(said)
