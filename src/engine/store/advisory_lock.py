"""One bot on one database server: a lock of the session that writes.

A file's lock does not reach another host. A server lets go of a session's lock when the session ends, however it ends:
one that was killed never keeps the next from starting. A bot whose session was lost takes the lock again with its next
connection, before anything is written; where another has it by then, it can write nothing, and so it orders nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event

from engine.domain.errors import StoreError
from engine.store.connections import connect, is_sqlite

ENDED_WITHIN = 3.0
"""Wall seconds in which the server lets go of the lock of a session that has ended."""
_LOOK_EVERY = 0.05
STATEMENT_WITHIN_MS = 30_000
"""How long the server may work on one statement of a running bot."""
_LOCK = 0x67726E69
"""The advisory lock of whoever runs on a database: the letters ``grni``."""
TAKE = f"SELECT pg_try_advisory_lock({_LOCK})"
_HOLDER = f"""
    SELECT activity.application_name, activity.client_addr FROM pg_locks
    JOIN pg_stat_activity AS activity ON activity.pid = pg_locks.pid
    WHERE locktype = 'advisory' AND classid = 0 AND objid = {_LOCK} AND granted
      AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - a number of ours


@contextmanager
def alone_on_server(url: str) -> Iterator[None]:
    """Be the only bot on a database server while in it; a file's own lock guards a file.

    Raises:
        StoreError: Another one is (it is named), or the server cannot be used.
    """
    if is_sqlite(url):
        yield
        return
    engine = connect(url, prepare=keep_alone)
    try:
        with engine.connect():
            yield
    finally:
        engine.dispose()


def keep_alone(engine: Engine) -> None:
    """Let every connection of a PostgreSQL engine take the lock before it is used; without it there is none.

    There may be one connection at a time: two sessions are two bots to the server, whoever has opened them.
    """

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
        connection = dialect.connect(*arguments, **{**options, "application_name": signature()})
        try:
            _take(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def signature() -> str:
    """How a session says whose it is, within PostgreSQL's 63 bytes."""
    return f"greenlight pid {os.getpid()} on {socket.gethostname()}"[:63]


def _take(connection: Any) -> None:
    """Take the lock; one whose session is only just ending, or was our own, is waited for."""
    deadline = time.monotonic() + ENDED_WITHIN
    while not (answer := _try(connection)).taken:
        is_ending = answer.holder is None or answer.holder[0] == signature()
        if not is_ending or time.monotonic() > deadline:
            raise StoreError(
                f"The database is in use: another bot ({_who(answer.holder)}) is running on it.",
                "Stop that one first, or set BOT_DATABASE__URL to start on another database.",
            )
        time.sleep(_LOOK_EVERY)


class _Answer(NamedTuple):
    """Whether the lock was taken, and if not, the name and address of the session that has it, if it still has."""

    taken: bool
    holder: tuple[str, str | None] | None = None


def _try(connection: Any) -> _Answer:
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {STATEMENT_WITHIN_MS}")
        taken = cursor.execute(TAKE).fetchone()[0]
        holder = None if taken else cursor.execute(_HOLDER).fetchone()
    connection.commit()
    return _Answer(taken, holder)


def _who(found: Any) -> str:
    if found is None:
        return "which has just ended"
    name, address = found
    return f"{name}, from {address}" if address else str(name)
