"""Ticks in the time of the event loop: in a simulated one years pass in a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.timing.scheduler import Tick


class LoopScheduler:
    """Calls each tick from a task of its own, and rests in the loop's time."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, ticks: Mapping[str, Tick]) -> None:
        self._tasks = [asyncio.create_task(self._again(tick), name=name) for name, tick in ticks.items()]

    async def stop(self, within: float) -> None:
        self._ending.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _again(self, tick: Tick) -> None:
        while not self._ending.is_set():
            rest = await tick()
            try:
                async with asyncio.timeout(rest.total_seconds()):
                    await self._ending.wait()
            except TimeoutError:
                continue
