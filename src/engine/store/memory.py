"""What was read within transactions, for as long as nothing has been written over it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

_TABLE_AT = {"INSERT": 2, "UPDATE": 1, "DELETE": 2}
"""Which word of a statement that writes is the table's name: ``INSERT INTO t``, ``UPDATE t``, ``DELETE FROM t``."""
_WRITES_NOTHING = frozenset({"SELECT", "PRAGMA", "SAVEPOINT", "RELEASE", "BEGIN", "SHOW", "SET"})
MOST = 1000
"""Of more than so many answers none is taken along into the next transaction."""
_MEMORY = "greenlight.memory"
"""Under which name the memory of what a connection is used for now is with it."""


class NoMemory:
    """Asks again every time."""

    def get_or_load(self, table: str, what: Hashable, load: Callable[[], T]) -> T:  # noqa: ARG002 - it remembers none of it
        """Load it."""
        return load()

    def known(self, table: str, what: Hashable) -> Any:  # noqa: ARG002 - as above
        """What is known already; ``None`` where nothing is."""
        return None

    def keep(self, table: str, what: Hashable, known: object) -> None:
        """Nothing is kept."""


class Memory(NoMemory):
    """Answers what was asked before. For transactions in which nobody else can write.

    It hears every statement, whoever sends it, and forgets what was read of a table that is written.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[Hashable, Any]] = {}
        self._version: int | None = None

    def begin(self, version: int | None) -> None:
        """A transaction begins: what is known stays so where the database has the version of the one before.

        Args:
            version: Another one once somebody else has written (``connections.version_of``); ``None`` for unknown.
        """
        if version is None or version != self._version or sum(map(len, self._known.values())) > MOST:
            self.forget()
        self._version = version

    def get_or_load(self, table: str, what: Hashable, load: Callable[[], T]) -> T:
        """What was loaded of a table, if nothing has been written to it since; else load it, unchangeable as it is."""
        known = self._known.setdefault(table, {})
        if what not in known:
            known[what] = load()
        found: T = known[what]
        return found

    def known(self, table: str, what: Hashable) -> Any:
        """What is known already; ``None`` where nothing is."""
        return self._known.get(table, {}).get(what)

    def keep(self, table: str, what: Hashable, known: object) -> None:
        """Note what was just written to a table, so that it need not be loaded."""
        self._known.setdefault(table, {})[what] = known

    def invalidate(self, statement: str) -> None:
        """Forget what was read of the table that a statement writes to; where that cannot be told, everything."""
        words = statement.split(None, 3)
        verb, place = words[0].upper(), _TABLE_AT.get(words[0].upper())
        if place is not None and (place == 1 or words[1].upper() in ("INTO", "FROM")):
            self._known.pop(words[place], None)
        elif verb not in _WRITES_NOTHING:
            self.forget()

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()


@contextmanager
def remembering(connection: Connection) -> Iterator[Memory]:
    """A memory for what is read of one snapshot. It hears what is written there (``hear``), though that is not kept."""
    memory = connection.info[_MEMORY] = Memory()
    try:
        yield memory
    finally:
        del connection.info[_MEMORY]


def hear(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """Tell the memory of a connection, where it has one, what is sent: for SQLAlchemy's ``before_cursor_execute``."""
    memory = connection.info.get(_MEMORY)
    if memory is not None:
        memory.invalidate(statement)
