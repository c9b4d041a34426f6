"""Backups: the database and the paper venues' files at one moment, in one ZIP that either kind of database takes back.

``manifest.json`` (format, revision, rows of each table), ``tables/NAME.jsonl`` (a row a line), ``venue.sqlite``; of
several venues the file of each, with its name in it.
The moment is taken while no transaction writes: an order is sent only after its intent is stored, so the venue's copy
knows no order that the database's does not, and what it is ahead by is what a start asks it for anyway.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from sqlalchemy import Column, Connection, Date, Engine, Table, delete, func, insert, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from engine.domain.errors import StoreError
from engine.domain.figures import plain
from engine.store import migrate
from engine.store.columns import ExactDecimal, UtcTime
from engine.store.connections import connect, first_line
from engine.store.tables import Setting, table_of
from engine.support import private_files

FORMAT = 1
ROWS_AT_ONCE = 500
TRIES = 6
"""How often a backup tries to have its turn among those who write; each try waits for ``LOCK_WAIT_MS``."""
_TABLES = table_of(Setting).metadata.sorted_tables
_DAMAGED = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, ArithmeticError, sqlite3.Error)


def backup(url: str, venues: Mapping[str, Path], file: Path) -> int:
    """Write a backup to a new file, while the bot may be running; how many rows it has.

    Args:
        url: The database.
        venues: The venues' files, by what they are called in a backup.
        file: The new file.

    Raises:
        StoreError: The file is there already or cannot be written, or the database is damaged or not up to date.
    """
    found, wanted = migrate.versions(url)
    if found != wanted:
        raise StoreError(f"The database has revision {found or 'none'}, the program {wanted}.", "Run bot db upgrade.")
    part = file.with_name(f"{file.name}.part")
    try:
        with _new_file(file, part), ZipFile(part, "w", ZIP_DEFLATED) as archive:
            rows = _write(url, venues, archive, wanted)
    except DatabaseError as error:
        raise StoreError(f"The database cannot be read: {first_line(error)}.", "Run bot db check.") from error
    except sqlite3.Error as error:
        raise StoreError(f"A venue's file cannot be read: {error}.", "Nothing was written.") from error
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}.", "Name another file.") from None
    return rows


def restore(url: str, venues: Mapping[str, Path], file: Path, *, force: bool = False) -> int:
    """Put a backup in the place of what a database and the venues' files hold; how many rows it has.

    Raises:
        StoreError: The backup is damaged or of another revision, or there is something to lose and no ``force``;
            nothing was changed.
    """
    try:
        with ZipFile(file) as archive, TemporaryDirectory(prefix="restore-", dir=_folder(venues)) as scratch:
            manifest = _checked(archive, file)
            copies = _unpacked(archive, venues, Path(scratch))
            if not force:
                _refuse_loss(url, venues)
            migrate.upgrade(url)
            return _replace(url, venues, archive, manifest, copies, Path(scratch))
    except DBAPIError as error:
        raise StoreError(f"{file} cannot be restored: {first_line(error)}.", "Nothing was changed.") from error
    except _DAMAGED:
        raise StoreError(f"{file} is damaged, or is no backup.", "Nothing was changed. Try an older one.") from None
    except OSError as error:
        raise StoreError(f"{file} cannot be restored: {error.strerror}.", "Nothing was changed.") from None


def _write(url: str, venues: Mapping[str, Path], archive: ZipFile, revision: str) -> int:
    writer, reader = connect(url, writer=True), connect(url)
    try:
        with reader.connect() as connection, TemporaryDirectory() as scratch:
            with _nobody_writes(writer):
                connection.execute(select(func.count()).select_from(table_of(Setting)))  # the snapshot begins here
                copies = {name: _copy(venue, Path(scratch) / name) for name, venue in venues.items()}
            counts = {table.name: _write_table(connection, table, archive) for table in _TABLES}
            for name, copy in copies.items():
                if copy:
                    archive.write(copy, name)
    finally:
        writer.dispose()
        reader.dispose()
    archive.writestr("manifest.json", json.dumps({"format": FORMAT, "revision": revision, "tables": counts}))
    return sum(counts.values())


@contextmanager
def _nobody_writes(writer: Engine) -> Iterator[None]:
    """Take a turn as a writer, so that nobody else does. SQLite's turns are not fair: a busy bot may win several."""
    with _turn(writer, TRIES):
        yield


def _turn(writer: Engine, tries: int) -> Connection:
    held = writer.connect()
    try:
        held.begin()
    except OperationalError:
        held.close()
        if tries <= 1:
            raise
        return _turn(writer, tries - 1)
    return held


def _write_table(connection: Connection, table: Table, archive: ZipFile) -> int:
    count = 0
    found = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table))
    with archive.open(f"tables/{table.name}.jsonl", "w") as lines:
        for count, row in enumerate(found, start=1):  # noqa: B007 - how many there were
            lines.write(json.dumps(dict(row._mapping), default=_plain).encode() + b"\n")  # noqa: SLF001 - its public name
    return count


def _plain(value: Decimal | date) -> str:
    return value.isoformat() if isinstance(value, date) else plain(value)  # a datetime is a date


