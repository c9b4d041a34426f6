"""Trading with real money, or on a test net: whose account, within which limits, and who has said that it may begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.domain.venue_views import VenueKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAccount:
    """An account that orders really go to.

    Attributes:
        exchange: Its venue's id in ccxt.
        key: The end of its key.
        fingerprint: What follows from venue, test net and key, and shows none of them.
    """

    venue: str
    exchange: str
    kind: VenueKind
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNotice:
    """What people are told at a start with such accounts.

    Attributes:
        limits: What it is held to, each with its name.
        waiting: The venues where an admin has to say first that it may begin.
    """

    id: str
    at: datetime
    accounts: tuple[LiveAccount, ...]
    limits: tuple[tuple[str, str], ...]
    waiting: tuple[str, ...]
