"""Positions, open and closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from engine.domain.errors import UnknownId
from engine.domain.trading import EXTERNAL, Position
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import PositionRow, key_of, newest_first, table_of

_TABLE = table_of(PositionRow)
_ROW = select(_TABLE).where(*key_of(_TABLE))
_OPEN = select(_TABLE).where(_TABLE.c.status == "open").order_by(_TABLE.c.number)
_ADD = insert(_TABLE)
_CHANGE = update(_TABLE).where(*key_of(_TABLE))


class Positions:
    """The ``positions`` table."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def next_id(self) -> str:
        """An id for the next position."""
        return f"T{self._numbering.next('T')}"

    def put(self, position: Position, decision_id: str) -> None:
        """Keep a position as it is now, with the decision that opened it."""
        values = {
            "context": position.context,
            "market": position.market,
            "status": "open" if position.is_open else "closed",
            "quantity": position.quantity,
            "entry_price": position.entry_price,
            "stop": position.stop,
            "target": position.target,
            "fees": position.fees,
            "realised": position.realised,
            "opened_at": position.opened_at,
            "closed_at": position.closed_at,
            "closed_by": position.closed_by,
            "closed_by_person": position.closed_by_person,
            "bought": position.bought,
            "cost": position.cost,
            "decision_id": decision_id,
        }
        if not self._connection.execute(_CHANGE, {"its_id": position.id, **values}).rowcount:
            new = {"id": position.id, "number": int(position.id[1:]), **values}
            self._connection.execute(_ADD, new)

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
        return str(self._row(position_id).decision_id)

    def open(self) -> tuple[Position, ...]:
        """What is held, oldest first."""
        return self._memory.recall("positions", "open", self._load)

    def _load(self) -> tuple[Position, ...]:
        return tuple(_position(row) for row in self._connection.execute(_OPEN))

    def newest(self, limit: int, before: str = "", status: str = "") -> tuple[Position, ...]:
        """The newest first; only those that are ``open`` or ``closed``, where a status is given."""
        query = select(_TABLE).where(_TABLE.c.status == status) if status else select(_TABLE)
        query = newest_first(query, _TABLE.c.number, limit, before)
        return tuple(_position(row) for row in self._connection.execute(query))

    def page(self, begin: datetime | None, after: int, limit: int) -> tuple[tuple[Position, str], ...]:
        """A page of those opened at or after ``begin``, oldest first, each with the id of its decision.

        Args:
            begin: A time; ``None`` for all of them.
            after: The number of the last one of the page before; 0 for the first page.
            limit: How many a page has.
        """
        query = select(_TABLE).where(_TABLE.c.number > after).order_by(_TABLE.c.number).limit(limit)
        query = query if begin is None else query.where(_TABLE.c.opened_at >= begin)
        return tuple((_position(row), row.decision_id) for row in self._connection.execute(query))

    def closed_within(self, begin: datetime, end: datetime) -> tuple[Position, ...]:
        """Those closed in ``(begin, end]``, in order."""
        at = _TABLE.c.closed_at
        query = select(_TABLE).where(at > begin, at <= end).order_by(at)
        return tuple(_position(row) for row in self._connection.execute(query))

    def held_at(self, at: datetime) -> tuple[Position, ...]:
        """Those that were open at a time, as they are now, oldest first."""
        opened, closed = _TABLE.c.opened_at, _TABLE.c.closed_at
        query = select(_TABLE).where(opened <= at, closed.is_(None) | (closed > at)).order_by(_TABLE.c.number)
        return tuple(_position(row) for row in self._connection.execute(query))

    def opened_within(self, begin: datetime, end: datetime) -> int:
        """How many the bot opened in ``(begin, end]``."""
        at, own = _TABLE.c.opened_at, _TABLE.c.context != EXTERNAL
        return self._connection.execute(select(func.count()).where(at > begin, at <= end, own)).scalar_one()

    def _row(self, position_id: str) -> Row[Any]:
        row = self._connection.execute(_ROW, {"its_id": position_id}).first()
        if row is None:
            raise UnknownId(f"There is no trade {position_id}.", "See /trades for ids.")
        return row


def _position(row: Row[Any]) -> Position:
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
        closed_by_person=row.closed_by_person,
        bought=row.bought,
        cost=row.cost,
    )
