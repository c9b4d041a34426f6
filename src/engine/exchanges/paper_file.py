"""The paper venue's own SQLite file.

The tables are a contract: an auditor reads them without the engine. Money is decimal text, times are ISO 8601 in UTC.

    meta      key, value                      ``format``; ``advanced_to``: how far the venue has followed its markets;
                                              ``advanced_to BTC/USDT``: how far that one, where it is behind
    balances  currency, opening, current      everything the account owns
    orders    venue_id, client_id, market, side, kind, quantity, trigger_price, limit_price,
              status (open, filled, cancelled, expired), filled, reserve_price, closed_by, reason, at,
              trailing, time_in_force (gtc, ioc, fok), post_only, reduce_only (0, 1),
              best                            of a trailing stop the best price since it was placed
    fills     venue_id, client_id, market, side, quantity, price, fee, at,
              fee_currency                    the quote currency where it says none
    events    seq, client_id, status, fill, at                               one for each fill and each final status

``balances.current`` is ``opening`` plus what the fills brought: a buy adds its quantity of the base currency and takes
``quantity * price`` of the quote currency, a sell the other way round, and each takes its
fee of the fee's currency. Ids and ``seq`` count from 1 without gaps.
A market that was behind the others has later ids for earlier times.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.domain.errors import StoreError, UnknownCursor, VenueError
from engine.domain.money import Money
from engine.domain.orders import Fill, OrderState, OrderStatus
from engine.exchanges import paper_rows as rows
from engine.exchanges.paper_rows import VenueOrder
from engine.ports import Cursor, EventBatch, VenueEvent
from engine.support import private_files

FORMAT = "greenlight paper venue 1"
_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE balances (currency TEXT PRIMARY KEY, opening TEXT NOT NULL, current TEXT NOT NULL) STRICT",
    """CREATE TABLE orders (
        venue_id INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, market TEXT NOT NULL, side TEXT NOT NULL,
        kind TEXT NOT NULL, quantity TEXT NOT NULL, trigger_price TEXT, limit_price TEXT, status TEXT NOT NULL,
        filled TEXT NOT NULL, reserve_price TEXT NOT NULL, closed_by TEXT NOT NULL, reason TEXT NOT NULL,
        at TEXT NOT NULL, trailing TEXT, time_in_force TEXT NOT NULL DEFAULT 'gtc',
        post_only INTEGER NOT NULL DEFAULT 0, reduce_only INTEGER NOT NULL DEFAULT 0, best TEXT) STRICT""",
    "CREATE INDEX orders_open ON orders (venue_id) WHERE status = 'open'",
    """CREATE TABLE fills (
        venue_id INTEGER PRIMARY KEY, client_id TEXT NOT NULL REFERENCES orders (client_id), market TEXT NOT NULL,
        side TEXT NOT NULL, quantity TEXT NOT NULL, price TEXT NOT NULL, fee TEXT NOT NULL, at TEXT NOT NULL,
        fee_currency TEXT) STRICT""",
    "CREATE INDEX fills_of_order ON fills (client_id)",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY, client_id TEXT NOT NULL REFERENCES orders (client_id), status TEXT NOT NULL,
        fill INTEGER REFERENCES fills (venue_id), at TEXT NOT NULL) STRICT""",
)
_RENAMED = {"stop": "trigger_price", "target": "limit_price"}
_ADDED = {
    "fills": {"fee_currency": "TEXT"},
    "orders": {
        "trailing": "TEXT",
        "time_in_force": "TEXT NOT NULL DEFAULT 'gtc'",
        "post_only": "INTEGER NOT NULL DEFAULT 0",
        "reduce_only": "INTEGER NOT NULL DEFAULT 0",
        "best": "TEXT",
    },
}
"""What the tables of older versions lack, in the order in which it stands at their ends."""

_ADVANCED_TO = "advanced_to"
_SET_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_BALANCES = "SELECT currency, current FROM balances ORDER BY currency"
_ORDERS = "SELECT * FROM orders"


