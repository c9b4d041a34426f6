"""A market that lies still and breaks out in one minute: the momentum strategy wants to buy as that closes."""

from __future__ import annotations

import math

from tests.fakes.exchange import MINUTE, Symbol, now_ms

BEFORE, AFTER = 20_000.0, 20_160.0


class BreakingOut:
    """A market that lies still, and breaks out in the minute that ends at ``closes``; it falls when it is told to.

    Args:
        less: How much less it costs than it does elsewhere.
        steps: The market's names and steps.
    """

    def __init__(self, closes: int, less: float = 0.0, **steps: str) -> None:
        self.closes = closes
        self.fallen_at = math.inf
        self._less = less
        self.symbol = Symbol(price=self.price, volume=self.volume, **{"base": "BTC", **steps})

    def price(self, at: int) -> float:
        minute, phase = divmod(at, MINUTE)
        level = BEFORE if at < self.closes - MINUTE else AFTER if at < self.fallen_at else 0.9 * BEFORE
        return level - self._less + (8 if minute % 2 else -8) + 25 * math.sin(2 * math.pi * phase / MINUTE)

    def volume(self, at: int) -> float:
        return 900.0 if at >= self.closes - MINUTE else 400.0


def next_minute(least: float = 6.0) -> int:
    """The next full minute that leaves time enough to start."""
    return (now_ms() + int(least * 1000)) // MINUTE * MINUTE + MINUTE
