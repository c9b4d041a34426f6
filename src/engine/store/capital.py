"""How much of the account may be used, now and before."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, insert, select, update

from engine.domain.capital import CapitalStage
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.tables import CapitalStageRow, key_of, table_of

_TABLE = table_of(CapitalStageRow)
_STAGE = RowMapping(CapitalStage, _TABLE)
_ADD = insert(_TABLE)
_CHANGE = update(_TABLE).where(*key_of(_TABLE))
_ROW = select(_TABLE).where(*key_of(_TABLE))
_NEWEST = select(_TABLE).order_by(_TABLE.c.number.desc())


class CapitalStages:
    """The ``capital_stages`` table: each time in which so much could be used, which stays."""

    def __init__(self, connection: Connection, memory: NoMemory) -> None:
        self._connection = connection
        self._memory = memory

    def add(self, stage: CapitalStage) -> None:
        """Keep a time that begins."""
        self._connection.execute(_ADD, _STAGE.to_row(stage))

    def current(self) -> CapitalStage | None:
        """The time that runs; ``None`` where there never was a stage: all of the account may be used."""
        found: CapitalStage | None = self._memory.get_or_load("capital_stages", "current", self._load)
        return found

    def _load(self) -> CapitalStage | None:
        return next(iter(self.newest(1)), None)

    def limit(self) -> Decimal | None:
        """What may be used now, in the quote currency; ``None`` for all of the account."""
        current = self.current()
        return current.amount if current is not None else None

    def get(self, number: int) -> CapitalStage | None:
        """One of them; ``None`` where there is none."""
        row = self._connection.execute(_ROW, {"its_number": number}).first()
        return _STAGE.from_row(row) if row is not None else None

    def newest(self, count: int) -> tuple[CapitalStage, ...]:
        """The newest first."""
        return tuple(_STAGE.from_row(row) for row in self._connection.execute(_NEWEST.limit(count)))

    def note_best(self, number: int, best: Decimal) -> None:
        """Keep the highest result of a time."""
        self._connection.execute(_CHANGE, {"its_number": number, "best": best})

    def note_declined(self, number: int, at: datetime) -> None:
        """Keep that people said it should stay so."""
        self._connection.execute(_CHANGE, {"its_number": number, "asked_at": at})
