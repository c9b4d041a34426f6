"""The whole program on each database: it makes its tables, asks, is answered, and goes on after every stop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.database import Database
from engine.store.history import History, history
from tests.fakes import postgres
from tests.fakes.database import url_of, use_postgres
from tests.fakes.program import END, Files, browser, running, settings_of, write_config

BOT = Path(sys.executable).with_name("bot")
PATIENCE = 60.0


async def question_in(page) -> str:
    """The id of the one open question, once it is asked."""
    async with asyncio.timeout(PATIENCE):
        while not (found := (await page.get("/api/approvals")).json()):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)
    return found[0]["id"]


async def told(folder: Path) -> History:
    """The whole story: asked, stopped, answered, stopped, and gone on with to the end of the market."""
    settings, files = settings_of(folder), Files(folder=folder)
    async with running(settings) as app, browser(app, "p1") as page:
        asked = await question_in(page)
    async with running(settings) as app, browser(app, "p1") as page:
        assert await question_in(page) == asked
        answer = await page.post(f"/api/approvals/{asked}/approve", json={})
        assert (answer.status_code, answer.json()["status"]) == (200, "ordered")
    async with running(settings) as app, asyncio.timeout(PATIENCE):
        while app.program.engine.clock.now() < END:  # noqa: ASYNC110 - read from outside
            await asyncio.sleep(0.05)
    assert files.complaints() == []
    assert len(files.rows("SELECT * FROM orders WHERE purpose = 'entry'")) == 1
    return await history_of(url_of(folder))


async def history_of(url: str) -> History:
    database = Database(url)
    found = await database.read(lambda uow: history(uow.session))
    await database.close()
    return found


@pytest.fixture
def server_folder(tmp_path: Path):
    """A folder whose database is an empty one on a PostgreSQL server."""
    folder = tmp_path / "server"
    url = use_postgres(folder, migrated=False)
    yield folder
    postgres.drop(url)


async def test_the_same_story_is_told_by_both_databases_and_both_are_sound(tmp_path: Path, server_folder: Path):
    file_folder = tmp_path / "file"
    file_folder.mkdir()
    assert await told(server_folder) == await told(file_folder)
    for folder in (server_folder, file_folder):
        checked = await asyncio.to_thread(bot, folder, "db", "check", "--config", str(write_config(folder)))
        assert (checked.returncode, checked.stderr) == (0, "")
        assert checked.stdout.rstrip().endswith(" is sound.")


def test_a_server_that_is_away_stops_the_start_without_its_password(tmp_path: Path):
    url = "postgresql://bot:tr0ub4dor@127.0.0.1:9/bot"
    for command in (("run",), ("db", "check"), ("db", "upgrade")):
        ran = bot(tmp_path, *command, BOT_DATABASE__URL=url)
        assert ran.returncode == 2
        assert "server cannot be used" in ran.stderr
        assert "tr0ub4dor" not in ran.stderr + ran.stdout
        assert "Traceback" not in ran.stderr


def bot(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | more
    return subprocess.run(
        [BOT, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
