"""The account's files are deleted, moved or replaced under a running bot: entries stop, people know, one bot stays."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from bot.app import App
from bot.instance import read
from config.settings import Settings
from engine.domain.errors import StoreError
from engine.store.open_files import FileReplaced
from tests.fakes.command_line import bot
from tests.fakes.database import url_of, use_postgres
from tests.fakes.plain import PLAIN
from tests.fakes.program import CHAT, TOKEN, address, environ, running, settings_of, write_config
from tests.fakes.telegram import FakeTelegram

PATIENCE = 30


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        fake.chat(CHAT)
        yield fake


def kept_in(folder: Path) -> dict[str, dict[str, str]]:
    """The sections that put the account into a folder of its own."""
    return {"database": {"url": f"sqlite:///{folder}/bot.sqlite"}, "venue": {"file": f"{folder}/venue.sqlite"}}


def settings_in(tmp_path: Path, fake: FakeTelegram) -> Settings:
    return settings_of(tmp_path, fake, **kept_in(tmp_path / "kept"))


@asynccontextmanager
async def asked(settings: Settings) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    """A running bot with a question open, and the API."""
    async with running(settings) as app:
        headers = {"authorization": f"Bearer {TOKEN}"}
        # The watch tries again after as long as the server keeps a connection: what it is about to close is not used.
        limits = httpx.Limits(keepalive_expiry=1)
        async with httpx.AsyncClient(
            base_url=address(app), headers=headers, timeout=PATIENCE, verify=PLAIN, limits=limits
        ) as api:
            async with asyncio.timeout(PATIENCE):
                while not (await api.get("/api/approvals")).json():  # noqa: ASYNC110 - asked over HTTP
                    await asyncio.sleep(0.02)
            yield app, api


async def noticed(app: App, words: str) -> None:
    """Wait until the watch says so."""
    assert app.program is not None
    async with asyncio.timeout(PATIENCE):
        while words not in app.program.chat.storage.health:  # noqa: ASYNC110 - read from outside
            await asyncio.sleep(0.02)


async def told(fake: FakeTelegram, words: str) -> None:
    """Wait until people have been told."""
    async with asyncio.timeout(PATIENCE):
        while not any(words in message.text for message in fake.messages(CHAT)):  # noqa: ASYNC110 - read from outside
            await asyncio.sleep(0.02)


async def ended(app: App) -> None:
    """Wait until it stops by itself."""
    async with asyncio.timeout(PATIENCE):
        await app.stopping.wait()


@pytest.mark.slow
async def test_a_folder_that_is_deleted_stops_entries_and_the_first_bot_ends_once_a_second_one_starts(
    tmp_path: Path, telegram: FakeTelegram
):
    (tmp_path / "second").mkdir()
    config = str(write_config(tmp_path / "second", **kept_in(tmp_path / "kept"), replay={"wait_for_people": "0s"}))

    async def first() -> None:
        async with asked(settings_in(tmp_path, telegram)) as (app, api):
            shutil.rmtree(tmp_path / "kept")
            answer = await api.post("/api/approvals/A1/approve", json={})
            assert answer.status_code == 503, answer.text
            assert "not where it was any more" in answer.json()["detail"]
            await told(telegram, "No new entries")
            assert (await api.get("/health")).json()["status"] == "degraded"
            assert app.program is not None
            assert (await app.program.engine.venues["paper"].events(None)).events == ()

            second = await asyncio.to_thread(bot, tmp_path, "run", "--config", config, "--until-end", **environ())
            assert second.returncode == 0, second.stderr
            await told(telegram, "The bot ends")
            await ended(app)

    with pytest.raises(FileReplaced, match="Another file is in the place of"):
        await first()
    checked = await asyncio.to_thread(bot, tmp_path, "db", "check", "--config", config)
    assert checked.returncode == 0, "the end of the first leaves the second's files alone"


@pytest.mark.slow
async def test_a_folder_that_is_moved_away_and_back_is_gone_on_with(tmp_path: Path, telegram: FakeTelegram):
    async with asked(settings_in(tmp_path, telegram)) as (app, api):
        (tmp_path / "kept").rename(tmp_path / "elsewhere")
        await noticed(app, "not where it was any more")
        await told(telegram, "No new entries")
        assert (await api.post("/api/approvals/A1/approve", json={})).status_code == 503
        (tmp_path / "elsewhere").rename(tmp_path / "kept")
        await noticed(app, "ok")
        await told(telegram, "The storage halt has ended")
        assert (await api.post("/api/approvals/A1/approve", json={})).status_code == 200


@pytest.mark.slow
async def test_people_who_have_the_web_chat_alone_are_told_past_the_database_and_of_its_end(tmp_path: Path):
    async with asked(settings_of(tmp_path, **kept_in(tmp_path / "kept"))) as (app, api):
        assert app.program is not None
        assert app.program.chat.web is not None
        page = httpx.AsyncClient(base_url=address(app), headers={"origin": address(app)}, verify=PLAIN)
        async with page:
            await page.get(f"/enter/{app.program.chat.web.links.issue('p1')}")
            (tmp_path / "kept").rename(tmp_path / "elsewhere")
            stopped = await shown(page, "No new entries: storage halt")
            assert "Put it back as it was" in stopped
            assert 'data-withheld="This cannot be answered now' in stopped
            status = (await api.get("/api/status")).json()
            assert [(halt["kind"], halt["status"]) for halt in status["halts"]] == [("store", "active")]
            assert "not where it was any more" in status["halts"][0]["reason"]
            assert status["status"] == "paused"

            later = await page.get(f"/enter/{app.program.chat.web.links.issue('p2')}")
            assert (later.status_code, "Put it back as it was" in later.text) == (503, True)

            (tmp_path / "elsewhere").rename(tmp_path / "kept")
            over = await shown(page, "The storage halt has ended (H1)")
            assert "No new entries: storage halt" not in over
            assert 'data-withheld=""' in over
            assert (await page.get(later.request.url)).status_code == 303, "their link was not used up"


async def shown(page: httpx.AsyncClient, words: str) -> str:
    """The page, once it shows them."""
    async with asyncio.timeout(PATIENCE):
        while words not in (found := (await page.get("/")).text):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.1)
    return found


@pytest.mark.parametrize("name", ["bot.sqlite", "venue.sqlite", "venue.sqlite.lock"])
async def test_each_of_the_files_counts(tmp_path: Path, name: str):
    settings = settings_of(tmp_path, **kept_in(tmp_path / "kept"))
    async with asked(settings) as (app, api):
        (tmp_path / "kept" / name).unlink()
        await noticed(app, f"kept/{name} is not where it was")
        assert (await api.post("/api/approvals/A1/approve", json={})).status_code == 503


async def test_so_does_the_log_of_the_database_unless_sqlite_makes_another_first(tmp_path: Path):
    """Whoever opens the database next makes one: then another file is in its place, and the bot ends."""
    settings = settings_of(tmp_path, **kept_in(tmp_path / "kept"))
    with suppress(FileReplaced):
        async with asked(settings) as (app, api):
            (tmp_path / "kept/bot.sqlite-wal").unlink()
            await noticed(app, "kept/bot.sqlite-wal is not where it was")
            assert (await api.post("/api/approvals/A1/approve", json={})).status_code == 503


async def test_on_a_server_the_venues_file_counts(tmp_path: Path):
    use_postgres(tmp_path)
    settings = settings_of(tmp_path)
    assert url_of(tmp_path) == settings.database.url
    async with asked(settings) as (app, api):
        settings.venue_file.rename(tmp_path / "elsewhere")
        await noticed(app, "venue.sqlite is not where it was")
        assert (await api.post("/api/approvals/A1/approve", json={})).status_code == 503


async def test_a_copy_put_in_the_place_of_a_file_ends_the_bot(tmp_path: Path):
    async def replaced() -> None:
        file = tmp_path / "kept/venue.sqlite"
        async with asked(settings_of(tmp_path, **kept_in(tmp_path / "kept"))) as (app, _):
            shutil.copy(file, tmp_path / "copy")
            (tmp_path / "copy").replace(file)
            await ended(app)

    with pytest.raises(FileReplaced, match=r"venue\.sqlite"):
        await replaced()


async def test_the_note_of_another_instance_is_left_where_it_is(tmp_path: Path):
    settings = settings_of(tmp_path, **kept_in(tmp_path / "kept"))
    note = tmp_path / "kept/instance.json"
    other = '{"url": "http://127.0.0.1:1", "token": "another"}'
    with suppress(StoreError):
        async with running(settings):
            note.write_text(other)
    assert read(note) is not None
    assert note.read_text() == other
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
