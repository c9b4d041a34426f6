"""Looks in the time of the event loop: in a simulated one years pass in a second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.looks import Look


class LoopedLooks:
    """Calls each look from a task of its own, and rests in the loop's time."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, looks: Mapping[str, Look]) -> None:
        self._tasks = [asyncio.create_task(self._again(look), name=name) for name, look in looks.items()]

    async def stop(self, within: float) -> None:
        self._ending.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _again(self, look: Look) -> None:
        while not self._ending.is_set():
            rest = await look()
            try:
                async with asyncio.timeout(rest.total_seconds()):
                    await self._ending.wait()
            except TimeoutError:
                continue
