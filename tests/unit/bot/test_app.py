"""The program's own life."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.app import App
from config.loader import load
from engine.domain.errors import VenueError
from tests.fakes.left_open import left_open
from tests.fakes.program import environ, settings_of, write_config
from tests.fakes.real_program import environ_at, write
from tests.fakes.venues.binance import DOWN, trading


async def test_what_opens_is_told_once_when_people_can_ask(tmp_path: Path):
    answers: list[int] = []

    def opened() -> None:
        assert app.program
        assert app.program.chat.web
        answers.append(app.program.chat.web.server.port)

    replay = {"until_end": True, "wait_for_people": 0}
    app = App(settings_of(tmp_path, replay=replay), announce=lambda _: None, opened=opened)
    await app.run()
    assert len(answers) == 1
    assert answers[0] > 0


async def test_a_start_while_a_venue_is_away_ends_with_what_becomes_of_what_is_held_and_what_to_do(tmp_path: Path):
    """A stop that stands waits in the database, and whoever starts the program again goes on with it."""
    async with trading(balances={"USDT": "1000"}) as fake:
        fake.meddle = lambda _: DOWN
        settings = load(None, write(tmp_path, fake), {}, environ_at(fake), tmp_path).settings
        with pytest.raises(VenueError, match=r"binance cannot be reached: .* keeps its stops there\. Start again"):
            await App(settings, announce=lambda _: None).run()


async def test_who_ends_it_while_it_waits_for_slack_leaves_no_session_open(tmp_path: Path):
    calls: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    slack = await asyncio.start_server(lambda _, call: calls.put_nowait(call), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{slack.sockets[0].getsockname()[1]}/api/"
    config = write_config(tmp_path, slack={"api_url": url, "channel": "C1"})
    secrets = {"BOT_SLACK__BOT_TOKEN": "xoxb-1", "BOT_SLACK__APP_TOKEN": "xapp-1"}
    settings = load(None, config, {}, environ() | secrets, tmp_path).settings
    left_open()
    life = asyncio.create_task(App(settings, announce=lambda _: None).run())
    call = await calls.get()
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    del life
    assert left_open() == set()
    call.close()
    slack.close()
