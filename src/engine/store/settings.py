"""Small durable facts by key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sqlalchemy import Connection, delete, select, text

from engine.store.memory import NoMemory
from engine.store.tables import Setting, table_of

_TABLE = table_of(Setting)
_ALL = select(_TABLE)
_NAME, _EVERY = _TABLE.name, "all"
_SET = text(
    "INSERT INTO settings (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Settings:
    """A table of texts: what the database is stamped with, the web's session key, troubles, strangers."""

    def __init__(self, connection: Connection, memory: NoMemory | None = None) -> None:
        self._connection = connection
        self._memory = memory or NoMemory()

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        return self._all().get(key)

    def set(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of the one before."""
        others = self._all()
        self._connection.execute(_SET, {"key": key, "value": value})
        self._memory.keep(_NAME, _EVERY, MappingProxyType({**others, key: value}))

    def starting_with(self, prefix: str) -> Mapping[str, str]:
        """Every text whose key begins with a prefix, by its key."""
        return {key: value for key, value in self._all().items() if key.startswith(prefix)}

    def drop(self, keys: Collection[str]) -> None:
        """Keep nothing under these keys."""
        if keys:
            left = {key: value for key, value in self._all().items() if key not in keys}
            self._connection.execute(delete(_TABLE).where(_TABLE.c.key.in_(keys)))
            self._memory.keep(_NAME, _EVERY, MappingProxyType(left))

    def _all(self) -> Mapping[str, str]:
        """All of them: they are few, and many are asked for in one transaction."""
        return self._memory.get_or_load(_NAME, _EVERY, self._load)

    def _load(self) -> Mapping[str, str]:
        return MappingProxyType({row.key: row.value for row in self._connection.execute(_ALL)})
