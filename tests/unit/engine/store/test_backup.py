"""Backups of each database come back in each, whole or not at all."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import Boolean, Date, Float, Integer, String, Table, insert, select
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from engine.domain.errors import StoreError
from engine.domain.events import Welcomed
from engine.exchanges.paper_file import VenueFile
from engine.store import connections, migrate
from engine.store.backup import backup, restore
from engine.store.columns import ExactDecimal, UtcTime
from engine.store.database import Database
from engine.store.history import history
from engine.store.unit_of_work import UnitOfWork
from tests.fakes import postgres
from tests.fakes.database import execute, new_file, rows_of_file, tables_of, use_postgres
from tests.fakes.reports import NOON, asked, decision, judged, position
from tests.fakes.venue import fill, order


def _fill(uow: UnitOfWork) -> None:
    entry = order(1)
    uow.account.open("paper", "USDT", Decimal("1000.10"))
    uow.decisions.add(judged(decision=decision(id="D1")))
    uow.approvals.add(asked(id="A1", decision_id="D1"))
    uow.orders.add(entry)
    uow.orders.add_fill(entry, fill(entry, 1, entry.request.quantity), Decimal(0), "T3")
    uow.positions.put(position(), "D1")
    uow.account.record_equity(NOON)
    uow.chat.put_message(message_id=None, audience="", author="bot", at=NOON, card=None, text="grüß dich")
    uow.emit(Welcomed(at=NOON))


MADE_UP: dict[type[Any], Any] = {
    ExactDecimal: Decimal("1.50"),
    UtcTime: NOON,
    Date: NOON.date(),
    Boolean: True,
    Integer: 1,
    Float: 0.5,
    AutoString: "x",
    String: "x",
}
"""What stands in a column of each type, in a table that nothing else has filled."""


def _a_row(table: Table) -> dict[str, Any]:
    return {
        column.name: next(value for kind, value in MADE_UP.items() if isinstance(column.type, kind))
        for column in table.columns
    }


def _fill_the_rest(uow: UnitOfWork) -> None:
    """A row in every table: whatever types the next one has, a backup must have its values."""
    for table in SQLModel.metadata.sorted_tables:
        if uow.connection.execute(select(table)).first() is None:
            uow.connection.execute(insert(table), [_a_row(table)])


async def all_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""

    def read(uow: UnitOfWork) -> dict[str, list[tuple[Any, ...]]]:
        tables = SQLModel.metadata.sorted_tables
        return {each.name: sorted(map(tuple, uow.connection.execute(select(each))), key=repr) for each in tables}

    database = Database(url)
    found = await database.read(read)
    await database.close()
    return found


async def story_of(url: str):
    database = Database(url)
    found = await database.read(
        lambda uow: (history(uow.connection), uow.account.portfolio(), uow.chat.messages(audience="ann"))
    )
    await database.close()
    return found


@pytest.fixture
async def full(each_database: str, tmp_path: Path) -> str:
    """A database with data in it, and a venue's file beside it."""
    database = Database(each_database)
    await database.transact(_fill)
    await database.close()
    VenueFile(tmp_path / "venue.sqlite", "paper", {"USDT": Decimal("1000.10")}).close()
    return each_database


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another database, with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/other/greenlight.sqlite"
        return
    url = use_postgres(tmp_path / "other", migrated=False)
    yield url
    postgres.drop(url)


