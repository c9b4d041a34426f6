"""What an account has come to in figures that only a program looks at: the source of its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Everything since the account began; money in its quote currency.

    Attributes:
        closed, won: The bot's own trades that are closed, and those of them that made money after fees.
        net: What they came to, after fees.
        fees: What all trades paid so far, those of others and the open ones included.
        decisions: How many decisions were made.
        approvals: How many questions there are of each status.
        orders: How many orders there are of each status.
        unsent: How many cards are not shown yet as they should be, by platform.
    """

    closed: int
    won: int
    net: Decimal
    fees: Decimal
    decisions: int
    approvals: Mapping[str, int]
    orders: Mapping[str, int]
    unsent: Mapping[str, int]
