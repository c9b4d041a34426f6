"""Slack's rate limits: some calls in a time for a method, or for a channel, and then none for a while."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field


class RateLimited(Exception):
    """Too many calls; ``retry_after`` is in whole seconds, as the header has it."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"ratelimited for {retry_after} s")
        self.retry_after = retry_after


@dataclass(kw_only=True)
class Limit:
    """So many calls within a window of seconds; one more shuts the door for ``retry_after`` seconds."""

    calls: int
    window: float
    retry_after: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    taken: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    shut_until: dict[str, float] = field(default_factory=dict)

    def take(self, key: str) -> None:
        """Count one call.

        Raises:
            RateLimited: There were too many.
        """
        now = self.monotonic()
        if self.shut_until.get(key, 0.0) > now:
            raise RateLimited(math.ceil(self.shut_until[key] - now))
        times = self.taken[key]
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.calls:
            self.shut_until[key] = now + self.retry_after
            raise RateLimited(math.ceil(self.retry_after))
        times.append(now)


MINUTE = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute a tier; Slack lets somewhat more through at times."""
TIER_OF = {
    "apps.connections.open": 1,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.update": 3,
    "conversations.info": 3,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "conversations.open": 3,
    "pins.add": 2,
    "reactions.add": 3,
    "users.info": 4,
    "views.open": 4,
    "views.publish": 4,
}
POST = "chat.postMessage"


class Limits:
    """The limits in force, at first none: a test that is about something else goes as fast as it can."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._limits: dict[str, Limit] = {}

    def set(self, method: str, calls: int, window: float, retry_after: float = 1.0) -> None:
        """Allow so many calls of a method within so many seconds; of posting, to each channel."""
        self._limits[method] = Limit(calls=calls, window=window, retry_after=retry_after, monotonic=self._monotonic)

    def as_documented(self, *, burst: int = 3) -> None:
        """What Slack promises: a message a second to a channel, a short burst aside; other methods by their tier.

        Tier 1 is left out, as Slack does where a socket is opened again and again.
        """
        self.set(POST, burst, float(burst))
        for method, tier in TIER_OF.items():
            if tier > 1:
                self.set(method, TIERS[tier], MINUTE)

    def lift(self) -> None:
        """Allow everything."""
        self._limits.clear()

    def check(self, method: str, channel: str) -> None:
        """Count a call.

        Raises:
            RateLimited: There were too many.
        """
        if method in self._limits:
            self._limits[method].take(channel if method == POST else "")
