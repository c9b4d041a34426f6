"""Deposits and withdrawals at a fake venue: what its books say of them, and what it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DEPOSIT, WITHDRAWAL = "deposit", "withdrawal"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One of them; ``amount`` arrived, or was sent, and ``fee`` was taken beside what was sent."""

    number: int
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    at: int
    done: bool = True
