"""What people are asked to confirm beside trades."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.domain.confirmations import Confirmation, Stage, Subject
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.numbering import Numbering
from engine.store.tables import ConfirmationRow, key_of, table_of

_TABLE = table_of(ConfirmationRow)
_ROW = select(_TABLE.c.record).where(*key_of(_TABLE))
_OPEN = (
    select(_TABLE.c.record)
    .where(_TABLE.c.kind == bindparam("of_kind"), _TABLE.c.stage == Stage.ASKED)
    .order_by(_TABLE.c.number)
)
_ADD = insert(_TABLE)
_ANSWER = update(_TABLE).where(*key_of(_TABLE), _TABLE.c.stage == Stage.ASKED)


class Confirmations:
    """The ``confirmations`` table."""

    def __init__(self, connection: Connection, numbering: Numbering) -> None:
        self._connection = connection
        self._numbering = numbering

    def next_id(self) -> str:
        """An id for the next question."""
        return f"Q{self._numbering.next('Q')}"

    def add(self, asked: Confirmation) -> None:
        """Keep a question."""
        row = {"id": asked.id, "number": int(asked.id[1:]), "kind": type(asked.subject).__name__}
        self._connection.execute(_ADD, {**row, "stage": asked.stage, "record": codec.dump(asked)})

    def settle(self, answered: Confirmation) -> bool:
        """Keep an answer, or that there will be none; whether it was the first."""
        changed = {"its_id": answered.id, "stage": answered.stage, "settled_at": answered.answered_at}
        changed |= {"record": codec.dump(answered)}
        return bool(self._connection.execute(_ANSWER, changed).rowcount)

    def get(self, confirmation_id: str) -> Confirmation:
        """One question.

        Raises:
            UnknownId: There is none with that id.
        """
        record = self._connection.execute(_ROW, {"its_id": confirmation_id}).scalar()
        if record is None:
            raise UnknownId("That button is no longer good: nothing was done.")
        return codec.load(Confirmation, record)

    def open(self, kind: type[Subject]) -> tuple[Confirmation, ...]:
        """The questions of a kind that nobody has answered, oldest first."""
        records = self._connection.execute(_OPEN, {"of_kind": kind.__name__}).scalars()
        return tuple(codec.load(Confirmation, record) for record in records)
