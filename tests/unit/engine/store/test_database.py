"""The database: all or nothing, snapshots, listeners, and whose it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextvars import Context
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.event import listen

from engine.domain.errors import StoreError
from engine.domain.events import Event, Welcomed
from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import Destination, Ref
from engine.store import migrate
from engine.store.database import PRECEDENCE_FOR, YIELD_FOR, Database, stamp
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import new_database, url_of
from tests.fakes.engine import events_of
from tests.fakes.reports import NOON

ROOM = Destination(platform="web", address="room")
OWNER = {"profile": "demo", "venue": "paper", "market": "generated from seed 7"}


def to_the_room(event: Event) -> dict[str, tuple[Destination, ...]]:
    """Everything is shown in one place."""
    return {"welcome:1": (ROOM,)}


@pytest.fixture
async def shown(tmp_path: Path, each_database: str) -> AsyncIterator[Database]:
    """A database whose events are shown."""
    opened = new_database(tmp_path, route=to_the_room)
    yield opened
    await opened.close()


async def test_a_transaction_that_fails_leaves_nothing_behind(store: Database):
    def work(uow: UnitOfWork) -> None:
        uow.settings.set("a", "1")
        uow.emit(Welcomed(at=NOON))
        uow.decisions.next_id()
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await store.transact(work)
    assert await store.read(lambda uow: uow.settings.get("a")) is None
    assert await events_of(store, Welcomed) == []
    assert await store.transact(lambda uow: uow.decisions.next_id()) == "D1"


async def test_what_a_reader_writes_is_not_kept(store: Database):
    await store.read(lambda uow: uow.settings.set("a", "1"))
    assert await store.read(lambda uow: uow.settings.get("a")) is None


async def test_readers_see_a_whole_transaction_or_none_of_it(store: Database):
    inside, go_on = threading.Event(), threading.Event()

    def work(uow: UnitOfWork) -> None:
        uow.settings.set("a", "1")
        inside.set()
        assert go_on.wait(10)
        uow.settings.set("b", "2")

    writing = asyncio.create_task(store.transact(work))
    await asyncio.to_thread(inside.wait, 10)
    assert await store.read(lambda uow: uow.settings.get("a")) is None
    go_on.set()
    await writing
    assert await store.read(lambda uow: (uow.settings.get("a"), uow.settings.get("b"))) == ("1", "2")


async def test_a_transaction_is_finished_even_when_nobody_waits_for_it_any_more(store: Database):
    inside, go_on = threading.Event(), threading.Event()

    def work(uow: UnitOfWork) -> None:
        inside.set()
        assert go_on.wait(10)
        uow.settings.set("a", "1")

    writing = asyncio.create_task(store.transact(work))
    await asyncio.to_thread(inside.wait, 10)
    writing.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await store.transact(lambda uow: uow.settings.set("b", "2"))
    assert await store.read(lambda uow: uow.settings.get("a")) == "1"


async def test_writers_take_turns_and_numbers_have_no_gaps(store: Database):
    given = await asyncio.gather(*(store.transact(lambda uow: uow.decisions.next_id()) for _ in range(20)))
    assert sorted(given, key=lambda each: int(each[1:])) == [f"D{number}" for number in range(1, 21)]
    assert await store.transact(lambda uow: uow.approvals.next_id()) == "A1"


async def test_an_event_is_kept_and_marks_what_it_shows(shown: Database):
    called: list[bool] = []
    shown.on_shown(lambda: called.append(True))
    await shown.transact(lambda uow: uow.settings.set("a", "1"))
    assert called == []
    await shown.transact(lambda uow: uow.emit(Welcomed(at=NOON)))
    assert called == [True]
    (due,) = await shown.read(lambda uow: uow.outbox.due())
    assert (due.topic, due.destination, due.ref) == ("welcome:1", ROOM, None)
    assert await events_of(shown, Welcomed) == [Welcomed(at=NOON)]


async def test_a_message_that_was_lost_and_found_wakes_the_outbox(shown: Database):
    called: list[bool] = []
    await shown.transact(lambda uow: uow.emit(Welcomed(at=NOON)))
    shown.on_shown(lambda: called.append(True))
    for _ in range(2):
        await shown.transact(lambda uow: uow.register("welcome:1", ROOM, Ref(messages=("7",))))
    assert called == [True]


async def test_it_survives_being_closed(tmp_path: Path, each_database: str):
    for expected in (None, "1"):
        database = new_database(tmp_path)
        assert await database.read(lambda uow: uow.settings.get("a")) == expected
        await database.transact(lambda uow: uow.settings.set("a", "1"))
        await database.close()


async def test_a_database_belongs_to_whoever_came_first(store: Database):
    assert await store.transact(lambda uow: stamp(uow, OWNER))
    assert not await store.transact(lambda uow: stamp(uow, OWNER))


@pytest.mark.parametrize("key", list(OWNER))
async def test_another_profile_venue_or_market_is_refused_and_changes_nothing(store: Database, key: str):
    await store.transact(lambda uow: stamp(uow, OWNER))
    with pytest.raises(StoreError, match=f"belongs to {key} '{OWNER[key]}', not to 'other'.*BOT_DATABASE__URL"):
        await store.transact(lambda uow: stamp(uow, {**OWNER, key: "other"}))
    assert await store.read(lambda uow: uow.settings.get(f"stamp.{key}")) == OWNER[key]


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"cannot be opened as a database.*Nothing was changed"):
        Database(f"sqlite:///{file}")
    assert file.read_text() == "not a database " * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/deep/greenlight.sqlite cannot be made: Not a directory"):
        Database(f"sqlite:///{tmp_path}/file/deep/greenlight.sqlite")


async def test_tables_that_are_missing_are_a_store_error(each_database: str):
    command.downgrade(migrate.config(each_database), "base")
    database = Database(each_database)
    with pytest.raises(StoreError, match=r"no such table|does not exist"):
        await database.read(lambda uow: uow.settings.get("a"))
    await database.close()


async def test_what_waits_is_seen_by_its_own_task_and_committed_when_another_one_reads(store: Database):
    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("a", "1"))
        await store.transact(lambda uow: uow.settings.set("b", "2"))
        assert store.waiting
        assert await store.read(lambda uow: (uow.settings.get("a"), uow.settings.get("b"))) == ("1", "2")
        assert store.waiting
        another = asyncio.create_task(store.read(lambda uow: uow.settings.get("b")), context=Context())
        assert await another == "2"
        assert not store.waiting
        assert await store.read(lambda uow: uow.settings.get("a")) == "1"


async def test_what_waits_is_not_in_the_database_until_it_is_committed(store: Database, tmp_path: Path):
    other = Database(url_of(tmp_path))
    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("a", "1"))
        assert await other.read(lambda uow: uow.settings.get("a")) is None
        await store.flush()
    assert await other.read(lambda uow: uow.settings.get("a")) == "1"
    await other.close()


async def test_what_waits_is_committed_before_another_task_writes(store: Database):
    order: list[str | None] = []
    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("a", "1"))

        def write(uow: UnitOfWork) -> None:
            order.append(uow.settings.get("a"))
            raise RuntimeError("half way")

        with pytest.raises(RuntimeError, match="half way"):
            await asyncio.create_task(store.transact(write), context=Context())
        assert not store.waiting
    assert order == ["1"]
    assert await store.read(lambda uow: uow.settings.get("a")) == "1"


async def test_a_body_that_fails_takes_back_nothing_of_those_before_it(store: Database):
    def fail(uow: UnitOfWork) -> None:
        uow.settings.set("a", "changed")
        uow.decisions.next_id()
        raise RuntimeError("half way")

    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("a", "1"))
        with pytest.raises(RuntimeError, match="half way"):
            await store.transact(fail)
        assert await store.transact(lambda uow: uow.decisions.next_id()) == "D1"
    await store.flush()
    assert await store.read(lambda uow: uow.settings.get("a")) == "1"
    assert await store.transact(lambda uow: uow.decisions.next_id()) == "D2"


async def test_listeners_hear_of_what_waited_when_it_is_committed(shown: Database):
    heard: list[bool] = []
    shown.on_shown(lambda: heard.append(shown.waiting))
    with shown.group_commit():
        await shown.transact(lambda uow: uow.emit(Welcomed(at=NOON)))
        await shown.transact(lambda uow: uow.settings.set("a", "1"))
        assert (heard, shown.has_news) == ([], True)
        await shown.flush()
    assert (heard, shown.has_news) == ([False], False)


async def test_what_waits_is_not_called_kept_because_nobody_waits_for_it_any_more(shown: Database):
    heard: list[bool] = []
    shown.on_shown(lambda: heard.append(shown.waiting))
    go_on = threading.Event()
    before = asyncio.create_task(shown.transact(lambda _: go_on.wait(5)), context=Context())
    await asyncio.sleep(0)
    with shown.group_commit():
        writing = asyncio.create_task(shown.transact(lambda uow: uow.emit(Welcomed(at=NOON))))
        await asyncio.sleep(0)
        flushing = asyncio.create_task(shown.flush())
        await asyncio.sleep(0)
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        assert shown.waiting, "the venue would go on as if the intent were on the disk"
        go_on.set()
        await asyncio.gather(before, writing)
        await shown.flush()
    assert (len(heard), shown.waiting) == (1, False)


async def test_what_happened_is_told_of_in_order_once_it_is_kept_and_what_failed_never_is(store: Database):
    told: list[Event] = []
    store.on_kept(told.extend)
    first, second, lost = (Welcomed(at=NOON + timedelta(hours=hour)) for hour in range(3))

    def fails(uow: UnitOfWork) -> None:
        uow.emit(lost)
        raise ValueError("no luck")

    with store.group_commit():
        await store.transact(lambda uow: uow.emit(first))
        with pytest.raises(ValueError, match="no luck"):
            await store.transact(fails)
        await store.transact(lambda uow: uow.emit(second))
        assert told == []
        await store.flush()
    assert told == [first, second]


async def test_what_is_waiting_when_it_is_closed_in_a_hurry_is_as_if_it_had_never_been(store: Database, tmp_path: Path):
    with store.group_commit():
        await store.transact(lambda uow: uow.settings.set("a", "1"))
    await store.close()
    again = Database(url_of(tmp_path))
    assert await again.read(lambda uow: uow.settings.get("a")) is None
    await again.close()


async def test_what_is_remembered_within_a_batch_is_forgotten_when_it_changes(store: Database):
    def halt(reason: str) -> Halt:
        return Halt(kind=HaltKind.PAUSE, reason=reason, since=NOON)

    async def open_halts() -> list[str]:
        return [found.halt.reason for found in await store.read(lambda uow: uow.halts.open())]

    def fail(uow: UnitOfWork) -> None:
        uow.halts.add(halt("never"))
        assert len(uow.halts.open()) == 2
        raise RuntimeError("half way")

    with store.group_commit():
        await store.transact(lambda uow: uow.halts.add(halt("first")))
        assert await open_halts() == await open_halts() == ["first"]
        with pytest.raises(RuntimeError, match="half way"):
            await store.transact(fail)
        assert await open_halts() == ["first"]
        await store.transact(lambda uow: uow.connection.execute(text("UPDATE halts SET reason = 'changed'")))
        assert await open_halts() == ["changed"]
        await store.transact(lambda uow: uow.halts.end("H1", NOON))
        assert await open_halts() == []
        await store.flush()


async def test_way_is_given_to_who_reads_but_not_for_ever(store: Database):
    may_end = threading.Event()
    reading = asyncio.create_task(store.read(lambda _: may_end.wait()))
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    await store.yield_to_callers()
    assert asyncio.get_running_loop().time() - began >= YIELD_FOR / 2
    assert not reading.done()
    may_end.set()
    await reading


async def test_who_writes_together_gives_way_before_reading_while_nothing_waits_as_well(store: Database):
    now = asyncio.get_running_loop().time
    end = store.take_precedence()
    began = now()
    with store.group_commit():
        await store.read(lambda _: None)
    assert now() - began >= YIELD_FOR / 2
    end()


async def test_who_writes_together_gives_way_also_to_who_came_while_it_was_reading(store: Database):
    """Seen: what a replay did next with what it had read, 10 ms of it, before somebody was answered."""
    now, may_end = asyncio.get_running_loop().time, threading.Event()

    async def read_together() -> float:
        with store.group_commit():
            await store.read(lambda _: may_end.wait(30))
        return now()

    reading = asyncio.create_task(read_together())
    await asyncio.sleep(0.01)
    end, began = store.take_precedence(), now()
    may_end.set()
    assert await reading - began >= YIELD_FOR / 2
    end()


async def test_way_is_given_to_who_is_answered_between_two_reads_too(store: Database):
    now = asyncio.get_running_loop().time
    end = store.take_precedence()
    await store.read(lambda _: None)
    began = now()
    await store.yield_to_callers()
    assert now() - began >= YIELD_FOR / 2
    end()
    waiting = asyncio.ensure_future(store.yield_to_callers())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert waiting.done()


async def test_who_is_answered_is_waited_for_but_not_for_ever(store: Database):
    now = asyncio.get_running_loop().time
    end = store.take_precedence()
    waiting = asyncio.ensure_future(store.yield_to_answers())
    await asyncio.sleep(0)
    assert not waiting.done()
    end()
    await asyncio.wait_for(waiting, 5)
    store.take_precedence()
    began = now()
    await store.yield_to_answers()
    assert now() - began >= PRECEDENCE_FOR / 2


async def test_what_one_batch_has_read_is_known_to_the_next_until_anybody_else_writes(tmp_path: Path):
    ours, theirs = new_database(tmp_path), Database(url_of(tmp_path))
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.extend(word for word in statement.split() if word in ("halts", "settings"))

    def work(uow: UnitOfWork) -> tuple[int, str | None]:
        listen(uow.connection, "before_cursor_execute", hear)
        return len(uow.halts.open()), uow.settings.get("said")

    def write(uow: UnitOfWork) -> None:
        uow.halts.add(Halt(kind=HaltKind.PAUSE, reason="theirs", since=NOON))
        uow.settings.set("said", "by them")

    assert await ours.transact(work) == (0, None)
    asked.clear()
    assert await ours.transact(work) == (0, None)
    assert asked == []
    await theirs.transact(write)
    assert await ours.transact(work) == (1, "by them")
    await ours.close()
    await theirs.close()


async def test_what_one_look_reads_twice_is_asked_for_once_and_what_it_writes_is_seen(store: Database):
    await store.transact(lambda uow: uow.halts.add(Halt(kind=HaltKind.PAUSE, reason="first", since=NOON)))
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement.split(maxsplit=1)[0])

    def work(uow: UnitOfWork) -> list[str]:
        uow.halts.open()
        listen(uow.connection, "before_cursor_execute", hear)
        before = uow.halts.open()
        uow.connection.execute(text("UPDATE halts SET reason = 'changed'"))
        return [found.halt.reason for found in (*before, *uow.halts.open())]

    assert await store.read(work) == ["first", "changed"]
    assert asked == ["UPDATE", "SELECT"]
    await store.transact(lambda uow: uow.halts.end("H1", NOON))
    assert await store.read(lambda uow: uow.halts.open()) == (), "each look begins anew"


@pytest.mark.parametrize("do", ["read", "transact"])
async def test_what_is_looked_for_in_vain_is_an_error_and_not_a_wait_without_end(store: Database, do: str):
    with pytest.raises(RuntimeError, match="not there"):
        await asyncio.wait_for(getattr(store, do)(lambda _: next(iter(()))), 5)
