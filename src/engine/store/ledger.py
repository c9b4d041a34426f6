"""What the account owns at each venue beside its positions, and how far the venue's events were taken in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import Connection, select

from engine.domain.inventory import Inventory
from engine.domain.money import Money
from engine.ports import Cursor
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.positions import Positions
from engine.store.settings import Settings
from engine.store.tables import BalanceRow, CursorRow, key_of, table_of, upsert

_INVENTORY = "account.inventory"
_BALANCES = table_of(BalanceRow)
_CURSORS = table_of(CursorRow)
_ALL_BALANCES = select(_BALANCES).order_by(_BALANCES.c.venue, _BALANCES.c.currency)
_KEEP_BALANCE = upsert(_BALANCES)
_CURSOR = select(_CURSORS.c.cursor).where(*key_of(_CURSORS))
_KEEP_CURSOR = upsert(_CURSORS)


class Ledger:
    """The ``balances`` and ``cursors`` tables, and what a venue had when its account was opened."""

    def __init__(self, connection: Connection, settings: Settings, positions: Positions, memory: NoMemory) -> None:
        self._connection = connection
        self._settings = settings
        self._positions = positions
        self._memory = memory

    def cursor(self, venue: str) -> Cursor | None:
        """How far the events of a venue were taken in; ``None`` where none were."""
        return self._memory.get_or_load("cursors", venue, lambda: self._load_cursor(venue))

    def keep_cursor(self, venue: str, cursor: Cursor) -> None:
        """Note that every event of a venue up to a cursor was taken in."""
        self._connection.execute(_KEEP_CURSOR, {"venue": venue, "cursor": cursor})

    def inventory(self, venue: str) -> Inventory | None:
        """What a venue had beside cash when the account was opened; ``None`` where that was nothing."""
        return self._memory.get_or_load("settings", (_INVENTORY, venue), lambda: self._load_inventory(venue))

    def keep_inventory(self, found: Inventory) -> None:
        """Keep what a venue had beside cash when the account was opened."""
        self._settings.set(f"{_INVENTORY}.{found.venue}", codec.dump(found))

    def balances(self) -> Mapping[tuple[str, str], Decimal]:
        """What the account owns beside its positions, by venue and currency."""
        return self._memory.get_or_load("balances", "all", self._load_balances)

    def change(self, venue: str, currency: str, change: Decimal) -> None:
        """Add to what the account owns at a venue beside its positions, or take from it."""
        amount = self.balances().get((venue, currency), Decimal(0)) + change
        self._connection.execute(_KEEP_BALANCE, {"venue": venue, "currency": currency, "amount": amount})

    def pay_fee(self, venue: str, fee: Money) -> None:
        """Take a fee from what the account owns of its currency at a venue, beside its positions."""
        self.change(venue, fee.currency, -fee.amount)

    def venues(self) -> tuple[str, ...]:
        """The venues that the account is at, by name."""
        return tuple(sorted({venue for venue, _ in self.balances()}))

    def told_apart(self, venue: str) -> str:
        """A venue's name, where the account has several and people have to tell them apart; else nothing."""
        return venue if len(self.venues()) > 1 else ""

    def owned(self, venue: str) -> dict[str, Decimal]:
        """Everything that the account owns at a venue by currency, positions included."""
        owned = {currency: amount for (at, currency), amount in self.balances().items() if at == venue}
        for position in self._positions.open():
            if position.venue == venue:
                owned[position.base] = owned.get(position.base, Decimal(0)) + position.worth(Decimal(1))
        return owned

    def _load_cursor(self, venue: str) -> Cursor | None:
        found = self._connection.execute(_CURSOR, {"its_venue": venue}).scalar()
        return None if found is None else Cursor(found)

    def _load_inventory(self, venue: str) -> Inventory | None:
        kept = self._settings.get(f"{_INVENTORY}.{venue}")
        return codec.load(Inventory, kept) if kept else None

    def _load_balances(self) -> Mapping[tuple[str, str], Decimal]:
        rows = self._connection.execute(_ALL_BALANCES)
        return MappingProxyType({(row.venue, row.currency): row.amount for row in rows})