class VenueFile:
    """Rows in, rows out; no rule of trading is in here.

    Args:
        path: Made where it does not exist, for this user alone.
        venue: The venue's name.
        opening: What the account owns at first; used only for a new file.

    Raises:
        StoreError: The file cannot be opened, is damaged, or is something else.
    """

    def __init__(self, path: Path, venue: str, opening: Mapping[str, Decimal]) -> None:
        self._venue = venue
        try:
            private_files.make_file(path)
            self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: the paper venue's file cannot be opened ({error}).", _remedy(path)) from error
        try:
            self._prepare(path, opening)
        except VenueError as error:
            self._connection.close()
            raise StoreError(f"{path}: {error.message}", _remedy(path)) from error
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self, path: Path, opening: Mapping[str, Decimal]) -> None:
        check = self._execute("PRAGMA quick_check(1)")[0][0]
        if check != "ok":
            raise StoreError(f"{path}: the paper venue's file is damaged ({check}).", _remedy(path))
        tables = {name for (name,) in self._execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and ("meta" not in tables or self._meta("format") != FORMAT):
            raise StoreError(f"{path}: this file does not belong to a paper venue.", _remedy(path))
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = FULL")
        self._execute("PRAGMA foreign_keys = ON")
        if not tables:
            self._create(opening)
        self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Make of what an older version left what this one would have."""
        with self.transaction():
            self._execute("UPDATE orders SET kind = 'oco' WHERE kind = 'bracket'")
            for old in sorted(self._columns("orders") & _RENAMED.keys()):
                self._execute(f"ALTER TABLE orders RENAME COLUMN {old} TO {_RENAMED[old]}")
            for table, added in _ADDED.items():
                known = self._columns(table)
                for column, kind in added.items():
                    if column not in known:
                        self._execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def _columns(self, table: str) -> set[str]:
        return {name for _, name, *_ in self._execute(f"PRAGMA table_info({table})")}

    def _create(self, opening: Mapping[str, Decimal]) -> None:
        with self.transaction():
            for statement in _SCHEMA:
                self._execute(statement)
            self._execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
            for currency, amount in sorted(opening.items()):
                money = rows.money(amount)
                self._execute("INSERT INTO balances VALUES (?, ?, ?)", (currency, money, money))

    def close(self) -> None:
        """Close the connection; what is committed stays."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything that is written within, or nothing.

        Raises:
            VenueError: The file could not be written; nothing was kept, or it is not known whether.
        """
        try:
            self._execute("BEGIN")
            yield
            self._execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")

    def _execute(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise VenueError(f"The paper venue's file does not work ({error}).", "Look at the disk.") from error

    def _meta(self, key: str) -> str | None:
        found = self._execute("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else None

    @property
    def advanced_to(self) -> datetime | None:
        """How far the venue had followed the market that it had followed farthest, when that was last written."""
        text = self._meta(_ADVANCED_TO)
        return datetime.fromisoformat(text) if text else None

    def advanced(self, symbols: Iterable[str]) -> dict[str, datetime]:
        """How far the venue had followed each of these markets; the farthest for one that is not named as behind."""
        written = {symbol: self._meta(f"{_ADVANCED_TO} {symbol}") for symbol in symbols}
        farthest = self.advanced_to
        found = {symbol: datetime.fromisoformat(text) if text else farthest for symbol, text in written.items()}
        return {symbol: at for symbol, at in found.items() if at is not None}

    def set_advanced(self, advanced: Mapping[str, datetime]) -> None:
        """Write how far the venue has followed each market, and with that which of them are behind."""
        farthest = max(advanced.values())
        self._execute(_SET_META, (_ADVANCED_TO, rows.time(farthest)))
        self._execute("DELETE FROM meta WHERE key LIKE ?", (f"{_ADVANCED_TO} %",))
        for symbol, at in advanced.items():
            if at < farthest:
                self._execute(_SET_META, (f"{_ADVANCED_TO} {symbol}", rows.time(at)))

    def balances(self) -> dict[str, Decimal]:
        """What the account owns, by currency."""
        return {name: Decimal(amount) for name, amount in self._execute(_BALANCES)}

    def balance(self, currency: str) -> Decimal:
        """What the account owns of one currency."""
        found = self._execute("SELECT current FROM balances WHERE currency = ?", (currency,))
        return Decimal(found[0][0]) if found else Decimal(0)

    def add_balance(self, currency: str, change: Decimal) -> None:
        """Add to what the account owns of a currency."""
        self._execute(
            "INSERT INTO balances VALUES (?, '0', ?) ON CONFLICT DO UPDATE SET current = excluded.current",
            (currency, rows.money(self.balance(currency) + change)),
        )

    def next_order_id(self) -> int:
        """The number of the next order."""
        return int(self._execute("SELECT coalesce(max(venue_id), 0) + 1 FROM orders")[0][0])

    def next_fill_id(self) -> int:
        """The number of the next fill."""
        return int(self._execute("SELECT coalesce(max(venue_id), 0) + 1 FROM fills")[0][0])

    def order(self, client_id: str) -> VenueOrder | None:
        """An order by its client's id."""
        found = self._execute(f"{_ORDERS} WHERE client_id = ?", (client_id,))
        return rows.order_of(found[0], self._venue) if found else None

    def open_orders(self) -> list[VenueOrder]:
        """Every order that is not final, oldest first."""
        found = self._execute(f"{_ORDERS} WHERE status = 'open' ORDER BY venue_id")
        return [rows.order_of(row, self._venue) for row in found]

    def add_order(self, order: VenueOrder) -> None:
        """Write a new order."""
        asked = order.request
        what = (asked.client_id, asked.symbol, asked.side, asked.type, rows.money(asked.quantity))
        prices = (rows.optional(asked.trigger_price), rows.optional(asked.limit_price))
        amounts = (rows.money(order.filled), rows.money(order.reserve_price))
        state = (order.status, *amounts, order.closed_by, order.reason, rows.time(order.at))
        terms = (rows.optional(asked.trailing), asked.time_in_force, int(asked.post_only), int(asked.reduce_only))
        values = (order.venue_id, *what, *prices, *state, *terms, rows.optional(order.best))
        self._execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def save_order(self, order: VenueOrder) -> None:
        """Write what became of an order."""
        state = (order.status, rows.money(order.filled), order.closed_by, order.reason, rows.optional(order.best))
        self._execute(
            "UPDATE orders SET status = ?, filled = ?, closed_by = ?, reason = ?, best = ? WHERE venue_id = ?",
            (*state, order.venue_id),
        )

    def add_fill(self, fill: Fill) -> None:
        """Write a fill and its event."""
        fee = fill.fee or Money(amount=Decimal(0), currency=fill.quote)
        amounts = (rows.money(fill.quantity), rows.money(fill.price), rows.money(fee.amount))
        values = (int(fill.trade_id), fill.client_id, fill.symbol, fill.side, *amounts, rows.time(fill.at))
        self._execute("INSERT INTO fills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, fee.currency))
        self.add_event(fill.client_id, OrderStatus.OPEN, fill.at, int(fill.trade_id))

    def add_event(self, client_id: str, status: OrderStatus, at: datetime, fill: int | None = None) -> None:
        """Write that something happened to an order."""
        self._execute(
            "INSERT INTO events SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ? FROM events",
            (client_id, status, fill, rows.time(at)),
        )

    def fills(self, client_id: str) -> tuple[Fill, ...]:
        """An order's fills, oldest first."""
        found = self._execute("SELECT * FROM fills WHERE client_id = ? ORDER BY venue_id", (client_id,))
        return tuple(rows.fill_of(row, self._venue) for row in found)

    def state(self, order: VenueOrder) -> OrderState:
        """An order as the venue tells of it, with its fills."""
        return rows.state_of(order, order.status, self.fills(order.request.client_id))

    def events(self, after: Cursor | None) -> EventBatch:
        """Everything that happened after a cursor; each order as it was then.

        A cursor is the number of an event and its order's client id, by which another file is told apart; one of an
        older version is the number alone.

        Raises:
            UnknownCursor: There is no such event.
        """
        number, _, client_id = (after or "0").partition(" ")
        known = self._execute("SELECT client_id FROM events WHERE seq = ?", (int(number),))
        if int(number) and (not known or (client_id and known[0][0] != client_id)):
            raise UnknownCursor(f"The paper venue's file has no event {after}.")
        found = self._execute(
            "SELECT seq, client_id, status, fill, at FROM events WHERE seq > ? ORDER BY seq", (int(number),)
        )
        last = f"{found[-1][0]} {found[-1][1]}" if found else (after or "0")
        return EventBatch(events=tuple(self._event(*row) for row in found), cursor=Cursor(last))

    def _event(self, seq: int, client_id: str, status: str, fill_id: int | None, text: str) -> VenueEvent:
        order = self.order(client_id)
        if order is None:
            raise StoreError(f"The paper venue's file has event {seq} of an order it does not know ({client_id}).")
        fills, at = self.fills(client_id), datetime.fromisoformat(text)
        if fill_id is None:
            return VenueEvent(at=at, order=rows.state_of(order, OrderStatus(status), fills))
        known = tuple(fill for fill in fills if int(fill.trade_id) <= fill_id)
        return VenueEvent(at=at, order=rows.state_of(order, OrderStatus(status), known), fill=known[-1])


def _remedy(path: Path) -> str:
    return f"Move {path.name} away (the venue then starts anew with its opening balances), or name another file."
