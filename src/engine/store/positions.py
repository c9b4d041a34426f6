"""Positions, open and closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy
from sqlmodel import Session, col, func, select

from engine.domain.errors import UnknownId
from engine.domain.trading import Position
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import PositionRow, table_of

_TABLE = table_of(PositionRow)
_OPEN = sqlalchemy.select(_TABLE).where(_TABLE.c.status == "open").order_by(_TABLE.c.number)


class Positions:
    """The ``positions`` table."""

    def __init__(self, session: Session, numbering: Numbering, memory: NoMemory) -> None:
        self._session = session
        self._numbering = numbering
        self._memory = memory

    def next_id(self) -> str:
        """An id for the next position."""
        return f"T{self._numbering.next('T')}"

    def put(self, position: Position, decision_id: str) -> None:
        """Keep a position as it is now, with the decision that opened it."""
        row = PositionRow(
            id=position.id,
            number=int(position.id[1:]),
            context=position.context,
            market=position.market,
            status="open" if position.is_open else "closed",
            quantity=position.quantity,
            entry_price=position.entry_price,
            stop=position.stop,
            target=position.target,
            fees=position.fees,
            realised=position.realised,
            opened_at=position.opened_at,
            closed_at=position.closed_at,
            closed_by=position.closed_by,
            decision_id=decision_id,
        )
        self._session.merge(row)
        self._session.flush()

    def get(self, position_id: str) -> Position:
        """One position.

        Raises:
            UnknownId: There is none with that id.
        """
        return _position(self._row(position_id))

    def decision_of(self, position_id: str) -> str:
        """The id of the decision that opened a position.

        Raises:
            UnknownId: There is none with that id.
        """
        return self._row(position_id).decision_id

    def open(self) -> tuple[Position, ...]:
        """What is held, oldest first."""
        return self._memory.recall("positions", "open", self._load)

    def _load(self) -> tuple[Position, ...]:
        return tuple(_position(row) for row in self._session.connection().execute(_OPEN))

    def newest(self, limit: int) -> tuple[Position, ...]:
        """The newest first, open or closed."""
        rows = self._session.exec(select(PositionRow).order_by(col(PositionRow.number).desc()).limit(limit))
        return tuple(_position(row) for row in rows)

    def closed_within(self, begin: datetime, end: datetime) -> tuple[Position, ...]:
        """Those closed in ``(begin, end]``, in order."""
        at = col(PositionRow.closed_at)
        rows = self._session.exec(select(PositionRow).where(at > begin, at <= end).order_by(at))
        return tuple(_position(row) for row in rows)

    def opened_within(self, begin: datetime, end: datetime) -> int:
        """How many were opened in ``(begin, end]``."""
        at = col(PositionRow.opened_at)
        return self._session.exec(select(func.count()).where(at > begin, at <= end)).one()

    def _row(self, position_id: str) -> PositionRow:
        row = self._session.get(PositionRow, position_id)
        if row is None:
            raise UnknownId(f"There is no trade {position_id}.", "See /trades for ids.")
        return row


def _position(row: PositionRow | sqlalchemy.Row[Any]) -> Position:
    """The domain's view of a row."""
    return Position(
        id=row.id,
        context=row.context,
        market=row.market,
        quantity=row.quantity,
        entry_price=row.entry_price,
        opened_at=row.opened_at,
        stop=row.stop,
        target=row.target,
        fees=row.fees,
        realised=row.realised,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
