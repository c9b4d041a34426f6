"""Who wants the daily report, in a small file of the viewer's own: the bot's database is not its to write to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from engine.domain.errors import StoreError
from engine.support import private_files

_TABLE = "CREATE TABLE IF NOT EXISTS subscriber (chat TEXT PRIMARY KEY, seen TEXT NOT NULL)"


class Subscribers:
    """The chats that get each day's report, and the newest day each has got.

    Args:
        file: The file; made where it does not exist, for this user alone.

    Raises:
        StoreError: The file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            private_files.make_file(file)
            with self._transaction() as connection:
                connection.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"The subscribers' file {file} cannot be used: {error}.", "Move it away.") from None

    def add(self, chat: str, seen: datetime) -> bool:
        """Send a chat every day that ends after ``seen``; whether it was not subscribed before."""
        with self._transaction() as connection:
            added = connection.execute("INSERT OR IGNORE INTO subscriber VALUES (?, ?)", (chat, seen.isoformat()))
            return added.rowcount > 0

    def remove(self, chat: str) -> bool:
        """Send a chat nothing more; whether it was subscribed."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM subscriber WHERE chat = ?", (chat,)).rowcount > 0

    def waiting_for(self, ends: datetime) -> tuple[tuple[str, datetime], ...]:
        """The chats that have not got the day that ends then, in a fixed order, each with when its newest day ended."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT chat, seen FROM subscriber ORDER BY chat").fetchall()
        known = ((chat, datetime.fromisoformat(seen)) for chat, seen in rows)
        return tuple((chat, seen) for chat, seen in known if seen < ends)

    def sent(self, chat: str, ends: datetime) -> None:
        """Note that a chat has got the day that ends then."""
        with self._transaction() as connection:
            connection.execute("UPDATE subscriber SET seen = ? WHERE chat = ?", (ends.isoformat(), chat))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file)) as connection, connection:
            yield connection
