"""A migrated database in a file of its own, quickly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.store import migrate
from engine.store.database import Database, Route, nowhere


def new_database(folder: Path, *, route: Route = nowhere) -> Database:
    """The database of a folder; made where there is none."""
    return Database(f"sqlite:///{new_file(folder)}", route=route)


def new_file(folder: Path) -> Path:
    """The file of a migrated database; made where there is none."""
    file = folder / "greenlight.sqlite"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(blank())
    return file


@cache
def blank() -> bytes:
    """A migrated database. Migrating takes long, so it is done once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.sqlite"
        migrate.upgrade(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("VACUUM INTO ?", (f"{folder}/whole.sqlite",))  # also what its log still holds
        return (Path(folder) / "whole.sqlite").read_bytes()
