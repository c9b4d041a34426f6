"""Reasons for no new entries, open and ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from engine.domain.errors import UnknownId
from engine.domain.reports import HaltView
from engine.domain.trading import Halt, HaltKind
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import HaltRow, table_of

_TABLE = table_of(HaltRow)
_OPEN = select(_TABLE).where(_TABLE.c.status == "open").order_by(_TABLE.c.number)


class Halts:
    """The ``halts`` table."""

    def __init__(self, session: Session, numbering: Numbering, memory: NoMemory) -> None:
        self._session = session
        self._numbering = numbering
        self._memory = memory

    def add(self, halt: Halt) -> str:
        """Keep a new halt; its id."""
        number = self._numbering.next("H")
        self._session.add(
            HaltRow(
                id=f"H{number}",
                number=number,
                kind=halt.kind,
                status="open",
                reason=halt.reason,
                market=halt.market,
                by=halt.by,
                since=halt.since,
                until=halt.until,
            )
        )
        self._session.flush()
        return f"H{number}"

    def end(self, halt_id: str, at: datetime, by: str = "") -> None:
        """End a halt."""
        row = self._row(halt_id)
        row.status, row.ended_at, row.ended_by = "ended", at, by
        self._session.add(row)
        self._session.flush()

    def open(self) -> tuple[HaltView, ...]:
        """Those that have not been ended, oldest first."""
        return self._memory.recall("halts", "open", self._load)

    def _load(self) -> tuple[HaltView, ...]:
        return tuple(_view(row) for row in self._session.connection().execute(_OPEN))

    def get(self, halt_id: str) -> HaltView:
        """One halt.

        Raises:
            UnknownId: There is none with that id.
        """
        return _view(self._row(halt_id))

    def _row(self, halt_id: str) -> HaltRow:
        row = self._session.get(HaltRow, halt_id)
        if row is None:
            raise UnknownId(f"There is no halt {halt_id}.")
        return row


def _view(row: HaltRow | Row[Any]) -> HaltView:
    halt = Halt(
        kind=HaltKind(row.kind), reason=row.reason, since=row.since, until=row.until, market=row.market, by=row.by
    )
    return HaltView(id=row.id, halt=halt, ended_at=row.ended_at, ended_by=row.ended_by)
