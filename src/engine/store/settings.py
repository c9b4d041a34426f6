"""Small durable facts by key."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select, text

from engine.store.tables import Setting, key_of, table_of

_TABLE = table_of(Setting)
_VALUE = select(_TABLE.c.value).where(*key_of(_TABLE))
_SET = text(
    "INSERT INTO settings (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Settings:
    """A table of texts: what the database is stamped with, the web's session key, troubles, strangers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        return self._connection.execute(_VALUE, {"its_key": key}).scalar()

    def set(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of the one before."""
        self._connection.execute(_SET, {"key": key, "value": value})

    def starting_with(self, prefix: str) -> dict[str, str]:
        """Every text whose key begins with a prefix, by its key."""
        found = self._connection.execute(select(_TABLE).where(_TABLE.c.key.startswith(prefix, autoescape=True)))
        return {row.key: row.value for row in found}

    def drop(self, keys: Collection[str]) -> None:
        """Keep nothing under these keys."""
        if keys:
            self._connection.execute(delete(_TABLE).where(_TABLE.c.key.in_(keys)))
