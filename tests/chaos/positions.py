"""Each position's coins, counted without asking the engine.

The venue's file says what was bought and sold, order by order; the program's tables say which position an order is of,
and what they make of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.domain.orders import OrderStatus

Row = dict[str, Any]

_ORDERS = "SELECT id, client_id, position_id, side, type, status, quantity, filled, created_at FROM orders"
_POSITIONS = "SELECT id, symbol, status, quantity, stop FROM positions"
_FILLS = (
    "SELECT number, position_id, symbol, side, quantity, fee_amount AS fee, fee_currency FROM fills"
    " WHERE number > ? ORDER BY number"
)
_TOLD = "SELECT id, kind, body FROM events WHERE id > ? AND kind IN ('PositionClosed', 'ProtectionFailed') ORDER BY id"
_TRADED = (
    "SELECT venue_id, client_id, market AS symbol, side, quantity, fee, fee_currency FROM fills"
    " WHERE venue_id > ? ORDER BY venue_id"
)
_SELLING = "SELECT client_id, quantity, filled FROM orders WHERE status = 'open' AND side = 'sell'"
_KNOWN = "SELECT venue_id FROM orders WHERE client_id = ?"
_LAST = "SELECT coalesce(max(seq), 0) AS seq FROM events"


class Positions:
    """What is written of positions, in the program's tables (the books) and in the venue's file.

    Args:
        books: The program's tables.
        venue_file: The venue's.
        lots: The smallest step of a quantity, by symbol: what is left below one can never be sold.

    Attributes:
        orders: The books' orders by client id.
        rows: The books' positions by id.
        changes: What each fill in the books has added to a position, in order.
        closings: How often the books tell that a position was closed.
        alarms: How often they tell that one could not be protected.
        held: What the venue's fills leave of each position.
        selling: What open orders at the venue may still sell of it, at the market or once a price is reached.
        balances: What the account owns at the venue.
        level: Whether the books have taken in everything that happened there.
    """

    def __init__(self, books: sqlite3.Connection, venue_file: Path, lots: Mapping[str, Decimal]) -> None:
        self._books = books
        self.lots = lots
        self._venue_file = venue_file
        self._venue: sqlite3.Connection | None = None
        self._versions: tuple[int, int] | None = None
        self._last_fill = self._last_event = self._last_trade = 0
        self._traded: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.orders: dict[str, Row] = {}
        self.rows: dict[str, Row] = {}
        self.changes: defaultdict[str, list[Decimal]] = defaultdict(list)
        self.closings: Counter[str] = Counter()
        self.alarms: Counter[str] = Counter()
        self.held: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.selling: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.balances: dict[str, Decimal] = {}
        self.level = False

    def refresh(self) -> bool:
        """Read what was written since the last time; whether anything was."""
        venue = self._opened()
        if venue is None:
            return False
        versions = _version(self._books), _version(venue)
        if versions == self._versions:
            return False
        self._versions = versions
        self._read_books()
        self._read_venue(venue)
        return True

    def free(self, position_id: str) -> Decimal:
        """What is held of a position at the venue, and not being sold already; nothing below a lot."""
        free = self.held[position_id] - self.selling[position_id]
        return free if free >= self.lot(position_id) else Decimal(0)

    def unwanted(self, position_id: str) -> Decimal:
        """What the books hold of a position, less what sales that are not over are still to sell of it."""
        own = (order for order in self.orders.values() if order["position_id"] == position_id and is_sale(order))
        wanted = sum((rest_of(order) for order in own if not OrderStatus(order["status"]).final), Decimal(0))
        return Decimal(self.rows[position_id]["quantity"]) - wanted

    def lot(self, position_id: str) -> Decimal:
        """The smallest step of what a position holds; 0 where that is not known."""
        return self.lots.get(self.rows[position_id]["symbol"], Decimal(0)) if position_id in self.rows else Decimal(0)

    def is_there(self, client_id: str) -> bool:
        """Whether the venue has an order."""
        return self._venue is not None and bool(_rows(self._venue, _KNOWN, client_id))

    def close(self) -> None:
        """Look no more."""
        self._books.close()
        if self._venue is not None:
            self._venue.close()

    def _opened(self) -> sqlite3.Connection | None:
        if self._venue is None and self._venue_file.exists():
            venue = sqlite3.connect(f"{self._venue_file.as_uri()}?mode=ro", uri=True, isolation_level=None)
            if not _rows(venue, "SELECT name FROM sqlite_master WHERE name = 'events'"):
                venue.close()
                return None
            self._venue = venue
        return self._venue

    def _read_books(self) -> None:
        self.orders = {row["client_id"]: row for row in _rows(self._books, _ORDERS)}
        self.rows = {row["id"]: row for row in _rows(self._books, _POSITIONS)}
        for row in _rows(self._books, _FILLS, self._last_fill):
            self._last_fill = row["number"]
            self.changes[row["position_id"]].append(_signed(row))
        for row in _rows(self._books, _TOLD, self._last_event):
            self._last_event = row["id"]
            told = self.closings if row["kind"] == "PositionClosed" else self.alarms
            told[json.loads(row["body"])["position_id"]] += 1

    def _read_venue(self, venue: sqlite3.Connection) -> None:
        for row in _rows(venue, _TRADED, self._last_trade):
            self._last_trade = row["venue_id"]
            self._traded[row["client_id"]] += _signed(row)
        self.held.clear()
        for order in self.orders.values():
            self.held[order["position_id"]] += self._traded[order["client_id"]]
        self.selling.clear()
        for row in _rows(venue, _SELLING):
            order = self.orders.get(row["client_id"])
            if order is not None:  # otherwise it is somebody else's
                self.selling[order["position_id"]] += Decimal(row["quantity"]) - Decimal(row["filled"])
        self.balances = {
            row["currency"]: Decimal(row["current"]) for row in _rows(venue, "SELECT currency, current FROM balances")
        }
        taken_in = _rows(self._books, "SELECT cursor FROM cursors")
        self.level = [int(row["cursor"].split()[0]) for row in taken_in] == [row["seq"] for row in _rows(venue, _LAST)]


def is_sale(order: Row) -> bool:
    """Whether an order sells, and does not wait for a price to do so, as an OCO does."""
    return bool(order["side"] == "sell" and order["type"] != "oco")


def rest_of(order: Row) -> Decimal:
    """What an order has still to trade."""
    return Decimal(order["quantity"]) - Decimal(order["filled"])


def _version(connection: sqlite3.Connection) -> int:
    """Another number whenever somebody else has written."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _rows(connection: sqlite3.Connection, query: str, *values: object) -> list[Row]:
    found = connection.execute(query, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _signed(row: Row) -> Decimal:
    """What a fill brings or takes of the coin, with a fee that is taken in it."""
    quantity = Decimal(row["quantity"])
    fee = Decimal(row["fee"]) if row["fee_currency"] == row["symbol"].partition("/")[0] else Decimal(0)
    return (quantity if row["side"] == "buy" else -quantity) - fee
