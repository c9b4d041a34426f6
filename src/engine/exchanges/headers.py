"""What a venue's answers say about being left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.domain.errors import VenueError
from engine.support.retry_after import seconds_to_wait

_QUIET = {429: 60.0, 418: 300.0, 403: 60.0}
"""Seconds without a call after these answers, where the venue names none: too fast, banned, kept out by a firewall."""
_LONGEST_QUIET = 3 * 24 * 3600.0
"""The longest ban that Binance knows."""


class Quiet:
    """For how long a venue wants to be left alone.

    Args:
        name: The venue, for people.
        monotonic: Wall seconds, for pacing.
        now: The time of this machine.
    """

    def __init__(self, name: str, *, monotonic: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._now = now
        self._until = float("-inf")
        self._words = ""

    def check(self) -> None:
        """See whether the venue may be called.

        Raises:
            VenueError: It wants to be left alone.
        """
        left = self._until - self._monotonic()
        if left > 0:
            raise VenueError(self._words, retry_after=left)

    def note(self, status: int, retry_after: str) -> None:
        """Take in an answer: its status, and what it said in ``Retry-After``."""
        usual = _QUIET.get(status)
        if usual is not None or (status >= 500 and retry_after):  # noqa: PLR2004 - the class of a status
            self._leave_alone(min(seconds_to_wait(retry_after, self._now()) or usual or 0.0, _LONGEST_QUIET))

    def _leave_alone(self, seconds: float) -> None:
        until = self._monotonic() + seconds
        if until > self._until:
            self._until = until
            again = self._now() + timedelta(seconds=seconds)
            self._words = f"{self._name} asked for quiet; it is asked again at {again:%Y-%m-%d %H:%M:%S} UTC."
