"""Positions, open and closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from engine.domain.errors import UnknownId
from engine.domain.positions import EXTERNAL, Position
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import PositionRow, key_of, newest_first, table_of

_TABLE = table_of(PositionRow)
_POSITION = RowMapping(Position, _TABLE)
_ROW = select(_TABLE).where(*key_of(_TABLE))
_OPEN = select(_TABLE).where(_TABLE.c.status == "open").order_by(_TABLE.c.number)
_OPEN_SINCE = (
    select(_TABLE)
    .where(or_(_TABLE.c.status == "open", _TABLE.c.closed_at >= bindparam("since", type_=_TABLE.c.closed_at.type)))
    .order_by(_TABLE.c.number)
)
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
        kept = _POSITION.to_row(position)
        kept |= {"status": "open" if position.is_open else "closed", "decision_id": decision_id}
        change = {"its_id": position.id, **{name: kept[name] for name in kept if name != "id"}}
        if not self._connection.execute(_CHANGE, change).rowcount:
            self._connection.execute(_ADD, {"number": int(position.id[1:]), **kept})

    def get(self, position_id: str) -> Position:
        """One position.

        Raises:
            UnknownId: There is none with that id.
        """
        return self._memory.get_or_load("positions", position_id, lambda: _POSITION.from_row(self._row(position_id)))

    def decision_of(self, position_id: str) -> str:
        """The id of the decision that opened a position.

        Raises:
            UnknownId: There is none with that id.
        """
        return str(self._row(position_id).decision_id)

    def open(self) -> tuple[Position, ...]:
        """What is held, oldest first."""
        return self._memory.get_or_load("positions", "open", self._load)

    def _load(self) -> tuple[Position, ...]:
        return tuple(_POSITION.from_row(row) for row in self._connection.execute(_OPEN))

    def open_since(self, at: datetime) -> tuple[Position, ...]:
        """What is held, or was closed at a time or later, oldest first."""
        rows = self._connection.execute(_OPEN_SINCE, {"since": at})
        return tuple(_POSITION.from_row(row) for row in rows)

    def newest(self, limit: int, before: str = "", status: str = "") -> tuple[Position, ...]:
        """The newest first; only those that are ``open`` or ``closed``, where a status is given."""
        asked = (limit, before, status)
        return self._memory.get_or_load("positions", asked, lambda: self._load_newest(*asked))

    def _load_newest(self, limit: int, before: str, status: str) -> tuple[Position, ...]:
        query = select(_TABLE).where(_TABLE.c.status == status) if status else select(_TABLE)
        query = newest_first(query, _TABLE.c.number, limit, before)
        return tuple(_POSITION.from_row(row) for row in self._connection.execute(query))

    def closed_of(self, context: str, venue: str, symbol: str, limit: int) -> tuple[Position, ...]:
        """The newest that a context has closed in a market, the newest first."""
        own = (_TABLE.c.context == context, _TABLE.c.venue == venue, _TABLE.c.symbol == symbol)
        query = select(_TABLE).where(*own, _TABLE.c.status == "closed").order_by(_TABLE.c.number.desc()).limit(limit)
        return tuple(_POSITION.from_row(row) for row in self._connection.execute(query))

    def page(self, begin: datetime | None, after: int, limit: int) -> tuple[tuple[Position, str], ...]:
        """A page of those opened at or after ``begin``, oldest first, each with the id of its decision.

        Args:
            begin: A time; ``None`` for all of them.
            after: The number of the last one of the page before; 0 for the first page.
            limit: How many a page has.
        """
        query = select(_TABLE).where(_TABLE.c.number > after).order_by(_TABLE.c.number).limit(limit)
        query = query if begin is None else query.where(_TABLE.c.opened_at >= begin)
        return tuple((_POSITION.from_row(row), row.decision_id) for row in self._connection.execute(query))

    def closed_within(self, begin: datetime, end: datetime) -> tuple[Position, ...]:
        """Those closed in ``(begin, end]``, in order."""
        at = _TABLE.c.closed_at
        query = select(_TABLE).where(at > begin, at <= end).order_by(at)
        return tuple(_POSITION.from_row(row) for row in self._connection.execute(query))

    def held_at(self, at: datetime) -> tuple[Position, ...]:
        """Those that were open at a time, as they are now, oldest first."""
        opened, closed = _TABLE.c.opened_at, _TABLE.c.closed_at
        query = select(_TABLE).where(opened <= at, closed.is_(None) | (closed > at)).order_by(_TABLE.c.number)
        return tuple(_POSITION.from_row(row) for row in self._connection.execute(query))

    def opened_within(self, begin: datetime, end: datetime) -> int:
        """How many the bot opened in ``(begin, end]``."""
        at, own = _TABLE.c.opened_at, _TABLE.c.context != EXTERNAL
        return self._connection.execute(select(func.count()).where(at > begin, at <= end, own)).scalar_one()

    def _row(self, position_id: str) -> Row[Any]:
        row = self._connection.execute(_ROW, {"its_id": position_id}).first()
        if row is None:
            raise UnknownId(f"There is no trade {position_id}.", "See /trades for ids.")
        return row
