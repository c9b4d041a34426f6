"""Tasks in lanes: one after the other within a lane, side by side across lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from engine.timing.clocks import monotonic


class Lanes:
    """Runs work in the background and can be waited for at the end."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}  # a set would forget in which order they came

    def add(self, lane: Hashable, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Start work as soon as everything added to its lane before has ended, however it ended."""
        task = asyncio.create_task(_after(self._last.get(lane), work))
        self._last[lane] = task
        self._tasks[task] = None
        task.add_done_callback(lambda ended: self._forget(lane, ended))
        return task

    async def close(self, within: float) -> None:
        """Let what is under way end within so many seconds, then cancel the rest."""
        deadline = monotonic() + within
        while self._tasks and (left := deadline - monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, lane: Hashable, ended: asyncio.Task[None]) -> None:
        self._tasks.pop(ended, None)
        if self._last.get(lane) is ended:
            del self._last[lane]


async def _after(before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
    if before:
        await asyncio.wait({before})
    await work()
