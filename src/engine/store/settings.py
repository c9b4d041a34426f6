"""Small durable facts by key."""

from __future__ import annotations

from sqlmodel import Session

from engine.store.tables import Setting


class Settings:
    """A table of texts: what the database is stamped with, platforms' offsets, the market time reached."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        row = self._session.get(Setting, key)
        return row.value if row else None

    def set(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of the one before."""
        row = self._session.get(Setting, key) or Setting(key=key, value=value)
        row.value = value
        self._session.add(row)
        self._session.flush()
