"""Pictures on Slack: uploaded and shared where they were asked for, or the words with why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.domain.charts import Chart
from engine.domain.messages import Card, Incoming
from handlers.charts.illustrating import Draw
from tests.fakes.charts import equity_chart
from tests.fakes.noting import words
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_bot import running
from tests.fakes.slack_http import Fault
from tests.fakes.slack_state import Message

ANN, CHANNEL = "U1", "C1"
PNG = b"\x89PNG\r\n\x1a\n and so on"
CHART = Card(title="Equity <!channel> & more", fields=(("Drawdown", "1.00%"),), picture=equity_chart(1.0, 2.0))


async def drawn(_: Chart) -> bytes:
    return PNG


@asynccontextmanager
async def asked(draw: Draw = drawn) -> AsyncIterator[FakeSlack]:
    """A bot that answers ``/chart`` with a card, and everything else with a word."""

    async def receive(incoming: Incoming) -> Card:
        return CHART if words(incoming) == "/chart" else Card(title="Pong")

    async with FakeSlack() as fake:
        fake.channel(CHANNEL, ANN)
        async with running(fake, receive=receive, draw=draw, names=("chart", "ping")) as bot:
            await fake.wait_for(lambda: bot.platform.health == "ok")
            yield fake
        assert fake.at.complaints == []


def pictures(messages: list[Message]) -> list[Message]:
    return [message for message in messages if message.files]


async def test_who_asks_in_private_gets_the_words_and_then_the_picture_there() -> None:
    async with asked() as fake:
        ann = fake.user(ANN)
        ann.say("/chart")
        await fake.wait_for(lambda: len(ann.messages()) == 2)
        words_, picture = ann.messages()
        assert "Drawdown\n1.00%" in words_.text
        assert (picture.files, picture.thread_ts) == ((PNG,), None)
        (upload,) = fake.methods.files.uploads.values()
        assert (upload.name, upload.alt) == ("chart.png", "from 1 to 2")


async def test_who_mentions_the_bot_in_a_channel_gets_both_in_the_thread() -> None:
    async with asked() as fake:
        fake.user(ANN).mention("/chart", CHANNEL)
        await fake.wait_for(lambda: pictures(fake.messages(CHANNEL)))
        asked_in, (said, picture) = next(iter(fake.channel(CHANNEL).messages.values())), fake.messages(CHANNEL)
        assert said.thread_ts == picture.thread_ts == asked_in.ts


async def test_a_slash_command_is_answered_for_one_alone_and_so_is_its_picture() -> None:
    async with asked() as fake:
        ann = fake.user(ANN)
        ann.command("chart", CHANNEL)
        await fake.wait_for(lambda: pictures(ann.messages()))
        (whispered,) = fake.messages(CHANNEL)
        assert whispered.only_for == ANN
        assert "The picture comes in your direct messages with me." in whispered.text
        assert pictures(fake.messages(CHANNEL)) == []
        assert [message.text for message in ann.messages()] == ["Equity <!channel> & more", ""]


async def test_without_the_scope_the_words_come_and_say_what_to_do() -> None:
    async with asked() as fake:
        fake.scopes.discard("files:write")
        ann = fake.user(ANN)
        ann.say("/chart")
        await fake.wait_for(lambda: len(ann.messages()) == 2)
        assert "Drawdown\n1.00%" in ann.messages()[0].text
        assert ann.messages()[1].text == (
            "There is no picture\nThe picture is missing. Slack refuses: missing_scope: install the app anew from its "
            "manifest."
        )


async def test_through_an_outage_the_picture_is_shared_once() -> None:
    async with asked() as fake:
        fake.fail(Fault.UNAVAILABLE, method="files.getUploadURLExternal", times=1)
        fake.fail(Fault.UNAVAILABLE, method="upload", times=1)
        fake.fail(Fault.CUT, method="files.completeUploadExternal", times=1)
        ann = fake.user(ANN)
        ann.say("/chart")
        await fake.wait_for(lambda: pictures(ann.messages()), timeout=20)
        assert len(ann.messages()) == 2


async def test_nothing_waits_for_a_picture_but_its_own_reply() -> None:
    done = asyncio.Event()

    async def slow(_: Chart) -> bytes:
        await done.wait()
        return PNG

    async with asked(slow) as fake:
        ann = fake.user(ANN)
        ann.say("/chart")
        ann.say("/ping")
        await fake.wait_for(lambda: [message.text for message in ann.messages()] == ["Pong"])
        done.set()
        await fake.wait_for(lambda: pictures(ann.messages()))
