"""How many are there, for those who wait until nobody is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Presence:
    """Counts who is there; within one event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()

    @property
    def some(self) -> bool:
        """Whether anybody is there."""
        return self._count > 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Somebody is there meanwhile."""
        self._count += 1
        self._none.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()

    async def gone(self, within: float) -> None:
        """Return once nobody is there, or after so many wall seconds."""
        if self._count:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._none.wait()
