"""What happened, as counts and as one fingerprint: two runs that did the same have the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, Connection, RowMapping, Table, func, select

from engine.store.retention import LET_GO, forgotten
from engine.store.settings import Settings
from engine.store.tables import ApprovalRow, DecisionRow, EventRow, FillRow, OrderRow, PositionRow, table_of

_DECISIONS, _APPROVALS, _ORDERS = table_of(DecisionRow), table_of(ApprovalRow), table_of(OrderRow)
_FILLS, _EVENTS, _POSITIONS = table_of(FillRow), table_of(EventRow), table_of(PositionRow)
_TOLD = (
    (_DECISIONS, _DECISIONS.c.number),
    (_APPROVALS, _APPROVALS.c.number),
    (_ORDERS, _ORDERS.c.number),
    (_FILLS, _FILLS.c.number),
    (_EVENTS, _EVENTS.c.id),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Counts by status, and the SHA-256 of decisions, answers, orders, fills and events in their order."""

    decisions: dict[str, int]
    approvals: dict[str, int]
    orders: dict[str, int]
    trades: dict[str, int]
    fills: int
    events: int
    fingerprint: str


def history(connection: Connection) -> History:
    """Read the whole history. What depends on the wall clock (audit, outbox, chat) is no part of it.

    Decisions that were let go still count; the fingerprint is that of what is kept.
    """
    decisions, settings = _by(connection, _DECISIONS.c.status), Settings(connection)
    gone = {status: count for status in LET_GO if (count := forgotten(settings, status))}
    return History(
        decisions=decisions | {status: decisions.get(status, 0) + count for status, count in gone.items()},
        approvals=_by(connection, _APPROVALS.c.status),
        orders=_by(connection, _ORDERS.c.status),
        trades=_by(connection, _POSITIONS.c.status),
        fills=_count(connection, _FILLS),
        events=_count(connection, _EVENTS),
        fingerprint=_fingerprint(connection),
    )


def _by(connection: Connection, status: Column[str]) -> dict[str, int]:
    found = connection.execute(select(status, func.count()).group_by(status).order_by(status))
    return dict(found.all())


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _fingerprint(connection: Connection) -> str:
    digest = hashlib.sha256()
    for table, order in _TOLD:
        digest.update(table.name.encode())
        for row in connection.execute(select(table).order_by(order)).yield_per(500).mappings():
            digest.update(_plain(row).encode())
    return digest.hexdigest()


def _plain(row: RowMapping) -> str:
    return json.dumps(dict(row), sort_keys=True, default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no text of its own")
