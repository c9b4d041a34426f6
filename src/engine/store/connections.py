"""Connections to the database, set up so that SQLite and PostgreSQL promise the same.

Writers take turns, across processes too: SQLite by ``BEGIN IMMEDIATE``, PostgreSQL by an advisory lock of the database.
Readers see a snapshot: SQLite by its log, PostgreSQL by ``REPEATABLE READ``. Who waits longer than ``LOCK_WAIT_MS``
gets an error instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.pool import StaticPool

from engine.domain.errors import BadInput, StoreError
from engine.domain.extras import install
from engine.store.location import location
from engine.support import private_files

LOCK_WAIT_MS = 10_000
READERS = 4
TROUBLE = (OperationalError, ProgrammingError, InternalError)
"""What the drivers raise when the database, and not a row, is at fault: away, full, locked, without its tables."""

STEPWISE = "auto_vacuum=INCREMENTAL"
"""How a file of SQLite's is made: it keeps track of what refers to each page, so that pages can be moved one by one."""
_WRITER_LOCK = 0x67726E6C
"""The advisory lock of whoever writes: the letters ``grnl``."""
_CONNECT_WITHIN_S = 10
_NOTICE_SILENCE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A server whose machine is gone is noticed within half a minute (seconds; the last one in milliseconds)."""
_BE_NOTICED = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
"""For the server to notice as soon that we are gone: a session that is cut off unnoticed keeps its locks for hours."""


def as_it_is(_: Engine) -> None:
    """Do nothing more to an engine."""


def connect(
    url: str, *, writer: bool = False, read_only: bool = False, prepare: Callable[[Engine], None] = as_it_is
) -> Engine:
    """Open an engine whose transactions begin as a writer's or a reader's do; a read-only one cannot write at all.

    Args:
        url: As ``store.location`` reads it. A file that is not there is made, for this user alone, but only now.
        writer: Whether it takes its turn among those who write.
        read_only: Whether the connection itself refuses to write.
        prepare: What is done to the engine before it connects for the first time.

    Raises:
        StoreError: The URL, its driver or the file cannot be used, or the server does not answer or let us in.
    """
    place = located(url)
    if isinstance(place, Path):
        engine = _sqlite(place, writer=writer, read_only=read_only)
    else:
        engine = _postgres(place, writer=writer, read_only=read_only)
    prepare(engine)
    try:
        with engine.connect():
            pass
    except DatabaseError as error:
        engine.dispose()
        raise _unusable(place, error) from None
    except StoreError:
        engine.dispose()
        raise
    return engine


def located(url: str) -> Path | URL:
    """Where a database is, as ``store.location`` reads it.

    Raises:
        StoreError: Nowhere. The message never repeats the URL: a password may be in it.
    """
    try:
        return location(url)
    except BadInput as error:
        raise StoreError(f"The database's URL {error.message}.", "Correct BOT_DATABASE__URL.") from None


def is_sqlite(url: str) -> bool:
    """Whether a database is a file of this machine."""
    return isinstance(located(url), Path)


def version_of(connection: Connection) -> int | None:
    """A number that is another one once anybody else has written; ``None`` where the database tells none.

    Two numbers are of use only if the same connection was asked both times, each time within a transaction.
    """
    if connection.dialect.name != "sqlite":
        return None
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors of the database itself into words; those of a row, such as a doubled key, stay what they are.

    Raises:
        StoreError: The database is away, full, locked or damaged. Damage has no class of its own: it is the bare error.
    """
    try:
        yield
    except DatabaseError as error:
        if not isinstance(error, TROUBLE) and type(error) is not DatabaseError:
            raise
        raise trouble(_first_of(error)) from error


def _first_of(error: DBAPIError) -> DBAPIError:
    """What began it: taking back what a full disk has taken back already fails too, and says less."""
    first, before = error, error.__context__
    while before is not None:
        first = before if isinstance(before, DBAPIError) else first
        before = before.__context__
    return first


def trouble(error: DBAPIError) -> StoreError:
    """The words for a transaction that could not be done because of the database itself."""
    return StoreError(
        f"The database could not be used: {first_line(error)}.", "See that it can be reached and has room."
    )


def first_line(error: DBAPIError) -> str:
    """What the driver says, without the hints and positions that follow."""
    return str(error.orig).strip().partition("\n")[0].rstrip(".")


def _sqlite(file: Path, *, writer: bool, read_only: bool) -> Engine:
    """SQLite in WAL mode, fully synchronous, with explicit transactions."""
    if read_only:
        # Made by nobody but the bot: a reader that comes first must not leave an empty file behind.
        _refuse_absent(file)
    else:
        _make(file)
    # Each connection opens what is there: one made later must not make a new file where the old one was taken away.
    name = f"file:{quote(os.fsencode(file.absolute()))}"
    url = URL.create("sqlite", database=name, query={"mode": "rw", "uri": "true"})
    options: dict[str, Any] = {"poolclass": StaticPool} if writer else {"pool_size": READERS}
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": LOCK_WAIT_MS / 1000}, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see below
        if not read_only and _is_empty(connection):
            # So that room can be given back in steps; once anything is in a file, even its mode, this comes too late.
            connection.execute(f"PRAGMA {STEPWISE}")
        mode = "query_only=ON" if read_only else "journal_mode=WAL"
        for pragma in (mode, "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={LOCK_WAIT_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _is_empty(connection: Any) -> bool:
    return bool(connection.execute("PRAGMA page_count").fetchone() == (0,))


def _make(file: Path) -> None:
    try:
        private_files.make_file(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be made: {error.strerror}.", "Set BOT_DATABASE__URL.") from None
    if file.is_dir():
        raise StoreError(f"{file} is a folder, not a file.", "Set BOT_DATABASE__URL.")


def _refuse_absent(file: Path) -> None:
    if not file.is_file():
        raise StoreError(f"There is no database at {file}.", "Start the bot first, or set BOT_DATABASE__URL.")


def _postgres(url: URL, *, writer: bool, read_only: bool) -> Engine:
    """PostgreSQL by psycopg; a connection that the server has dropped is replaced before it is used."""
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=1 if writer else READERS,
            max_overflow=0,
            # A writer's snapshot is taken by each statement: one of the transaction would be older than its lock.
            isolation_level="READ COMMITTED" if writer else "REPEATABLE READ",
            connect_args={
                "connect_timeout": _CONNECT_WITHIN_S,
                **_NOTICE_SILENCE,
                "options": " ".join(
                    (
                        f"-c lock_timeout={LOCK_WAIT_MS} -c timezone=UTC",
                        _BE_NOTICED,
                        f"-c default_transaction_read_only={'on' if read_only else 'off'}",
                        str(url.query.get("options", "")),
                    )
                ),
            },
        )
    except (ImportError, NoSuchModuleError):
        raise StoreError(f"Nothing here can talk to {url.drivername}.", install("postgres", "the driver")) from None
    if writer:

        @event.listens_for(engine, "begin")
        def _take_turns(connection: Any) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    return engine


def _unusable(place: Path | URL, error: DatabaseError) -> StoreError:
    if isinstance(place, Path):
        return StoreError(
            f"{place} cannot be opened as a database: {first_line(error)}.",
            "Nothing was changed. Move the file away, restore a backup, or set BOT_DATABASE__URL.",
        )
    return StoreError(
        f"The database server cannot be used: {first_line(error)}.",
        "See that it runs, that the database exists, and that BOT_DATABASE__URL has its user and password.",
    )
