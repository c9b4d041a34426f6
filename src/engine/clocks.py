"""The two clocks: the wall's, and the market's while it is replayed. Nothing else in the engine tells the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds for pacing and time-outs."""
        return time.monotonic()


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
        return time.monotonic()

    def move(self, by: timedelta) -> None:
        """Let so much market time pass."""
        self.move_to(self._at + by)

    def move_to(self, at: datetime) -> None:
        """Go on to a time; a time before now changes nothing."""
        self._at = max(self._at, at)
