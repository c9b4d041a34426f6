"""Reasons for no new entries, open and ended."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from engine.domain.errors import UnknownId
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import HaltRow, key_of, table_of

_TABLE = table_of(HaltRow)
_HALT = RowMapping(Halt, _TABLE)
_VIEW = RowMapping(HaltView, _TABLE)
_ROW = select(_TABLE).where(*key_of(_TABLE))
_OPEN = select(_TABLE).where(_TABLE.c.status == "open").order_by(_TABLE.c.number)
_ADD = insert(_TABLE)
_NEXT = select(_TABLE).where(_TABLE.c.number > bindparam("after")).order_by(_TABLE.c.number)
_LAST = select(func.max(_TABLE.c.number))
_LAST_ENDED = select(func.max(_TABLE.c.ended_at)).where(_TABLE.c.kind == bindparam("of_kind"))
_REPLACED = "replaced"
_FOR_EVER = datetime.max.replace(tzinfo=UTC)
_CHANGE = update(_TABLE).where(*key_of(_TABLE))


class Halts:
    """The ``halts`` table."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def add(self, halt: Halt) -> str:
        """Keep a new halt; its id."""
        number = self._numbering.next("H")
        new = {"id": f"H{number}", "number": number, "status": "open", **_HALT.to_row(halt)}
        self._connection.execute(_ADD, new)
        return f"H{number}"

    def end(self, halt_id: str, at: datetime, by: str = "", *, replaced: bool = False) -> None:
        """End a halt, or let the next one of its kind take its place."""
        status = _REPLACED if replaced else "ended"
        ended = {"its_id": halt_id, "status": status, "ended_at": at, "ended_by": by}
        if not self._connection.execute(_CHANGE, ended).rowcount:
            raise _unknown(halt_id)

    def open(self) -> tuple[HaltView, ...]:
        """Those that have not been ended, oldest first."""
        return self._memory.get_or_load("halts", "open", self._load)

    def blocking(self, listing: Listing | None, now: datetime) -> HaltView | None:
        """What halts entries into a market now, without one into all of them; of several the one that lasts longest."""
        blocking = [found for found in self.open() if found.halt.blocks(listing, now)]
        return max(blocking, key=lambda found: found.halt.until or _FOR_EVER, default=None)

    def _load(self) -> tuple[HaltView, ...]:
        return tuple(_VIEW.from_row(row) for row in self._connection.execute(_OPEN))

    def after(self, number: int) -> tuple[HaltView, ...]:
        """Those that began after the one with a number, open or ended, oldest first."""
        return tuple(_VIEW.from_row(row) for row in self._connection.execute(_NEXT, {"after": number}))

    def last_number(self) -> int:
        """The number of the newest; 0 where there never was one."""
        return self._connection.execute(_LAST).scalar() or 0

    def last_ended(self, kind: HaltKind) -> datetime | None:
        """When the newest halt of a kind was ended; ``None`` where none was."""
        ended: datetime | None = self._connection.execute(_LAST_ENDED, {"of_kind": kind}).scalar()
        return ended

    def get(self, halt_id: str) -> HaltView:
        """One halt.

        Raises:
            UnknownId: There is none with that id.
        """
        row = self._connection.execute(_ROW, {"its_id": halt_id}).first()
        if row is None:
            raise _unknown(halt_id)
        return _VIEW.from_row(row)

    def replacement(self, halt_id: str) -> HaltView | None:
        """What took the place of a halt; ``None`` where nothing did.

        Raises:
            UnknownId: There is none with that id.
        """
        row = self._connection.execute(_ROW, {"its_id": halt_id}).first()
        if row is None:
            raise _unknown(halt_id)
        if row.status != _REPLACED:
            return None
        later = self._connection.execute(_NEXT.where(_TABLE.c.kind == row.kind), {"after": row.number}).first()
        return _VIEW.from_row(later) if later is not None else None


def _unknown(halt_id: str) -> UnknownId:
    return UnknownId(f"There is no halt {halt_id}.")
