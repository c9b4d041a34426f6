"""Pictures on Telegram: a photo with its words below, or the words with why there is no photo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from engine.domain.charts import Chart
from engine.domain.errors import GreenlightError
from engine.domain.messages import Card, Incoming
from handlers.cards.telegram_html import utf16_units
from handlers.charts.illustrating import Draw, Illustrated
from handlers.telegram.photos import CAPTION, as_messages
from tests.fakes.charts import equity_chart
from tests.fakes.noting import words
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import running

ANN = 1001
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + (990).to_bytes(4, "big") + (825).to_bytes(4, "big")
CHART = Card(title="Equity <b>&", fields=(("Drawdown", "1.00%"),), picture=equity_chart(1.0, 2.0))


async def drawn(_: Chart) -> bytes:
    return PNG


@asynccontextmanager
async def asked(card: Card = CHART, draw: Draw = drawn) -> AsyncIterator[FakeTelegram]:
    """A bot that answers ``/chart`` with a card, and everything else with a word."""

    async def receive(incoming: Incoming) -> Card:
        return card if words(incoming) == "/chart" else Card(title="Pong")

    async with FakeTelegram() as fake:
        fake.chat(ANN)
        async with running(fake, receive=receive, draw=draw, answer_timeout=timedelta(seconds=2)) as bot:
            await fake.wait_for(lambda: bot.platform.health == "ok")
            yield fake


async def test_a_picture_is_a_photo_with_its_card_below() -> None:
    async with asked() as fake:
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: fake.messages(ANN))
        (shown,) = fake.messages(ANN)
        assert (shown.photo, shown.text) == (PNG, "Equity <b>&\nDrawdown: 1.00%")


async def test_words_that_are_too_long_for_a_caption_come_after_the_photo() -> None:
    long = Card(title="Equity", text="🚀" * (CAPTION // 2), picture=CHART.picture)
    async with asked(long) as fake:
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: len(fake.messages(ANN)) == 2)
        photo, text = fake.messages(ANN)
        assert (photo.photo, photo.text, text.photo) == (PNG, "", None)
        assert text.text == "Equity\n" + "🚀" * (CAPTION // 2)


@pytest.mark.parametrize(("length", "messages"), [(CAPTION - 2, 1), (CAPTION - 1, 2)])
def test_a_caption_is_counted_as_telegram_counts_it(length: int, messages: int) -> None:
    card = Card(title="E", text="x" * length)
    assert utf16_units(card.plain) == length + 2
    assert len(as_messages(Illustrated(card=card, png=PNG))) == messages


async def test_where_photos_are_not_let_in_the_words_come_and_say_so() -> None:
    async with asked() as fake:
        fake.chat(ANN).no_photos = True
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: fake.messages(ANN))
        (shown,) = fake.messages(ANN)
        assert shown.photo is None
        assert shown.text.startswith("Equity <b>&\nDrawdown: 1.00%\nThe picture is missing. Telegram refuses: ")
        assert "ot enough rights to send photos" in shown.text


async def test_what_cannot_be_drawn_is_told_in_words() -> None:
    async def none(_: Chart) -> bytes:
        raise GreenlightError("Pictures need matplotlib.", "Install it.")

    async with asked(draw=none) as fake:
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: fake.messages(ANN))
        assert fake.texts(ANN) == ["Equity <b>&\nDrawdown: 1.00%\nPictures need matplotlib. Install it."]


async def test_nothing_waits_for_a_picture_but_its_own_reply() -> None:
    done = asyncio.Event()

    async def slow(_: Chart) -> bytes:
        await done.wait()
        return PNG

    async with asked(draw=slow) as fake:
        fake.type(ANN, ANN, "/chart")
        fake.type(ANN, ANN, "/ping")
        await fake.wait_for(lambda: fake.texts(ANN) == ["Pong"])
        done.set()
        await fake.wait_for(lambda: len(fake.messages(ANN)) == 2)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BAD_GATEWAY])
async def test_a_photo_outlives_an_outage(fault: Fault) -> None:
    async with asked() as fake:
        fake.fail(fault, method="sendPhoto", times=2)
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: fake.messages(ANN), timeout=20)
        assert [message.photo for message in fake.messages(ANN)] == [PNG]


async def test_markup_that_telegram_does_not_understand_is_left_out_below_a_photo_too() -> None:
    async with asked() as fake:
        fake.break_markup()
        fake.type(ANN, ANN, "/chart")
        await fake.wait_for(lambda: fake.messages(ANN))
        assert [(shown.photo, shown.text) for shown in fake.messages(ANN)] == [(PNG, "Equity <b>&\nDrawdown: 1.00%")]
