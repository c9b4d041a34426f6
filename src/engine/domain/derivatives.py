"""What the futures of a coin tell of those who trade it: what they pay, how much they hold, and on which side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """What those who hold longs pay those who hold shorts; below 0 it is the other way round.

    Attributes:
        rate: Of the value of what is held, as a fraction, at each payment.
        next_at: When it is paid next; ``None`` where the venue does not say.
        at: When it was so.
    """

    rate: Decimal
    next_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterest:
    """How much is held in futures that nobody has closed yet, in the base currency."""

    quantity: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LongShort:
    """The shares of the accounts that are long and short, in [0, 1]; together they are 1, but for rounding."""

    long: Decimal
    short: Decimal
    at: datetime
