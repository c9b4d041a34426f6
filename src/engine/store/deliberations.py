"""What a panel thinks about: few, and each gone once it is decided on."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from engine.domain.proposals import Deliberation
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.tables import DeliberationRow, key_of, table_of

_TABLE = table_of(DeliberationRow)
_ALL = select(_TABLE.c.record).order_by(_TABLE.c.key)
_DROP = delete(_TABLE).where(*key_of(_TABLE))
_ADD = insert(_TABLE)


class Deliberations:
    """The ``deliberations`` table."""

    def __init__(self, connection: Connection, memory: NoMemory) -> None:
        self._connection = connection
        self._memory = memory

    def put(self, waiting: Deliberation) -> None:
        """Keep one as it is now."""
        self.drop(waiting.key)
        self._connection.execute(_ADD, {"key": waiting.key, "record": codec.dump(waiting)})

    def drop(self, key: str) -> None:
        """Let one go: it was decided on."""
        self._connection.execute(_DROP, {"its_key": key})

    def has(self, key: str) -> bool:
        """Whether the decision with this key is being thought about."""
        return any(each.key == key for each in self.all())

    def all(self) -> tuple[Deliberation, ...]:
        """All of them, in the order of their keys."""
        return self._memory.get_or_load("deliberations", "all", self._load)

    def _load(self) -> tuple[Deliberation, ...]:
        return tuple(codec.load(Deliberation, record) for record in self._connection.execute(_ALL).scalars())
