"""How often an account is asked within a venue's limits, and the numbers that its requests carry."""

from __future__ import annotations

from asyncio import Timeout
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

BURST = 10.0
"""How many wall seconds of the budget may be used at once after a time of quiet: limits are those of a minute."""

answer_until: ContextVar[Timeout | None] = ContextVar("answer_until", default=None)
"""Until when the answer to what is asked now is waited for: nobody's time runs while they wait for the budget."""
is_urgent: ContextVar[bool] = ContextVar("is_urgent", default=False)
"""Whether what is asked now waits for no budget: an order, or to cancel one."""


class Growing:
    """Numbers that only grow, near the time in milliseconds: what some venues want each request to carry.

    Args:
        now_ms: Milliseconds since 1970, by this machine: another clock might send a restart back.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._last = 0

    def __call__(self) -> int:
        """The next of them."""
        self._last = max(self._last + 1, self._now_ms())
        return self._last


class Budget:
    """Keeps what is asked within a share of the venue's limits; what is urgent counts, and does not wait.

    Args:
        pace: Wall seconds that one unit of ccxt's cost takes.
        monotonic: Wall seconds.
        sleep: Waits so many of them.
    """

    def __init__(
        self, pace: float, *, monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._pace = pace
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_at = float("-inf")

    async def __call__(self, cost: float | None = None) -> None:
        """Wait for the turn of a request that costs so much."""
        now = self._monotonic()
        at = max(self._free_at, now - BURST)
        self._free_at = at + (1.0 if cost is None else cost) * self._pace
        if at > now and not is_urgent.get():
            limit = answer_until.get()
            if limit is not None and (until := limit.when()) is not None:
                limit.reschedule(until + at - now)
            await self._sleep(at - now)
