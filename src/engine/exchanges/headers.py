"""What the headers of a venue's answers say: its time, and whether it is to be left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from engine.domain.errors import VenueError

_QUIET = {429: 60.0, 418: 300.0, 403: 60.0}
"""Seconds without a call after these answers, where the venue names none: too fast, banned, kept out by a firewall."""
_LONGEST_QUIET = 3 * 24 * 3600.0
"""The longest ban that Binance knows."""


def parse_date(text: str) -> datetime | None:
    """The time that a header such as ``Date`` tells; ``None`` where it is none."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


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
            self._leave_alone(min(_seconds(retry_after, self._now()) or usual or 0.0, _LONGEST_QUIET))

    def _leave_alone(self, seconds: float) -> None:
        until = self._monotonic() + seconds
        if until > self._until:
            self._until = until
            again = self._now() + timedelta(seconds=seconds)
            self._words = f"{self._name} asked for quiet; it is asked again at {again:%Y-%m-%d %H:%M:%S} UTC."


def _seconds(text: str, now: datetime) -> float | None:
    """How long ``Retry-After`` says to wait: seconds, or a date."""
    if text.strip().isdigit():
        return float(text)
    at = parse_date(text)
    return max(0.0, (at - now).total_seconds()) if at else None
