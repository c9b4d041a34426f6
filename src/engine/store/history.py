"""What happened, as counts and as one fingerprint: two runs that did the same have the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from engine.store.tables import ApprovalRow, DecisionRow, EventRow, FillRow, OrderRow, PositionRow

_TOLD: tuple[tuple[type[Any], Any], ...] = (
    (DecisionRow, DecisionRow.number),
    (ApprovalRow, ApprovalRow.number),
    (OrderRow, OrderRow.number),
    (FillRow, FillRow.number),
    (EventRow, EventRow.id),
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


def history(session: Session) -> History:
    """Read the whole history. What depends on the wall clock (audit, outbox, chat) is no part of it."""
    return History(
        decisions=_by(session, DecisionRow.status),
        approvals=_by(session, ApprovalRow.status),
        orders=_by(session, OrderRow.status),
        trades=_by(session, PositionRow.status),
        fills=session.exec(select(func.count()).select_from(FillRow)).one(),
        events=session.exec(select(func.count()).select_from(EventRow)).one(),
        fingerprint=_fingerprint(session),
    )


def _by(session: Session, status: Any) -> dict[str, int]:
    rows: Sequence[tuple[str, int]] = session.exec(select(status, func.count()).group_by(status).order_by(status)).all()
    return dict(rows)


def _fingerprint(session: Session) -> str:
    digest = hashlib.sha256()
    for table, order in _TOLD:
        digest.update(table.__tablename__.encode())
        for row in session.exec(select(table).order_by(col(order)).execution_options(yield_per=500)):
            digest.update(json.dumps(row.model_dump(mode="json"), sort_keys=True).encode())
    return digest.hexdigest()
