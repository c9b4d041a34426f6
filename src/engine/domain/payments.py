"""Money paid into an account or out of it: neither profit nor loss, and no drawdown.

The rule everywhere: a result is what equity has changed by, less what was paid in and plus what was paid out meanwhile.
Its per cent is of what was there at the beginning plus what was paid in since; what was paid out has earned until then,
and takes nothing off. Buy-and-hold of the markets is that of the same money: what was there from the beginning on, and
each payment from its own time on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment.

    Attributes:
        at: When it was booked.
        amount: In the account's currency; below 0 where it was paid out.
        benchmark: What 1 held in the traded markets since the beginning had become then; ``None`` where not known.
    """

    at: datetime
    amount: Decimal
    benchmark: Decimal | None = None


def paid(payments: Sequence[Payment]) -> Decimal:
    """What was paid in, less what was paid out."""
    return sum((payment.amount for payment in payments), _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of an account between two moments.

    Attributes:
        before, after: Its equity at both.
        payments: What was paid in and out between them.
    """

    before: Decimal
    after: Decimal
    payments: Sequence[Payment] = ()

    @property
    def paid_in(self) -> Decimal:
        """What was paid in, all together."""
        return sum((each.amount for each in self.payments if each.amount > 0), _NOTHING)

    @property
    def paid_out(self) -> Decimal:
        """What was paid out, all together; not below 0."""
        return -sum((each.amount for each in self.payments if each.amount < 0), _NOTHING)

    @property
    def net(self) -> Decimal:
        """The profit or loss."""
        return self.after - self.before - paid(self.payments)

    @property
    def share(self) -> Decimal | None:
        """That as a fraction of what was there plus what was paid in since; ``None`` where that was nothing."""
        base = self.before + self.paid_in
        return self.net / base if base > 0 else None

    def held(self, begin: Decimal | None, end: Decimal | None) -> Decimal | None:
        """What the same money would have made in the traded markets, as a fraction of the same.

        Args:
            begin: What 1 held in them had become at the first moment; ``None`` where not known.
            end: The same at the second.
        """
        if begin is None or end is None or begin <= 0:
            return None
        grown = end / begin - 1
        base = self.before + self.paid_in
        if not self.payments or base <= 0:
            return grown
        later = sum((each.amount * (end / (each.benchmark or begin) - 1) for each in self.payments), _NOTHING)
        return (self.before * grown + later) / base
