"""Give the room of what was let go back to the disk: SQLite keeps it in the file, a server sees to it itself.

A file that was made to give it back in steps moves some pages in each, and others write between them. One of before is
written anew as a whole, once; from then on it is like the others.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy import Engine

from engine.store.connections import STEPWISE

WORTH_IT = 0.25
"""The share of a file that must be free: pages that are free now are filled by what comes next."""
AT_LEAST = 4 * 1024 * 1024
"""Less than so many bytes are left for what comes next."""
PAGES_AT_ONCE = 500
"""How many pages one step moves, of 4 kB each: others want to write as well."""
_INCREMENTAL = 2
"""What SQLite calls a file that gives room back in steps."""

_log = structlog.get_logger(__name__)


def is_worth_it(engine: Engine) -> bool:
    """Whether so much of a file is free that it should become smaller, and there is room for doing it.

    Args:
        engine: The writer's, on which no transaction is open.
    """
    return engine.dialect.name == "sqlite" and _with_file(engine, _is_worth_it)


def give_back(engine: Engine) -> bool:
    """Give some of the free pages of a file back to the disk; whether there is more to give back.

    Args:
        engine: As above.
    """
    return _with_file(engine, _give_back)


def _with_file(engine: Engine, work: Callable[[sqlite3.Connection], bool]) -> bool:
    """Do something with the driver's own connection, outside of any transaction; ``False`` where it cannot be done."""
    with closing(engine.raw_connection()) as connection:
        file = connection.driver_connection
        try:
            return file is not None and work(file)
        except sqlite3.Error as error:
            _log.warning("the database's file was not made smaller", trouble=str(error))
            return False


def _is_worth_it(file: sqlite3.Connection) -> bool:
    free, pages, size = (_number(file, name) for name in ("freelist_count", "page_count", "page_size"))
    if free * size < AT_LEAST or free < pages * WORTH_IT:
        return False
    return _is_stepwise(file) or _room_beside(file) > 2 * pages * size


def _give_back(file: sqlite3.Connection) -> bool:
    if not _is_stepwise(file):
        _write_anew(file)
        return False
    before = _number(file, "freelist_count")
    file.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")  # to its end: execute would move a single page
    if 0 < _number(file, "freelist_count") < before:
        return True
    file.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # waits for nobody who still reads
    return False


def _write_anew(file: sqlite3.Connection) -> None:
    file.execute(f"PRAGMA {STEPWISE}")
    file.execute("VACUUM")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_stepwise(file: sqlite3.Connection) -> bool:
    return _number(file, "auto_vacuum") == _INCREMENTAL


def _room_beside(file: sqlite3.Connection) -> int:
    path = next(path for _, name, path in file.execute("PRAGMA database_list") if name == "main")
    return shutil.disk_usage(Path(path).parent).free


def _number(file: sqlite3.Connection, name: str) -> int:
    return int(file.execute(f"PRAGMA {name}").fetchone()[0])
