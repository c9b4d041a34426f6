"""How often an account is asked within a venue's limits, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

from engine.exchanges.ccxt.turns import Urgency

BURST = 10.0
"""How many wall seconds of the budget may be used at once after a time of quiet: limits are those of a minute."""
_AFTER_REFUSAL = 3.0
"""Wall seconds of the budget beyond all that may be used at once, after the venue said that it was too much."""

_NEWS_TAKES = 4.0
"""Wall seconds of the budget that are used before the last call by which it is known what has become of an order."""

answer_until: ContextVar[asyncio.Timeout | None] = ContextVar("answer_until", default=None)
"""Until when the answer to what is asked now is waited for: nobody's time runs while they wait for their turn."""
_urgency: ContextVar[Urgency] = ContextVar("_urgency", default=Urgency.ROUTINE)


@contextmanager
def asking(urgency: Urgency) -> Iterator[None]:
    """Ask meanwhile with an urgency; what asks with a greater one within it does so all the same."""
    token = _urgency.set(min(urgency, _urgency.get()))
    try:
        yield
    finally:
        _urgency.reset(token)


def asked_with() -> Urgency:
    """How urgent is what is asked now."""
    return _urgency.get()


@contextmanager
def no_answer_awaited() -> Iterator[None]:
    """Let the time for an answer stand still meanwhile."""
    limit = answer_until.get()
    until = limit.when() if limit is not None else None
    if limit is None or until is None:
        yield
        return
    now = asyncio.get_running_loop().time
    left = until - now()
    limit.reschedule(None)
    try:
        yield
    finally:
        limit.reschedule(now() + left)


class Budget:
    """Keeps what is asked within a share of the venue's limits, the most urgent first; an order counts but never waits.

    Args:
        pace: Wall seconds that one unit of ccxt's cost takes.
        monotonic: Wall seconds.
        sleep: Waits so many of them.
        burst: How many wall seconds of the budget may be used at once.
        reserve: How many more may be where what has become of an order is asked for.
        last: How many more than those may be where something is to be sold.
    """

    def __init__(
        self,
        pace: float,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        burst: float = BURST,
        reserve: float = BURST,
        last: float = BURST,
    ) -> None:
        self._pace = pace
        self._monotonic = monotonic
        self._sleep = sleep
        self._burst = burst
        self._reserve = reserve
        self._last = last
        self._used_until = float("-inf")
        """When all that was asked is used up: so far ahead of now as is used at once."""
        self._waiting: list[tuple[Urgency, int, float]] = []
        self._numbers = count()

    async def __call__(self, cost: float | None = None) -> None:
        """Wait for the turn of a request that costs so much."""
        takes = (1.0 if cost is None else cost) * self._pace
        urgency = asked_with()
        if urgency is not Urgency.ORDER:
            await self._wait((urgency, next(self._numbers), takes))
        self._used_until = max(self._used_until, self._monotonic()) + takes

    async def room_for_news(self) -> None:
        """Wait until what becomes of an order that is sent then can be asked for without waiting."""
        await self._wait((Urgency.NEWS, next(self._numbers), 0.0), _NEWS_TAKES)

    @property
    def has_room_for_a_look(self) -> bool:
        """Whether a look at what is under way, with the trades that it may lead to, would not have to wait now."""
        return self._seconds_of((Urgency.ROUTINE, next(self._numbers), 0.0)) + _NEWS_TAKES <= 0

    def refused(self) -> None:
        """Note that the venue said that it was asked too often: others may have asked it too."""
        full = self._monotonic() + self._burst + self._reserve + self._last + _AFTER_REFUSAL
        self._used_until = max(self._used_until, full)

    async def _wait(self, mine: tuple[Urgency, int, float], spare: float = 0.0) -> None:
        """Wait until there is room; looked at again after each wait, for what is more urgent may have come."""
        self._waiting.append(mine)
        try:
            while (seconds := self._seconds_of(mine) + spare) > 0:
                with no_answer_awaited():
                    await self._sleep(seconds)
        finally:
            self._waiting.remove(mine)

    def _seconds_of(self, mine: tuple[Urgency, int, float]) -> float:
        """How long one has to wait yet, behind those before it."""
        room = self._burst + (self._reserve if mine[0] <= Urgency.NEWS else 0.0)
        room += self._last if mine[0] <= Urgency.EXIT else 0.0
        before = sum(each[2] for each in self._waiting if each < mine)
        return self._used_until - self._monotonic() + before - room
