"""The database is locked, full, damaged or away (fault 28): entries stop, people are told, and it comes back by itself.

No order is sent whose intent is not stored; stops at the venue stand meanwhile.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import StoreError
from engine.domain.halts import Halt
from engine.domain.messages import Card, CardKind, Destination, Ref
from engine.exchanges.paper_file import VenueFile
from engine.execution.reconcile import agree
from engine.outbox.outbox import OutboxSender
from engine.store.connections import connect
from engine.store.database import Database
from engine.store.open_files import OpenFiles
from engine.store.storage_health import StorageWatch
from handlers.direct import DirectTeller
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.auditor import check_conservation
from tests.fakes import postgres
from tests.fakes.command_line import bot
from tests.fakes.database import new_file, url_of, use_postgres
from tests.fakes.engine import DAY, Room, engine_room
from tests.fakes.program import write_config

CHAT = Destination(platform="chat", address="7")
PLACES = {CHAT: tuple(CardKind)}
DEAF = Destination(platform="deaf", address="8")
PATIENCE = 30


class Wall:
    """A platform that keeps what it shows, by message."""

    name = "chat"

    def __init__(self, place: Destination = CHAT) -> None:
        self.place = place
        self.is_away = False
        self.shown: dict[str, Card] = {}
        self.puts: list[str] = []

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:
        assert to == self.place, "there is one place"
        assert under is None
        if self.is_away:
            raise OSError("away")
        ref = ref or Ref(messages=(f"m{len(self.shown) + 1}",))
        self.shown[ref.messages[0]] = card
        self.puts.append(card.title)
        return ref


@asynccontextmanager
async def watched(room: Room, *walls: Wall) -> AsyncIterator[StorageWatch]:
    """The watch at work, which tries again without delay."""
    places = {wall.place: tuple(CardKind) for wall in walls}
    teller = DirectTeller(platforms={wall.place.platform: wall for wall in walls}, places=places)

    async def tell(halt: Halt) -> dict[Destination, Ref]:
        from engine.domain.halt_views import HaltView
        from handlers.cards import alerts

        return await teller.show(alerts.halt(HaltView(id="", halt=halt)))

    files = OpenFiles([])
    watch = StorageWatch(
        store=room.store,
        clock=room.clock,
        tell=tell,
        check=files.check,
        give_up=_never,
        wait=lambda _: asyncio.sleep(0.05),
    )
    working = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _never(error: StoreError) -> None:
    raise AssertionError(error)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - read from outside
            await asyncio.sleep(0.01)


async def write_on(room: Room) -> None:
    """Decide candle after candle, until the disk is full."""
    for hour in range(1, 50):
        room.clock.to(DAY + hour * 60)
        await room.cycle()


async def set_pragma(room: Room, pragma: str) -> None:
    await room.store.transact(lambda uow: uow.connection.exec_driver_sql(f"PRAGMA {pragma}"))


async def test_a_full_disk_stops_entries_and_they_come_back_by_themselves(tmp_path: Path):
    wall = Wall()
    async with engine_room(tmp_path, route=routes(PLACES)) as room, watched(room, wall) as watch:
        await room.enter()
        held = await room.held()
        outbox = OutboxSender(
            store=room.store,
            platforms={"chat": wall},
            render=Notifications(room.views).card,
            is_urgent=lambda _: True,
            monotonic=room.clock.monotonic,
            on_refused=lambda *_: None,
        )
        await outbox.flush()
        await set_pragma(room, "max_page_count = 1")  # as much as there is: not a page more
        sent = await room.venue.events(None)
        with pytest.raises(StoreError, match="full"):
            await write_on(room)
        await until(lambda: bool(wall.puts) and wall.puts[-1].startswith("No new entries"))
        assert "full" in watch.health
        stopped = wall.shown[f"m{len(wall.shown)}"]
        assert "Stops and targets stand at the venue" in stopped.text
        assert await room.venue.events(None) == sent, "nothing was sent that is not written down"
        assert [view.protected for view in await room.views.positions()] == [True]

        messages = len(wall.shown)
        engine = room.store._write_engine
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await until(lambda: watch.health == "ok")
        await outbox.flush()
        assert wall.puts[-1].startswith("The storage halt has ended")
        assert len(wall.shown) == messages, "the message that told of it tells of its end"
        assert await room.held() == held
        room.clock.to(DAY + 51 * 60)
        await room.cycle()
        await agree(room.store, room.venue, room.orchestrator, room.clock.now())


async def test_a_database_locked_by_another_process_is_waited_for_and_then_given_up(tmp_path: Path):
    wall = Wall()
    async with engine_room(tmp_path, route=routes(PLACES)) as room, watched(room, wall) as watch:
        await set_pragma(room, "user_version = 1")
        with room.store._write_engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        with closing(sqlite3.connect(tmp_path / "greenlight.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                await room.enter()
            await until(lambda: bool(wall.puts))
            assert "locked" in watch.health
            assert (await room.venue.events(None)).events == ()
            other.execute("ROLLBACK")
        await until(lambda: watch.health == "ok")
        room.clock.to(DAY + 60)
        await room.enter()
        assert len(await room.held()) == 1
        assert check_conservation(tmp_path / "venue.sqlite") == []


async def test_the_end_is_told_where_it_was_told_that_it_began_and_nowhere_else(tmp_path: Path):
    wall, deaf = Wall(), Wall(DEAF)
    deaf.is_away = True
    route = routes(PLACES | {DEAF: tuple(CardKind)})
    async with engine_room(tmp_path, route=route) as room, watched(room, wall, deaf) as watch:
        await set_pragma(room, "max_page_count = 1")
        with pytest.raises(StoreError, match="full"):
            await write_on(room)
        await until(lambda: bool(wall.puts))
        deaf.is_away = False
        with room.store._write_engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await until(lambda: watch.health == "ok")
        halts = [showing for showing in await room.store.read(lambda uow: uow.outbox.due()) if "halt" in showing.topic]
        assert [showing.destination for showing in halts] == [CHAT]
        assert halts[0].ref is not None
        events = await room.store.read(lambda uow: uow.connection.exec_driver_sql("SELECT kind FROM events").all())
        assert [kind for (kind,) in events if "Halt" in kind] == ["Halted", "HaltEnded"]


async def test_a_server_that_restarts_stops_entries_until_it_is_back(tmp_path: Path):
    wall, url = Wall(), use_postgres(tmp_path)
    async with engine_room(tmp_path, route=routes(PLACES)) as room, watched(room, wall) as watch:
        name = url.rpartition("/")[2].partition("?")[0]
        postgres.execute(postgres.server(), f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        postgres.disconnect_all(url)
        with pytest.raises(StoreError):
            await room.enter()
        await until(lambda: bool(wall.puts))
        assert (await room.venue.events(None)).events == ()
        postgres.execute(postgres.server(), f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await until(lambda: watch.health == "ok")
        room.clock.to(DAY + 60)
        await room.enter()
        assert [view.protected for view in await room.views.positions()] == [True]
    postgres.drop(url)


async def test_an_order_whose_acknowledgement_could_not_be_written_is_found_and_not_sent_twice(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        with room.store._write_engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(tmp_path / "greenlight.sqlite", isolation_level=None)
        room.venue.on_taken = lambda: other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            await room.enter()
        other.execute("ROLLBACK")
        other.close()
        room.venue.on_taken = None
        assert await room.orchestrator.next_look() is not None
        room.clock.to(DAY + 5)
        await room.orchestrator.look_again()
        assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
            ("entry", "filled"),
            ("protection", "open"),
        ]
        await agree(room.store, room.venue, room.orchestrator, room.clock.now())


async def test_a_card_that_was_shown_and_not_written_down_is_not_shown_again_and_again(tmp_path: Path):
    wall = Wall()
    async with engine_room(tmp_path, route=routes(PLACES)) as room:
        await room.enter()
        due = len(await room.store.read(lambda uow: uow.outbox.due()))
        outbox = OutboxSender(
            store=room.store,
            platforms={"chat": wall},
            render=Notifications(room.views).card,
            is_urgent=lambda _: True,
            monotonic=room.clock.monotonic,
            on_refused=lambda *_: None,
        )
        with room.store._write_engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")
        with closing(sqlite3.connect(tmp_path / "greenlight.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(5):
                await outbox.flush()
                room.clock.at = room.clock.at.replace(minute=room.clock.at.minute + 1)
            assert len(wall.puts) == 1
            other.execute("ROLLBACK")
        await outbox.flush()
        assert len(wall.puts) == due


def test_a_damaged_file_stops_the_start_and_is_left_as_it_is(tmp_path: Path):
    file = new_file(tmp_path)
    connect(url_of(tmp_path), writer=True).dispose()
    whole = bytearray(file.read_bytes())
    whole[4096 * 10 : 4096 * 20] = b"\xa5" * (4096 * 10)
    file.write_bytes(whole)
    backup = tmp_path / "saved.zip"
    backup.write_bytes(b"the backup")
    ran = bot(tmp_path, "run", "--config", str(write_config(tmp_path)))
    assert (ran.returncode, "is damaged" in ran.stderr, "bot db restore" in ran.stderr) == (2, True, True), ran
    assert "Traceback" not in ran.stderr
    assert file.read_bytes() == bytes(whole)
    assert backup.read_bytes() == b"the backup"


async def test_damage_found_while_it_runs_is_trouble_of_the_store(tmp_path: Path):
    file = new_file(tmp_path)
    database = Database(url_of(tmp_path))
    whole = bytearray(file.read_bytes())
    whole[4096:] = b"\xa5" * (len(whole) - 4096)
    file.write_bytes(bytes(whole))
    with pytest.raises(StoreError, match="could not be used"):
        await database.read(lambda uow: uow.orders.newest(5))
    await database.close()


@pytest.mark.parametrize("name", ["greenlight.sqlite", "venue.sqlite"])
def test_nothing_is_saved_from_damaged_files_as_if_they_were_whole(tmp_path: Path, name):
    config = ("--config", str(write_config(tmp_path)))
    new_file(tmp_path)
    VenueFile(tmp_path / "venue.sqlite", "paper", {"USDT": Decimal(1)}).close()
    with (tmp_path / name).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 3)
        file.write(b"\xde\xad" * (size // 3))
    saved = bot(tmp_path, "db", "backup", str(tmp_path / "saved.zip"), *config)
    assert (saved.returncode, "Traceback" in saved.stderr) == (2, False), saved
    assert "saved" not in "".join(file.name for file in tmp_path.iterdir())
    if name == "greenlight.sqlite":
        checked = bot(tmp_path, "db", "check", *config)
        assert (checked.returncode in (1, 2), "Traceback" in checked.stderr) == (True, False), checked