@pytest.fixture
def saved(full: str, tmp_path: Path) -> Path:
    """A backup of the full database."""
    backup(full, {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "saved.zip")
    return tmp_path / "saved.zip"


async def test_a_backup_of_either_comes_back_whole_in_either(full: str, saved: Path, target: str, tmp_path: Path):
    venue = tmp_path / "other" / "venue.sqlite"
    assert restore(target, {"venue.sqlite": venue}, saved) > 8
    assert await story_of(target) == await story_of(full)
    assert rows_of_file(venue, "SELECT current FROM balances") == [{"current": "1000.10"}]
    assert migrate.integrity(target) == []

    database = Database(target)
    await database.transact(lambda uow: uow.emit(Welcomed(at=NOON)))
    assert (await database.read(lambda uow: history(uow.connection))).events == 2
    await database.close()


async def test_every_table_comes_back_with_every_value(each_database: str, target: str, tmp_path: Path):
    database = Database(each_database)
    await database.transact(_fill)
    await database.transact(_fill_the_rest)
    await database.close()
    VenueFile(tmp_path / "venue.sqlite", "paper", {"USDT": Decimal("1000.10")}).close()
    backup(each_database, {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "saved.zip")
    restore(target, {"venue.sqlite": tmp_path / "other" / "venue.sqlite"}, tmp_path / "saved.zip")
    found = await all_of(target)
    assert found == await all_of(each_database)
    assert all(found.values())


def test_it_can_be_read_by_its_owner_only_and_leaves_nothing_else(saved: Path):
    assert saved.stat().st_mode & 0o777 == 0o600
    assert not list(saved.parent.glob("*.part"))


def test_a_file_that_is_there_is_not_written_over(full: str, saved: Path, tmp_path: Path):
    before = saved.read_bytes()
    with pytest.raises(StoreError, match="is there already"):
        backup(full, {"venue.sqlite": tmp_path / "venue.sqlite"}, saved)
    assert saved.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(full: str, tmp_path: Path):
    with pytest.raises(StoreError, match=r"nowhere/saved\.zip cannot be written"):
        backup(full, {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "nowhere" / "saved.zip")


async def test_what_is_there_is_replaced_only_by_force(full: str, saved: Path, tmp_path: Path):
    venue = tmp_path / "venue.sqlite"
    told = await story_of(full)
    execute(full, "UPDATE balances SET amount = '5'")
    later = await story_of(full)
    with pytest.raises(StoreError, match=r"not empty.*--force"):
        restore(full, {"venue.sqlite": venue}, saved)
    assert await story_of(full) == later != told
    restore(full, {"venue.sqlite": venue}, saved, force=True)
    assert await story_of(full) == told


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob("restore-*"))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _flip(file: Path) -> None:
    """A byte in the middle of what the largest file in it holds; not every byte of a ZIP's own headers is checked."""
    with ZipFile(file) as archive:
        largest = max(archive.infolist(), key=lambda info: info.compress_size)
    data = bytearray(file.read_bytes())
    data[largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2] ^= 0xFF
    file.write_bytes(data)


def _rewritten(file: Path, **changed: bytes) -> None:
    """The same archive, sound as a ZIP, with other contents in some of its files."""
    with ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    named = {name.replace("__", "/").replace("_json", ".json"): data for name, data in changed.items()}
    with ZipFile(file, "w") as archive:
        for name, data in (contents | named).items():
            archive.writestr(name, data)


def _empty_table(file: Path) -> None:
    _rewritten(file, tables__events_jsonl=b"")


def _other_revision(file: Path) -> None:
    with ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    _rewritten(file, manifest_json=json.dumps(manifest | {"revision": "9999"}).encode())


def _orphan(file: Path) -> None:
    """Without its decisions an approval refers to nothing."""
    with ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["tables"]["decisions"] = 0
    _rewritten(file, tables__decisions_jsonl=b"", manifest_json=json.dumps(manifest).encode())


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_cut, "is damaged, or is no backup"),
        (_flip, "is damaged, or is no backup"),
        (_empty_table, "is damaged, or is no backup"),
        (_orphan, "cannot be restored"),
        (_other_revision, "has revision 9999, the program"),
        (lambda file: file.write_text("hello"), "is damaged, or is no backup"),
        (Path.unlink, "cannot be restored: No such file"),
    ],
)
async def test_a_bad_backup_is_refused_and_nothing_is_changed(full: str, saved: Path, tmp_path: Path, harm, words):
    venue = tmp_path / "venue.sqlite"
    told, bytes_before = await story_of(full), venue.read_bytes()
    harm(saved)
    with pytest.raises(StoreError, match=words):
        restore(full, {"venue.sqlite": venue}, saved, force=True)
    assert await story_of(full) == told
    assert venue.read_bytes() == bytes_before
    assert leftovers(tmp_path) == []


def test_a_database_that_is_not_up_to_date_is_not_backed_up(tmp_path: Path):
    with pytest.raises(StoreError, match="Run bot db upgrade"):
        backup(f"sqlite:///{tmp_path}/new.sqlite", {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "saved.zip")
    assert not (tmp_path / "saved.zip").exists()


async def test_a_backup_while_others_write_is_of_one_moment(each_database: str, tmp_path: Path):
    """Each transaction writes two settings and the venue's file, so no backup may have one without the others."""
    venue = tmp_path / "venue.sqlite"
    with closing(sqlite3.connect(venue, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE number (n TEXT)")
        connection.execute("INSERT INTO number VALUES ('0')")
    database, file = Database(each_database), tmp_path / "saved.zip"
    done = asyncio.Event()

    def both(number: int):
        def work(uow: UnitOfWork) -> None:
            uow.settings.set("a", str(number))
            with closing(sqlite3.connect(venue, isolation_level=None)) as connection:
                connection.execute("UPDATE number SET n = ?", (str(number),))
            uow.settings.set("z", str(number))

        return work

    async def write() -> int:
        number = 0
        while not done.is_set():
            number += 1
            await database.transact(both(number))
        return number

    await database.transact(both(0))
    writing = asyncio.create_task(write())
    await asyncio.to_thread(backup, each_database, {"venue.sqlite": venue}, file)
    done.set()
    assert await writing > 0
    await database.close()
    with ZipFile(file) as archive:
        rows = [json.loads(line) for line in archive.read("tables/settings.jsonl").splitlines()]
        copy = archive.extract("venue.sqlite", tmp_path / "copy")
    (at_venue,) = rows_of_file(Path(copy), "SELECT n FROM number")
    assert {row["value"] for row in rows} == {at_venue["n"]}


def test_a_busy_writer_is_waited_for_more_than_once(full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "LOCK_WAIT_MS", 200)
    busy = connections.connect(full, writer=True)
    held = busy.connect()
    held.begin()
    release = Timer(0.3, held.close)
    release.start()
    assert backup(full, {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "late.zip")
    release.join()
    busy.dispose()


def test_a_new_database_of_a_failed_restore_stays_empty(tmp_path: Path):
    url = f"sqlite:///{new_file(tmp_path)}"
    (tmp_path / "bad.zip").write_text("hello")
    with pytest.raises(StoreError):
        restore(url, {"venue.sqlite": tmp_path / "venue.sqlite"}, tmp_path / "bad.zip")
    assert not (tmp_path / "venue.sqlite").exists()
    assert "orders" in tables_of(url)
