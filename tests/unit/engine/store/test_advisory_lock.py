"""Two hosts on one database server: the second is refused, whatever becomes of the first one's connection."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import make_url

from engine.domain.errors import StoreError
from engine.store.advisory_lock import TAKE, alone_on_server
from engine.store.database import Database
from tests.fakes import postgres
from tests.fakes.database import rows_of

PATIENCE = 30
ANOTHER = "greenlight pid 7 on another host"


@pytest.fixture
def url() -> Iterator[str]:
    made = postgres.create(postgres.blank())
    yield made
    postgres.drop(made)


async def write(database: Database, value: str) -> None:
    await database.transact(lambda uow: uow.settings.set("a", value))


def value(url: str) -> str | None:
    found = rows_of(url, "SELECT value FROM settings WHERE key = 'a'")
    return found[0]["value"] if found else None


@contextmanager
def another_bot(url: str) -> Iterator[bool]:
    """The session of a bot on another host; whether it was let in."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, application_name=ANOTHER, autocommit=True) as session:
        (taken,) = session.execute(TAKE.encode()).fetchone() or (False,)
        yield taken


async def test_a_second_bot_is_refused_by_name_and_others_may_look(url: str):
    with another_bot(url) as is_in:
        assert is_in
        with pytest.raises(StoreError, match=f"in use: another bot .{ANOTHER}.*Stop that one first"):
            Database(url, alone=True)
        with pytest.raises(StoreError, match="in use"), alone_on_server(url):
            pass
        tool = Database(url)  # a backup, or a status
        await write(tool, "1")
        await tool.close()


async def test_a_bot_keeps_every_other_out_until_it_ends(url: str):
    first = Database(url, alone=True)
    await write(first, "1")
    with another_bot(url) as is_in:
        assert not is_in
    await first.close()
    with alone_on_server(url), another_bot(url) as is_in:
        assert not is_in
    with another_bot(url) as is_in:
        assert is_in


@pytest.mark.slow
def test_another_of_the_same_process_is_waited_for_and_then_refused(url: str):
    """A session of our own may be one that is only just ending."""
    with (
        alone_on_server(url),
        pytest.raises(StoreError, match=f"greenlight pid {os.getpid()} on"),
        alone_on_server(url),
    ):
        pass


async def test_a_bot_whose_connection_was_cut_takes_the_lock_again_before_it_writes(url: str):
    first = Database(url, alone=True)
    postgres.disconnect_all(url)
    await write(first, "1")
    with another_bot(url) as is_in:
        assert not is_in
    await first.close()


async def test_a_bot_that_lost_the_lock_to_another_writes_nothing_until_it_has_it_again(url: str):
    first = Database(url, alone=True)
    await write(first, "first")
    postgres.disconnect_all(url)
    with another_bot(url):
        for _ in range(3):
            with pytest.raises(StoreError, match="in use: another bot"):
                await write(first, "first again")
        assert value(url) == "first"
    await write(first, "first again")
    assert value(url) == "first again"
    await first.close()


def _hold(url: str, ready: object) -> None:
    with alone_on_server(url):
        ready.set()
        signal.pause()


@pytest.mark.slow
def test_a_process_that_is_killed_lets_go(url: str):
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    other = spawn.Process(target=_hold, args=(url, ready))
    other.start()
    try:
        assert ready.wait(PATIENCE)
        with pytest.raises(StoreError, match=f"greenlight pid {other.pid} on"), alone_on_server(url):
            pass
    finally:
        other.kill()
        other.join(PATIENCE)
    for _ in range(100):  # the server sees it off in its own time
        try:
            with alone_on_server(url):
                break
        except StoreError:
            continue
    else:
        pytest.fail("the lock outlived its process")


def test_a_file_is_guarded_by_its_own_lock(tmp_path):
    with alone_on_server(f"sqlite:///{tmp_path}/a.sqlite"), alone_on_server(f"sqlite:///{tmp_path}/a.sqlite"):
        pass
