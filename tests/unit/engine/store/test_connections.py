"""Getting in: what cannot be used is refused in words, and no password is ever in them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from engine.domain.errors import StoreError
from engine.store.connections import connect
from engine.store.database import Database
from tests.fakes import postgres

PASSWORD = "tr0ub4dor"


@pytest.fixture
def guarded() -> Iterator[str]:
    """A database whose server asks this user for a password; the URL has a wrong one."""
    url = postgres.create()
    with postgres.asking_for_passwords():
        yield make_url(url).set(password=PASSWORD).render_as_string(hide_password=False)
    postgres.drop(url)


def everything_said(error: BaseException | None) -> str:
    """The error and all that led to it."""
    return "" if error is None else f"{error!r} {everything_said(error.__cause__)}"


def test_a_folder_of_any_letters_is_opened_where_the_system_has_few(tmp_path: Path):
    """Seen: UnicodeEncodeError of ``LC_ALL=POSIX PYTHONUTF8=0 bot run`` in such a folder."""
    folder = tmp_path / "größe"
    folder.mkdir()
    script = "from engine.store.connections import connect; connect('sqlite:///one.sqlite').connect()"
    few = os.environ | {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=few, check=True)
    assert [file.name for file in folder.glob("*.sqlite")] == ["one.sqlite"]


def test_a_wrong_password_is_refused_and_not_repeated(guarded: str):
    with pytest.raises(StoreError, match="password authentication failed") as refused:
        connect(guarded)
    assert PASSWORD not in everything_said(refused.value)


def test_a_server_that_is_away_is_named_without_the_password():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(StoreError, match=r"server cannot be used: .*BOT_DATABASE__URL") as refused:
            connect(f"postgresql://bot:{PASSWORD}@127.0.0.1:{port}/bot")
    assert PASSWORD not in everything_said(refused.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://bot:{PASSWORD}@host:port/bot", "cannot be read"),
        (f"postgresql://bot:p@{PASSWORD}@host/bot", "with an @ in it: write %40"),
        (f"postgresql+pg8000://bot:{PASSWORD}@host/bot", "must begin with postgresql://"),
        (f"postgres://bot:{PASSWORD}@host/bot", "must begin with postgresql://"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url: str, words: str):
    with pytest.raises(StoreError, match=words) as refused:
        connect(url)
    assert PASSWORD not in everything_said(refused.value)


def test_a_database_that_does_not_exist_is_named():
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        connect(postgres.url_of("nowhere"))


def test_a_folder_is_no_database(tmp_path: Path):
    with pytest.raises(StoreError, match="is a folder, not a file"):
        connect(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_whatever_the_umask_nobody_else_may_read_what_is_made(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        engine = connect(f"sqlite:///{tmp_path}/new/deep/bot.sqlite", writer=True)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE a (b)")
        made = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").rglob("*")}
        engine.dispose()
    finally:
        os.umask(before)
    assert made == {"deep": 0o700, "bot.sqlite": 0o600, "bot.sqlite-wal": 0o600, "bot.sqlite-shm": 0o600}


def test_a_file_that_was_taken_away_is_not_made_again(tmp_path: Path):
    engine = connect(f"sqlite:///{tmp_path}/bot.sqlite")
    (tmp_path / "bot.sqlite").unlink()
    engine.dispose()  # every connection: the next is a new one
    with pytest.raises(OperationalError, match="unable to open"), engine.connect():
        pass
    assert list(tmp_path.glob("bot.sqlite")) == []


async def test_a_connection_that_the_server_dropped_is_replaced(each_database: str):
    database = Database(each_database)
    await database.transact(lambda uow: uow.settings.set("a", "1"))
    if not each_database.startswith("sqlite"):
        postgres.disconnect_all(each_database)
    await database.transact(lambda uow: uow.settings.set("b", "2"))
    assert await database.read(lambda uow: (uow.settings.get("a"), uow.settings.get("b"))) == ("1", "2")
    await database.close()


async def test_who_waits_too_long_for_its_turn_is_told_so_and_writes_nothing():
    url = postgres.create(postgres.blank())
    impatient, holder = Database(f"{url}&options=-c%20lock_timeout%3D50"), connect(url, writer=True)
    with holder.begin(), pytest.raises(StoreError, match="lock timeout"):
        await impatient.transact(lambda uow: uow.settings.set("a", "1"))
    holder.dispose()
    assert await impatient.read(lambda uow: uow.settings.get("a")) is None
    await impatient.close()
    postgres.drop(url)


async def test_a_connection_lost_within_a_transaction_is_a_store_error_and_nothing_is_kept():
    url = postgres.create(postgres.blank())
    database = Database(url)

    def work(uow) -> None:
        uow.settings.set("a", "1")
        postgres.disconnect_all(url)
        uow.settings.set("b", "2")

    with pytest.raises(StoreError, match="could not be used"):
        await database.transact(work)
    assert await database.read(lambda uow: uow.settings.get("a")) is None
    await database.close()
    postgres.drop(url)
