"""The whole program on each database: it makes its tables, asks, is answered, and goes on after every stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.store.database import Database
from engine.store.history import History, history
from tests.fakes import postgres
from tests.fakes.command_line import PATIENCE, bot, question_in
from tests.fakes.database import url_of, use_postgres
from tests.fakes.program import END, Files, Json, browser, running, settings_of, write_config


async def told(folder: Path) -> tuple[History, list[Json]]:
    """The whole story: asked, stopped, answered, stopped, and gone on with to the end of the market.

    Returns:
        What happened, and the orders; without the times and prices, which follow from the second of the answer.
    """
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
    orders = files.rows("SELECT client_id, side, type, purpose, quantity, status FROM orders ORDER BY number")
    for order in orders:
        if order["purpose"] == "protection":
            del order["client_id"]  # made of the second in which the question was answered
    without_types = [{name: str(value) for name, value in order.items()} for order in orders]
    return replace(await history_of(url_of(folder)), fingerprint=""), without_types


async def history_of(url: str) -> History:
    database = Database(url)
    found = await database.read(lambda uow: history(uow.connection))
    await database.close()
    return found


@pytest.fixture
def server_folder(tmp_path: Path):
    """A folder whose database is an empty one on a PostgreSQL server."""
    folder = tmp_path / "server"
    url = use_postgres(folder, migrated=False)
    yield folder
    postgres.drop(url)


@pytest.mark.slow
async def test_the_same_story_is_told_by_both_databases_and_both_are_sound(tmp_path: Path, server_folder: Path):
    file_folder = tmp_path / "file"
    file_folder.mkdir()
    assert await told(server_folder) == await told(file_folder)
    for folder in (server_folder, file_folder):
        checked = await asyncio.to_thread(bot, folder, "db", "check", "--config", str(write_config(folder)))
        assert (checked.returncode, checked.stderr) == (0, "")
        assert checked.stdout.rstrip().endswith(" is sound.")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["from file to server", "from server to file"])
async def test_a_backup_of_a_running_bot_is_gone_on_with_on_the_other_database(
    tmp_path: Path, server_folder: Path, way
):
    other, saved = tmp_path / "file", tmp_path / "saved.zip"
    other.mkdir()
    source, target = (other, server_folder) if way == "from file to server" else (server_folder, other)
    config = {folder: ("--config", str(write_config(folder))) for folder in (source, target)}
    async with running(settings_of(source)) as app, browser(app, "p1") as page:
        asked = await question_in(page)
        await told_to(source, 0, "has all", "db", "backup", str(saved), *config[source])
        await told_to(source, 2, "is in use", "db", "restore", str(saved), *config[source])
    await told_to(source, 2, "not empty", "db", "restore", str(saved), *config[source])

    await told_to(target, 0, f"rows of {saved}", "db", "restore", str(saved), *config[target])
    async with running(settings_of(target)) as app, browser(app, "p1") as page:
        assert await question_in(page) == asked
        assert (await page.post(f"/api/approvals/{asked}/approve", json={})).status_code == 200
    assert Files(folder=target).complaints() == []
    assert len(Files(folder=target).rows("SELECT * FROM fills")) > 0
    assert Files(folder=source).rows("SELECT * FROM fills") == []


async def told_to(folder: Path, code: int, words: str, *command: str) -> None:
    """The program does as it is told, or says why not."""
    ran = await asyncio.to_thread(bot, folder, *command)
    assert (ran.returncode, words in ran.stdout + ran.stderr) == (code, True), ran
    assert "Traceback" not in ran.stderr


def test_a_server_that_is_away_stops_the_start_without_its_password(tmp_path: Path):
    url = "postgresql://bot:tr0ub4dor@127.0.0.1:9/bot"
    for command in (("run",), ("db", "check"), ("db", "upgrade")):
        ran = bot(tmp_path, *command, BOT_DATABASE__URL=url)
        assert ran.returncode == 2
        assert "server cannot be used" in ran.stderr
        assert "tr0ub4dor" not in ran.stderr + ran.stdout
        assert "Traceback" not in ran.stderr


@pytest.mark.slow
async def test_a_bot_of_another_host_is_refused_on_the_same_server(server_folder: Path, tmp_path: Path):
    elsewhere = write_config(server_folder, venue={"file": str(tmp_path / "elsewhere" / "venue.sqlite")})
    async with running(settings_of(server_folder)):
        write_config(server_folder, venue={"file": str(tmp_path / "elsewhere" / "venue.sqlite")})
        for command in (("run", "--until-end"), ("db", "restore", "saved.zip")):
            await told_to(server_folder, 2, "in use: another bot (greenlight pid", *command, "--config", str(elsewhere))


def test_a_candle_file_that_is_missing_leaves_no_database_behind(tmp_path: Path):
    config = write_config(tmp_path, replay={"data": [str(tmp_path / "BTCUSDT-4h.csv")]})
    ran = bot(tmp_path, "run", "--config", str(config))
    assert (ran.returncode, "BTCUSDT-4h.csv" in ran.stderr) == (2, True)
    assert not Files(folder=tmp_path).venue_file.exists()
    assert not (tmp_path / "greenlight.sqlite").exists()
