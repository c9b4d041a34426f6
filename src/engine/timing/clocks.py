"""The two clocks: the wall's, and the market's while it is replayed. Nothing else in the engine tells the time."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


def wall() -> datetime:
    """The wall clock, for what platforms stamp; nothing is decided by it."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Wall seconds that only grow, by the running event loop: where its time is simulated, so is all pacing."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()  # what an event loop counts by


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return wall()

    def monotonic(self) -> float:
        """Seconds for pacing and time-outs."""
        return monotonic()


class MarketClock:
    """The time of a replayed market. It moves only when it is moved, and never back.

    It shows whole seconds: a person's answer within the same second of two runs carries the same time in both.
    """

    def __init__(self, start: datetime) -> None:
        self._at = start

    def now(self) -> datetime:
        """The market time, in whole seconds."""
        return self._at.replace(microsecond=0)

    def monotonic(self) -> float:
        """Wall seconds for pacing and time-outs."""
        return monotonic()

    def move(self, by: timedelta) -> None:
        """Let so much market time pass."""
        self.move_to(self._at + by)

    def move_to(self, at: datetime) -> None:
        """Go on to a time; a time before now changes nothing."""
        self._at = max(self._at, at)
