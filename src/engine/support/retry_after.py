"""Times in the headers of answers: HTTP dates, and how long a server wants to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_date(text: str) -> datetime | None:
    """The time that a header such as ``Date`` tells; ``None`` where it is none."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """How long ``Retry-After`` says to wait: seconds, or a date; ``None`` where it says neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    at = parse_date(retry_after)
    return max(0.0, (at - now).total_seconds()) if at else None
