"""Kraken's counter of calls: each adds to it, time takes away from it, and above its edge nothing is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

HISTORY = frozenset({"TradesHistory", "ClosedOrders", "Ledgers", "QueryLedgers", "QueryTrades"})
"""What counts twice; adding and cancelling orders does not count here at all."""
FREE = frozenset({"AddOrder", "CancelOrder"})


@dataclass(kw_only=True)
class Counter:
    """The counter of one pair of keys.

    Args:
        now_ms: The venue's clock.
    """

    now_ms: Callable[[], int]
    most: float = 15
    decay: float = 0.33
    """What a second takes away."""
    value: float = 0
    refused: int = 0
    _at: int = field(default=0, repr=False)

    def is_too_much(self, method: str) -> bool:
        """Count a call; whether it is one too many."""
        now = self.now_ms()
        self.value = max(self.value - (now - self._at) / 1000 * self.decay, 0) if self._at else 0
        self._at = now
        if method in FREE:
            return False
        self.value += 2 if method in HISTORY else 1
        if self.value > self.most:
            self.refused += 1
            return True
        return False