def _copy(venue: Path, to: Path) -> Path | None:
    """A copy of the venue's file at one moment, by SQLite's own means; nothing where there is none."""
    if not venue.exists():
        return None
    whole = f"{venue.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(whole, uri=True)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        if not _is_whole(target):
            raise StoreError(f"{venue} is damaged.", "Put a backup in its place: bot db restore --force.")
    return to


def _is_whole(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def _checked(archive: ZipFile, file: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole and of the program's revision."""
    if archive.testzip() is not None:
        raise BadZipFile
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    if manifest["format"] != FORMAT or manifest["revision"] != migrate.head():
        raise StoreError(
            f"{file} has revision {manifest['revision']}, the program {migrate.head()}.",
            "Restore it with the version of the program that wrote it, then update.",
        )
    if set(manifest["tables"]) != {table.name for table in _TABLES}:
        raise BadZipFile
    return manifest


def _unpacked(archive: ZipFile, venues: Mapping[str, Path], scratch: Path) -> dict[str, Path]:
    """The venues' files of a backup, checked, by their names; a venue of which it has none is not there."""
    there = [name for name in archive.namelist() if name.endswith(".sqlite")]
    if others := sorted({*there} - {*venues}):
        raise StoreError(
            f"It has {', '.join(others)}, and the venues here are kept as {', '.join(venues)}.",
            "Name the same venues under exchanges as the account it is of has. Nothing was changed.",
        )
    return {name: _checked_copy(Path(archive.extract(name, scratch))) for name in there}


def _checked_copy(copy: Path) -> Path:
    copy.chmod(private_files.FILE_MODE)
    with closing(sqlite3.connect(copy)) as connection:
        if not _is_whole(connection):
            raise BadZipFile
    return copy


def _refuse_loss(url: str, venues: Mapping[str, Path]) -> None:
    found, wanted = migrate.versions(url)
    full = bool(found) and (found != wanted or _has_rows(url))
    there = [str(venue) for venue in venues.values() if venue.exists()]
    if full or there:
        what = "The database is not empty" if full else f"{there[0]} is there already"
        raise StoreError(f"{what}: restoring replaces everything in it.", "Make a backup of it, then use --force.")


def _has_rows(url: str) -> bool:
    engine = connect(url)
    try:
        with engine.connect() as connection:
            return any(connection.execute(select(table).limit(1)).first() for table in _TABLES)
    finally:
        engine.dispose()


def _replace(
    url: str,
    venues: Mapping[str, Path],
    archive: ZipFile,
    manifest: dict[str, Any],
    copies: Mapping[str, Path],
    scratch: Path,
) -> int:
    engine = connect(url, writer=True)
    try:
        with _swapped(venues, copies, scratch), engine.begin() as connection:
            for table in reversed(_TABLES):
                connection.execute(delete(table))
            counts = {table.name: _read_table(connection, table, archive) for table in _TABLES}
            if counts != manifest["tables"]:
                raise BadZipFile
            if connection.dialect.name == "postgresql":
                _go_on_counting(connection)
    finally:
        engine.dispose()
    return sum(counts.values())


def _read_table(connection: Connection, table: Table, archive: ZipFile) -> int:
    count = 0
    with archive.open(f"tables/{table.name}.jsonl") as lines:
        while rows := [_row(table, json.loads(line)) for line in islice(lines, ROWS_AT_ONCE)]:
            connection.execute(insert(table), rows)
            count += len(rows)
    return count


def _row(table: Table, plain: dict[str, Any]) -> dict[str, Any]:
    return {column.name: _value(column, plain[column.name]) for column in table.columns}


def _value(column: Column[Any], plain: Any) -> Any:
    if plain is None:
        return None
    if isinstance(column.type, ExactDecimal):
        return Decimal(plain)
    if isinstance(column.type, UtcTime):
        return datetime.fromisoformat(plain)
    return date.fromisoformat(plain) if isinstance(column.type, Date) else plain


def _go_on_counting(connection: Connection) -> None:
    """Rows came with their ids: the server's counters have to be told."""
    for table in _TABLES:
        column = table.autoincrement_column
        if column is not None:
            counter = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(counter, func.coalesce(func.max(column), 0) + 1, text("false"))))


@contextmanager
def _swapped(venues: Mapping[str, Path], copies: Mapping[str, Path], scratch: Path) -> Iterator[None]:
    """Have the copies in the place of the venues' files; the old ones come back where something fails."""
    files = [venue.with_name(venue.name + ending) for venue in venues.values() for ending in ("", "-wal", "-shm")]
    kept = [(old, scratch / f"old-{old.name}") for old in files if old.exists()]
    for old, aside in kept:
        old.rename(aside)
    try:
        for name, copy in copies.items():
            copy.rename(venues[name])
        yield
    except BaseException:
        for venue in venues.values():
            venue.unlink(missing_ok=True)
        for old, aside in kept:
            aside.rename(old)
        raise


@contextmanager
def _new_file(file: Path, part: Path) -> Iterator[None]:
    """Write the part first: a file that has its name is whole. Nobody else may read it, it has secrets in it."""
    if file.exists():
        raise StoreError(f"{file} is there already.", "Name a new file.")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE))
    try:
        yield
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)


def _folder(venues: Mapping[str, Path]) -> Path:
    """The venues' folder, made where it is missing: files are renamed within one file system."""
    (folder,) = {venue.parent for venue in venues.values()}
    private_files.make_folder(folder)
    return folder
