"""Give the room of what was let go back to the disk: SQLite keeps it in the file, a server sees to it itself."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import structlog
from sqlalchemy import Engine

WORTH_IT = 0.25
"""The share of a file that must be free: it is written anew, and whoever wants to write waits for that."""
AT_LEAST = 4 * 1024 * 1024
"""Less than so many bytes are left for what comes next."""

_log = structlog.get_logger(__name__)


def give_back(engine: Engine) -> bool:
    """Write a file anew without its free pages, where that is worth it and there is room; whether it was done.

    Args:
        engine: The writer's, on which no transaction is open.
    """
    if engine.dialect.name != "sqlite":
        return False
    connection = engine.raw_connection()
    try:
        file = connection.driver_connection
        if file is None or not _is_worth_it(file):
            return False
        file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        _log.warning("the database's file was not made smaller", trouble=str(error))
        return False
    finally:
        connection.close()
    return True


def _is_worth_it(file: sqlite3.Connection) -> bool:
    free, pages, size = (
        int(file.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("freelist_count", "page_count", "page_size")
    )
    if free * size < AT_LEAST or free < pages * WORTH_IT:
        return False
    path = next(path for _, name, path in file.execute("PRAGMA database_list") if name == "main")
    return shutil.disk_usage(Path(path).parent).free > 2 * pages * size
