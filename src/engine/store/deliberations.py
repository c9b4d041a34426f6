"""What a panel thinks about: few, and each gone once it is decided on."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, text

from engine.domain.proposals import Deliberation
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.tables import DeliberationRow, key_of, table_of

_TABLE = table_of(DeliberationRow)
_NAME = _TABLE.name
_ALL = select(_TABLE.c.record)
_DROP = delete(_TABLE).where(*key_of(_TABLE))
_PUT = text(
    "INSERT INTO deliberations (key, record) VALUES (:key, :record)"
    " ON CONFLICT (key) DO UPDATE SET record = excluded.record"
)


class Deliberations:
    """The ``deliberations`` table."""

    def __init__(self, connection: Connection, memory: NoMemory) -> None:
        self._connection = connection
        self._memory = memory

    def put(self, waiting: Deliberation) -> None:
        """Keep one as it is now."""
        others = self._others(waiting.key)
        self._connection.execute(_PUT, {"key": waiting.key, "record": codec.dump(waiting)})
        self._memory.keep(_NAME, "all", _in_order((*others, waiting)))

    def drop(self, key: str) -> None:
        """Let one go: it was decided on."""
        others = self._others(key)
        self._connection.execute(_DROP, {"its_key": key})
        self._memory.keep(_NAME, "all", others)

    def has(self, key: str) -> bool:
        """Whether the decision with this key is being thought about."""
        return any(each.key == key for each in self.all())

    def all(self) -> tuple[Deliberation, ...]:
        """All of them, in the order of their keys."""
        return self._memory.get_or_load(_NAME, "all", self._load)

    def _others(self, key: str) -> tuple[Deliberation, ...]:
        return tuple(each for each in self.all() if each.key != key)

    def _load(self) -> tuple[Deliberation, ...]:
        return _in_order(codec.load(Deliberation, record) for record in self._connection.execute(_ALL).scalars())


def _in_order(found: Iterable[Deliberation]) -> tuple[Deliberation, ...]:
    return tuple(sorted(found, key=lambda each: each.key))
