"""In which order a venue is asked what waits: candles that have closed before order books that will be asked for again.

ccxt keeps a venue's limits by a queue in order of arrival. In front of it stands this one, and lets few questions
through at a time: what matters overtakes, and nobody's time for an answer runs while they wait for their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count

AT_ONCE = 8
"""Questions under way at a time: enough for what a venue allows, at a third of a second an answer."""


class Urgency(IntEnum):
    """How soon a question is wanted answered, the soonest first."""

    ORDER = -3
    """An order, or to cancel one: it waits for nothing."""
    EXIT = -2
    """What has to be known before something is sold."""
    NEWS = -1
    """What has become of an order: what is bought has no protection before that is known."""
    CLOSE = 0
    """A candle that has closed: decisions wait for it."""
    LIST = 1
    """Which markets there are."""
    ROUTINE = 2
    """What is asked again and again: order books, history."""


class Turns:
    """Lets questions through in the order of their urgency, of one urgency in the order they came."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[None]:
        """Wait for a turn, and have it while in it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(urgency)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, urgency: Urgency) -> None:
        mine = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (urgency, next(self._numbers), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._next()  # the turn had just come
            raise

    def _next(self) -> None:
        while self._waiting:
            _, _, waiting = heappop(self._waiting)
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1
