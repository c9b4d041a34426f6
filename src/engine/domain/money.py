"""An amount and its currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """So much of a currency; below 0 for what is owed or taken away."""

    amount: Decimal
    currency: str

    def share(self, part: Decimal, whole: Decimal) -> Money:
        """The share of it that belongs to a part of a whole."""
        return Money(amount=self.amount * part / whole, currency=self.currency)
