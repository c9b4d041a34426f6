"""Small durable facts by key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sqlalchemy import Connection, delete, select, text

from engine.store.memory import NoMemory
from engine.store.tables import Setting, key_of, table_of

_TABLE = table_of(Setting)
_VALUE = select(_TABLE.c.value).where(*key_of(_TABLE))
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
        return self._memory.get_or_load("settings", ("one", key), lambda: self._load(key))

    def set(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of the one before."""
        self._connection.execute(_SET, {"key": key, "value": value})

    def starting_with(self, prefix: str) -> Mapping[str, str]:
        """Every text whose key begins with a prefix, by its key."""
        return self._memory.get_or_load("settings", ("beginning", prefix), lambda: self._load_beginning(prefix))

    def drop(self, keys: Collection[str]) -> None:
        """Keep nothing under these keys."""
        if keys:
            self._connection.execute(delete(_TABLE).where(_TABLE.c.key.in_(keys)))

    def _load(self, key: str) -> str | None:
        return self._connection.execute(_VALUE, {"its_key": key}).scalar()

    def _load_beginning(self, prefix: str) -> Mapping[str, str]:
        found = self._connection.execute(select(_TABLE).where(_TABLE.c.key.startswith(prefix, autoescape=True)))
        return MappingProxyType({row.key: row.value for row in found})
