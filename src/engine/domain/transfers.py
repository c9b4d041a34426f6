"""What was paid in to an account at a venue, or out of it, as the venue tells it, and what that explains. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import combinations

_MOST = 12
"""How many transfers of one currency are tried with one another: every choice of so many is soon gone through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A deposit or a withdrawal.

    Attributes:
        id: The venue's own of it, told apart by what it is.
        change: By how much it changes what the account owns, its fee included; below 0 for a withdrawal.
        at: When it was made, or last changed where the venue tells that.
    """

    id: str
    currency: str
    change: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """What people are told of what was booked as paid in to an account at a venue, or out of it.

    Attributes:
        before, after: What the account had of the currency by the books, and what it has.
    """

    id: str
    at: datetime
    venue: str
    currency: str
    before: Decimal
    after: Decimal


def explaining(difference: Decimal, transfers: Sequence[Transfer], tolerance: Decimal) -> tuple[Transfer, ...]:
    """The fewest of some transfers, the newest first, that come to a difference; none where no choice of them does.

    Args:
        difference: What the venue has more than the books, in the transfers' currency.
        transfers: Those of one currency that are not in the books.
        tolerance: What is no difference.
    """
    newest = sorted(transfers, key=lambda each: each.at, reverse=True)[:_MOST]
    chosen = (some for count in range(1, len(newest) + 1) for some in combinations(newest, count))
    return next((some for some in chosen if abs(sum(each.change for each in some) - difference) <= tolerance), ())
