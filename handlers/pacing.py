"""How fast the bot may speak: what a platform allows before it answers 429, kept on our side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.ports import RetryAt
from engine.timing.clocks import monotonic

PATIENCE = 2.0
"""Seconds a call waits for its turn before it is given back with ``RetryAt``."""
EVERYTHING = "everything"
"""What all calls of a platform are counted with, and held with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many calls a second, and so many at once."""

    per_second: float
    burst: float


Rates = Callable[[str], Mapping[str, Rate]]
"""What a call is counted with, by name: a chat, a channel, all edits, ``EVERYTHING``."""


class Pacer:
    """Gives calls their turn.

    Args:
        rates: How fast each of them may go.
        monotonic: Where its time comes from.
    """

    def __init__(self, rates: Rates, monotonic: Callable[[], float] = monotonic) -> None:
        self._rates = rates
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._held: dict[str, float] = {}

    def hold(self, seconds: float, of: str = EVERYTHING) -> None:
        """Let nothing of these through for so long, because the platform said so."""
        self._held[of] = max(self._held.get(of, 0.0), self._monotonic() + seconds)

    async def turn(self, of: str) -> None:
        """Wait for a call's turn, if that is soon.

        Raises:
            RetryAt: It is not soon.
        """
        wait = self.reserve(of)
        if wait > 0:
            await asyncio.sleep(wait)

    def reserve(self, of: str) -> float:
        """Reserve a turn and return the seconds until then.

        Raises:
            RetryAt: It would be longer than ``PATIENCE``, or the platform holds them; nothing is reserved.
        """
        now = self._monotonic()
        if (held := self._held_for(of, now)) > 0:
            raise RetryAt(held)
        buckets = self._counting(of, now)
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > PATIENCE:
            raise RetryAt(wait)
        for bucket in buckets:
            bucket.take()
        return wait

    def delay(self, of: str, calls: int) -> float:
        """Seconds until so many further calls could all have had their turn; nothing is reserved."""
        now = self._monotonic()
        return max(self._held_for(of, now), *(bucket.wait(now, calls) for bucket in self._counting(of, now)))

    def _held_for(self, of: str, now: float) -> float:
        return max(0.0, *(self._held.get(name, now) - now for name in (of, EVERYTHING)))

    def _counting(self, of: str, now: float) -> list[Bucket]:
        for name, rate in self._rates(of).items():
            if name not in self._buckets:
                self._buckets[name] = Bucket(rate=rate, tokens=rate.burst, at=now)
        return [self._buckets[name] for name in self._rates(of)]


@dataclass(slots=True, kw_only=True)
class Bucket:
    """A token bucket; reserving ahead puts it into debt. Times are monotonic seconds."""

    rate: Rate
    tokens: float
    at: float

    def wait(self, now: float, tokens: int = 1) -> float:
        """Seconds until so many tokens are free."""
        self.tokens = min(self.rate.burst, self.tokens + (now - self.at) * self.rate.per_second)
        self.at = now
        return max(0.0, (tokens - self.tokens) / self.rate.per_second)

    def take(self) -> None:
        """Reserve the next token."""
        self.tokens -= 1
