"""Followers: a bot of their own, as a process beside the program, that shows and can do nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.app import App
from tests.fakes.command_line import BOT, PATIENCE, bot
from tests.fakes.program import ASKED, BEGIN, STILL, settings_of, write_config
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_chats import Shown

pytestmark = pytest.mark.skipif(
    None in (find_spec("aiogram"), find_spec("matplotlib")), reason="the extra viewer is not installed"
)

ANN, BEN, STRANGER, GROUP = 1001, 555, 666, -100
"""Ann is in `people`, Ben a follower."""
VIEWER = {"followers": [BEN]}
SPAN = {"speed": "max", "wait_for_people": 0, "until_end": True}


async def let_the_bot_run(folder: Path, until: datetime) -> None:
    """The program itself, in this process, up to a market time."""
    settings = settings_of(folder, replay=SPAN | {"end": until.isoformat()}, viewer=VIEWER)
    await App(settings, announce=lambda _: None).run()


@contextmanager
def process(folder: Path, fake: FakeTelegram, **viewer: object) -> Iterator[subprocess.Popen[str]]:
    """``bot viewer`` on the folder's settings, stopped in order at the end."""
    config = write_config(folder, viewer=VIEWER | {"api_url": fake.url} | viewer)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    started = subprocess.Popen(
        [BOT, "viewer", "--config", config],
        env=mine | {"BOT_VIEWER__TOKEN": fake.token},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
        _, err = started.communicate(timeout=PATIENCE)
    assert started.returncode == 0, err
    assert fake.token not in err


@asynccontextmanager
async def viewer(folder: Path, fake: FakeTelegram) -> AsyncIterator[None]:
    """A viewer that has reached Telegram."""
    with process(folder, fake):
        greeted = len(fake.called("setMyCommands"))
        await fake.wait_for(lambda: len(fake.called("setMyCommands")) > greeted, PATIENCE)
        yield


async def ask(fake: FakeTelegram, user: int, text: str, count: int = 1) -> Shown:
    """Write in private, and see what comes back."""
    before = len(fake.messages(user))
    fake.type(user, user, text)
    await fake.wait_for(lambda: len(fake.messages(user)) >= before + count, PATIENCE)
    return fake.messages(user)[-1]


def data_of(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "greenlight.sqlite") as database:
        return list(database.iterdump())


@pytest.mark.slow
async def test_followers_look_subscribe_and_are_sent_each_day_once(tmp_path: Path):
    async with FakeTelegram() as fake:
        await let_the_bot_run(tmp_path, ASKED + timedelta(hours=2))
        kept = data_of(tmp_path)
        async with viewer(tmp_path, fake):
            assert "Equity" in (await ask(fake, BEN, "/status")).text
            assert "2024-01-06" in (await ask(fake, ANN, "/daily")).text
            picture = await ask(fake, BEN, "/chart 7")
            assert picture.photo is not None
            assert picture.text.startswith("Equity in USDT, 7 days")
            assert "/chart" in (await ask(fake, BEN, "/char")).text
            assert "whole number from 1 to 365" in (await ask(fake, BEN, "/chart all")).text
            assert (await ask(fake, BEN, "/subscribe")).text.startswith("Subscribed")
            assert (await ask(fake, BEN, "/subscribe")).text.startswith("You are subscribed already")
            fake.type(STRANGER, STRANGER, "/status")
            fake.type(GROUP, BEN, "/status")
            assert "/unsubscribe" in (await ask(fake, BEN, "/help")).text
            assert fake.texts(STRANGER) == fake.texts(GROUP) == []
            assert data_of(tmp_path) == kept, "looking changes nothing"

            await let_the_bot_run(tmp_path, BEGIN + timedelta(hours=STILL + 23, minutes=59))
            reported = len(fake.messages(BEN)) + 1
            await let_the_bot_run(tmp_path, BEGIN + timedelta(days=6, hours=1))
            await fake.wait_for(lambda: len(fake.messages(BEN)) >= reported, PATIENCE)
            assert fake.texts(BEN)[-1].startswith("2024-01-06:")
        async with viewer(tmp_path, fake):
            assert (await ask(fake, BEN, "/unsubscribe")).text.startswith("Unsubscribed")
        assert [text for text in fake.texts(BEN) if text.startswith("2024-01-06:")] != []
        assert len([text for text in fake.texts(BEN) if text.startswith("2024-01-06:")]) == 1


@pytest.mark.slow
async def test_an_outage_at_the_start_is_waited_out(tmp_path: Path):
    async with FakeTelegram() as fake:
        await let_the_bot_run(tmp_path, ASKED)
        fake.fail(Fault.BAD_GATEWAY)
        with process(tmp_path, fake):
            await fake.wait_for(lambda: fake.calls, PATIENCE)
            fake.recover()
            assert "Equity" in (await ask(fake, BEN, "/status")).text


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "BOT_VIEWER__TOKEN"),
        ({"BOT_VIEWER__TOKEN": "123:abc", "BOT_PEOPLE": "[]", "BOT_VIEWER__FOLLOWERS": "[]"}, "viewer.followers"),
        ({"BOT_VIEWER__TOKEN": "123:abc", "BOT_VIEWER__FOLLOWERS": "[5]"}, "Start the bot first"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_made(tmp_path: Path, variables: dict[str, str], words: str):
    ran = bot(tmp_path, "viewer", **variables)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "var").exists()
