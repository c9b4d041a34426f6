"""How followers are answered: the real client against the fake server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from engine.domain.digests import Digest
from handlers.cards.monospace import WIDTH
from handlers.viewer.subscribers import Subscribers
from handlers.viewer.window import Window
from tests.fakes.chat import FakeResults, FakeViews
from tests.fakes.telegram import FakeTelegram

pytestmark = [
    pytest.mark.skipif(find_spec("aiogram") is None, reason="the extra viewer is not installed"),
    pytest.mark.xdist_group("viewer bot"),  # aiogram takes seconds to load
]

BEN = 555


class Days(FakeViews):
    """No day has ended; the first look goes wrong as nobody expected."""

    looks = 0

    async def digests(self, _: int) -> tuple[Digest, ...]:
        self.looks += 1
        if self.looks == 1:
            raise RuntimeError("the disk has gone")
        return ()


async def slowly() -> None:
    """Take a while to read."""
    await asyncio.sleep(0.3)


async def blank(*_: object) -> bytes:
    """No picture."""
    return b""


@asynccontextmanager
async def following(folder: Path, fake: FakeTelegram, *, told_weekly: bool = False) -> AsyncIterator[Days]:
    from handlers.viewer.bot import ViewerBot

    views = Days()
    bot = ViewerBot(
        token=SecretStr(fake.token),
        api_url=fake.url,
        followers={str(BEN)},
        window=Window(views=views, results=FakeResults(), catch_up=slowly, draw=blank, told_weekly=told_weekly),
        subscribers=Subscribers(folder / "viewer.sqlite"),
    )
    running = asyncio.create_task(bot.run())
    try:
        yield views
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.mark.slow
async def test_a_follower_is_answered_in_the_order_of_the_questions(tmp_path: Path) -> None:
    async with FakeTelegram() as fake:
        fake.chat(BEN)
        for text in ("/status", "/help"):
            fake.type(BEN, BEN, text)
        async with following(tmp_path, fake):
            await fake.wait_for(lambda: len(fake.messages(BEN)) == 2)
        first, second = fake.texts(BEN)
        assert first.startswith("Trading")
        assert second.startswith("Greenlight, for followers")


async def test_figures_are_shown_to_followers_with_a_slash_or_without(tmp_path: Path) -> None:
    asked = {
        "/daily 3": "2026-01-03: +34.57 USDT",
        "weekly": "-5.00 USDT (-0.05%) in 2 weeks",
        "/monthly 61": "The number of months is a whole number from 1 to 60.",
        "performance": "+120.50 USDT (+2.50%),\n23 closed trades",
        "Stats": "+120.50 USDT (+2.50%),\n23 closed trades",
        "hello": "There is no command hello.",
        "/logs": "There is no command /logs.",
    }
    async with FakeTelegram() as fake:
        fake.chat(BEN)
        for text in asked:
            fake.type(BEN, BEN, text)
        async with following(tmp_path, fake):
            await fake.wait_for(lambda: len(fake.messages(BEN)) == len(asked))
        for words, said in zip(asked.values(), fake.texts(BEN), strict=True):
            assert said.startswith(words)


async def test_a_stranger_leaves_one_line_with_the_id_and_a_follower_in_a_group_none(tmp_path: Path) -> None:
    async with FakeTelegram() as fake:
        fake.chat(BEN)
        with capture_logs() as logs:
            async with following(tmp_path, fake):
                for _ in range(3):
                    fake.type(666, 666, "/status")
                fake.type(-100, BEN, "/status")
                fake.type(BEN, BEN, "/status")
                await fake.wait_for(lambda: fake.texts(BEN))
        assert fake.texts(666) == []
    assert [(line["user"], line["name"]) for line in logs if line["event"] == "viewer.stranger"] == [(666, "User 666")]


async def test_one_look_for_reports_that_fails_is_not_the_last(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, following(tmp_path, fake) as views:
        await fake.wait_for(lambda: views.looks >= 2)


@pytest.mark.parametrize(("told_weekly", "span"), [(False, "day"), (True, "week")])
async def test_who_subscribes_is_told_what_comes(tmp_path: Path, told_weekly: bool, span: str) -> None:  # noqa: FBT001
    async with FakeTelegram() as fake:
        fake.chat(BEN)
        for text in ("/unsubscribe", "/subscribe", "/help"):
            fake.type(BEN, BEN, text)
        async with following(tmp_path, fake, told_weekly=told_weekly):
            await fake.wait_for(lambda: len(fake.messages(BEN)) == 3)
        assert [f"report of each {span}" in text.replace("\n", " ") for text in fake.texts(BEN)] == [True] * 3


async def test_what_can_be_asked_for_is_readable_on_a_phone(tmp_path: Path) -> None:
    async with FakeTelegram() as fake:
        fake.chat(BEN)
        fake.type(BEN, BEN, "/help")
        async with following(tmp_path, fake):
            await fake.wait_for(lambda: fake.messages(BEN))
        assert max(map(len, fake.texts(BEN)[0].split("\n"))) <= WIDTH
