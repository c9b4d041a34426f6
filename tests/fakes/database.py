"""A migrated database for a folder, quickly: SQLite in the folder, or PostgreSQL where the folder has a note of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.store import migrate
from engine.store.database import Database, Route, nowhere
from tests.fakes import postgres

NOTE = "database.url"


def new_database(folder: Path, *, route: Route = nowhere) -> Database:
    """The database of a folder; made where there is none."""
    url = url_of(folder)
    if url.startswith("sqlite"):
        new_file(folder)
    return Database(url, route=route)


def new_file(folder: Path) -> Path:
    """The file of a migrated database; made where there is none."""
    file = folder / "greenlight.sqlite"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(blank())
    return file


def url_of(folder: Path) -> str:
    """The URL of a folder's database."""
    note = folder / NOTE
    return note.read_text() if note.exists() else f"sqlite:///{folder}/greenlight.sqlite"


def use_postgres(folder: Path, *, migrated: bool = True) -> str:
    """Let the database of a folder be a new one on the PostgreSQL server; its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    url = postgres.create(postgres.blank() if migrated else "")
    (folder / NOTE).write_text(url)
    return url


def rows_of(url: str, query: str, *values: object) -> list[dict[str, Any]]:
    """Read rows past the engine; values stand where the query has ``?``."""
    return rows_of_file(_file(url), query, *values) if url.startswith("sqlite") else postgres.rows(url, query, *values)


def rows_of_file(file: Path, query: str, *values: object) -> list[dict[str, Any]]:
    """Read rows of an SQLite file, whoever writes to it."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def execute(url: str, statement: str) -> None:
    """Change a database past the engine."""
    if not url.startswith("sqlite"):
        postgres.execute(url, statement)
        return
    with closing(sqlite3.connect(_file(url), timeout=10)) as connection, connection:
        connection.execute(statement)


def tables_of(url: str) -> set[str]:
    """The tables of a database."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if url.startswith("sqlite")
        else "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    return {row["name"] for row in rows_of(url, query)}


@cache
def blank() -> bytes:
    """A migrated database. Migrating takes long, so it is done once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.sqlite"
        migrate.upgrade(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("VACUUM INTO ?", (f"{folder}/whole.sqlite",))  # also what its log still holds
        return (Path(folder) / "whole.sqlite").read_bytes()


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
