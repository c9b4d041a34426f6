"""A token bucket: how fast something may go, with short bursts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Bucket:
    """A token bucket; reserving ahead puts it into debt. Times are monotonic seconds.

    Attributes:
        rate: Tokens a second.
        capacity: Tokens it holds when full.
    """

    rate: float
    capacity: float
    tokens: float
    at: float

    def wait(self, now: float, tokens: int = 1) -> float:
        """Seconds until so many tokens are free."""
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (tokens - self.tokens) / self.rate)

    def take(self) -> None:
        """Reserve the next token."""
        self.tokens -= 1


def full(rate: float, capacity: float, now: float) -> Bucket:
    """A bucket that nobody has taken from."""
    return Bucket(rate=rate, capacity=capacity, tokens=capacity, at=now)
