"""Requests that carry a number which grows: one at a time, or a later one may be there before an earlier."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from engine.exchanges.ccxt.budget import Budget, asked_with, no_answer_awaited
from engine.exchanges.ccxt.turns import Turns


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


class OneAtATime:
    """Sends a client's requests one after the other, the most urgent first; none waits for the budget of another.

    Args:
        venue: ccxt's client, whose ``request`` this takes the place of; it makes the number once it is its turn.
        budget: What each waits for before it stands in line.
    """

    def __init__(self, venue: Any, budget: Budget) -> None:
        self._venue = venue
        self._request = venue.request
        self._budget = budget
        self._turns = Turns(at_once=1)
        venue.enableRateLimit = False  # its wait would be one in the line
        venue.request = self

    async def __call__(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        """Ask once there is room, and it is its turn."""
        asked = (path, api, method, params or {}, config or {})
        await self._budget(self._venue.calculate_rate_limiter_cost(api, method, path, *asked[3:]))
        async with AsyncExitStack() as line:
            with no_answer_awaited():
                await line.enter_async_context(self._turns.turn(asked_with()))
            return await self._request(*asked)
