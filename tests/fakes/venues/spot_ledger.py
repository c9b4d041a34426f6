"""An account's balances at a fake venue, free and locked, with an entry for each change, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


class Insufficient(Exception):
    """There is less free than what is asked for."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One change of what an account owns, as a signed amount."""

    asset: str
    amount: Decimal
    why: str


@dataclass(kw_only=True)
class Lock:
    """What one order, or the orders of one list together, hold back."""

    asset: str
    amount: Decimal


class Ledger:
    """Balances by asset.

    Args:
        balances: What the account owns at first.
    """

    def __init__(self, balances: Mapping[str, Decimal | str]) -> None:
        self.free: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.locked: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.entries: list[Entry] = []
        for asset, amount in balances.items():
            self.change(asset, Decimal(amount), "deposit")

    @property
    def assets(self) -> list[str]:
        return sorted({*self.free, *self.locked})

    def total(self, asset: str) -> Decimal:
        return self.free[asset] + self.locked[asset]

    def change(self, asset: str, amount: Decimal, why: str) -> None:
        """Let free money come, or go.

        Raises:
            Insufficient: More would go than is free.
        """
        if self.free[asset] + amount < 0:
            raise Insufficient(asset)
        self.free[asset] += amount
        self.entries.append(Entry(asset=asset, amount=amount, why=why))

    def lock(self, asset: str, amount: Decimal) -> Lock:
        """Hold free money back.

        Raises:
            Insufficient: Less is free.
        """
        if amount > self.free[asset]:
            raise Insufficient(asset)
        self.free[asset] -= amount
        self.locked[asset] += amount
        return Lock(asset=asset, amount=amount)

    def shrink(self, lock: Lock, to: Decimal) -> None:
        """Free what a lock holds beyond an amount."""
        spare = max(lock.amount - to, ZERO)
        lock.amount -= spare
        self.locked[lock.asset] -= spare
        self.free[lock.asset] += spare

    def pay(self, lock: Lock | None, asset: str, amount: Decimal, why: str) -> None:
        """Let money go, of a lock first and then of what is free.

        Raises:
            Insufficient: Both together are less.
        """
        if lock is not None and lock.asset == asset:
            self.shrink(lock, max(lock.amount - amount, ZERO))
        self.change(asset, -amount, why)

    def differences(self) -> Mapping[str, Decimal]:
        """By how much what is there differs from the sum of the entries, by asset; empty where money was conserved."""
        owned = {asset: self.total(asset) for asset in self.assets}
        for entry in self.entries:
            owned[entry.asset] -= entry.amount
        return {asset: rest for asset, rest in owned.items() if rest}
