"""A file gives room back in steps, between which others write."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.store import migrate
from engine.store.compaction import PAGES_AT_ONCE
from engine.store.database import Database
from tests.fakes.database import execute, new_database, new_file, rows_of_file, url_of

PAGES = 12 * PAGES_AT_ONCE


async def fill(store: Database, folder: Path) -> Path:
    """Let a file have many free pages; the file."""
    await store.transact(lambda uow: [uow.settings.set(f"page {number}", "x" * 3500) for number in range(PAGES)])
    execute(url_of(folder), "DELETE FROM settings WHERE key LIKE 'page %'")
    return folder / "greenlight.sqlite"


def mode_of(file: Path) -> int:
    (row,) = rows_of_file(file, "PRAGMA auto_vacuum")
    return int(row["auto_vacuum"])


def write_as_before(file: Path) -> None:
    """Let a file be as they were made once: it gives nothing back unless it is written anew."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA auto_vacuum=NONE")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert mode_of(file) == 0


async def written_meanwhile(store: Database) -> int:
    """How many transactions one who writes all the time has kept until the room was given back."""
    giving, count = asyncio.create_task(store.give_back()), 0
    while not giving.done():
        await store.transact(lambda uow: uow.settings.set("at work", "yes"))
        count += 1
    await giving
    return count


async def test_others_write_while_room_is_given_back(tmp_path: Path):
    store = new_database(tmp_path)
    file = await fill(store, tmp_path)
    before = file.stat().st_size
    assert await written_meanwhile(store) >= PAGES / PAGES_AT_ONCE
    assert file.stat().st_size < before / 10
    await store.close()
    assert migrate.integrity(url_of(tmp_path)) == []


@pytest.mark.slow
async def test_a_file_of_before_is_written_anew_once_and_gives_room_back_in_steps_from_then_on(tmp_path: Path):
    file = new_file(tmp_path)
    write_as_before(file)
    store = new_database(tmp_path)
    for _ in range(2):
        await fill(store, tmp_path)
        before = file.stat().st_size
        written = await written_meanwhile(store)
        assert file.stat().st_size < before / 10
        assert mode_of(file) == 2
    assert written >= PAGES / PAGES_AT_ONCE
    await store.close()
    assert migrate.integrity(url_of(tmp_path)) == []


def test_a_new_file_gives_room_back_in_steps_even_if_it_was_looked_at_before(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new.sqlite"
    assert migrate.versions(url) == ("", migrate.head())
    migrate.upgrade(url)
    assert mode_of(tmp_path / "new.sqlite") == 2
