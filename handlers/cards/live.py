"""What people are told at a start with real money or on a test net, as a card. Pure."""

from __future__ import annotations

from engine.domain.live import LiveAccount, LiveNotice
from engine.domain.messages import BREAK, Card
from engine.domain.venue_views import VenueKind
from handlers.cards import wording


def started(notice: LiveNotice) -> Card:
    """Whose accounts it trades, within which limits, and what it waits for."""
    is_real = any(each.kind is VenueKind.REAL for each in notice.accounts)
    waits = (
        f"No entries at {wording.listing(notice.waiting)} {BREAK}before an admin's first go." if notice.waiting else ""
    )
    return Card(
        title="Orders are real: real money" if is_real else "Orders are real: test net",
        fields=(*map(account, notice.accounts), *notice.limits, ("Started", wording.moment(notice.at))),
        text=wording.lines(waits, f"/venues, /capital and /risk tell more; {BREAK}/emergency now ends it all."),
    )


def account(found: LiveAccount) -> tuple[str, str]:
    """An account by its venue, its kind and the end of its key."""
    at = f" at {found.exchange}" if found.exchange != found.venue else ""
    return (found.venue, f"{found.kind}{at}, {BREAK}key ends in {found.key}")
