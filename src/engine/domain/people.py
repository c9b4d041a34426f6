"""What people did or tried, and who wrote without being listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something a person did or tried. ``person`` is empty for strangers."""

    id: str
    at: datetime
    wall_at: datetime
    platform: str
    user: str
    person: str
    action: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody who wrote and is not listed; times are the wall's. The name is their own choice, and may be empty."""

    platform: str
    user: str
    name: str
    first_at: datetime
    last_at: datetime
    times: int
