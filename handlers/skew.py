"""Whether a platform's clock and this machine's agree: what is old is judged by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from engine.domain.errors import GreenlightError

CLOCKS_DIFFER = timedelta(seconds=10)
"""From here on two clocks do not agree."""


def ahead_of(date: str | None, now: datetime) -> timedelta | None:
    """How far this machine is ahead of a server, by the ``Date`` of its answer; ``None`` where that tells no time."""
    try:
        return now - parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return None


def agreed(ahead: timedelta | None, platform: str) -> str:
    """What there is to say of a platform's clock, where it agrees with this machine's.

    Raises:
        GreenlightError: It does not.
    """
    if ahead is None:
        return "the server tells no time to compare with"
    if abs(ahead) > CLOCKS_DIFFER:
        way = "ahead of" if ahead > timedelta() else "behind"
        raise GreenlightError(
            f"This machine's clock is {abs(ahead).total_seconds():.0f} s {way} {platform}'s.",
            "Set it right, best by NTP.",
        )
    return f"it agrees with this machine's within {CLOCKS_DIFFER.total_seconds():.0f} s"
