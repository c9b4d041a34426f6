"""A platform that is away, taken over or called wrongly: what must be seen is seen, what people do counts once."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import App
from tests.fakes.lives import telling
from tests.fakes.mortal import Cut
from tests.fakes.plain import PLAIN
from tests.fakes.program import CHAT, Files, Json, address, browser, cards, question, running, settings_of
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import running as another_bot

pytestmark = pytest.mark.slow

PATIENCE = 60.0
WITHOUT_QUESTIONS = {"web": {"port": 0, "cards": ["trades", "digests"]}, "failover": {"after": "0.5s"}}
PUBLIC = "https://bot.example.org"
SECRET = "a-secret-of-enough-letters"
HOOKED = {"mode": "webhook", "webhook_url": PUBLIC}


def web_cards(files: Files, topic: str) -> list[Json]:
    """The cards of a topic in the web chat's room."""
    rows = files.rows("SELECT card FROM chat_messages WHERE audience = '' ORDER BY id")
    return [card for row in rows if (card := json.loads(row["card"]))["topic"].startswith(topic)]


async def until(holds: Callable[[], Any], what: str) -> Any:
    """What holds, once it does."""
    for _ in range(int(PATIENCE / 0.05)):
        if found := holds():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"never saw {what}")


async def press_in_browser(app: App, user: str, data: str) -> None:
    async with browser(app, user) as page:
        delivery = "00000000-0000-4000-8000-000000000001"
        answer = await page.post("/chat/press", json={"data": data, "delivery_id": delivery})
        assert answer.status_code == 204, answer.text


async def test_a_question_whose_platform_is_down_is_answered_on_another_and_both_show_it(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        fake.fail(Fault.BAD_GATEWAY, method="sendMessage")
        async with running(settings_of(tmp_path, fake, **WITHOUT_QUESTIONS)) as app:
            await until(lambda: web_cards(files, "approval:A1"), "the question in the web chat")
            assert cards(fake) == []
            await press_in_browser(app, "p1", "half:A1")
            await until(lambda: files.approval()["status"] == "ordered", "the order")
            fake.recover()
            await fake.wait_for(lambda: cards(fake) and files.is_quiet(), PATIENCE)
        (shown,), (there,) = cards(fake), web_cards(files, "approval:A1")
        assert shown.text.startswith("Approved half by P1, filled")
        assert shown.labels == []
        assert there["title"].startswith("Approved half by P1, filled")
        assert files.complaints() == []


async def test_what_moved_stays_moved_through_a_restart_and_is_shown_once(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        fake.fail(Fault.BAD_GATEWAY, method="sendMessage")
        settings = settings_of(tmp_path, fake, **WITHOUT_QUESTIONS)
        async with running(settings):
            await until(lambda: web_cards(files, "approval:A1"), "the question in the web chat")
        fake.recover()
        async with running(settings):
            await fake.wait_for(lambda: question(fake) and files.is_quiet(), PATIENCE)
            fake.press(CHAT, question(fake).message_id, 1001, "Reject")
            await until(lambda: files.approval()["status"] == "declined", "the answer")
            await until(files.is_quiet, "everything shown")
        (shown,), (there,) = cards(fake), web_cards(files, "approval:A1")
        assert shown.text.startswith("Declined by P1")
        assert there["title"].startswith("Declined by P1")


async def test_a_platform_that_is_well_keeps_its_questions_to_itself(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        async with running(settings_of(tmp_path, fake, **WITHOUT_QUESTIONS)):
            await fake.wait_for(lambda: question(fake), PATIENCE)
            await asyncio.sleep(2)
        assert web_cards(files, "approval:") == []


async def test_a_second_poller_is_an_alert_on_every_platform_and_trading_goes_on(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        settings = settings_of(tmp_path, fake, web={"port": 0, "cards": ["trades", "alerts"]})
        async with running(settings) as app:
            await fake.wait_for(lambda: question(fake), PATIENCE)
            async with another_bot(fake):
                await fake.wait_for(
                    lambda: any("Telegram is in trouble" in text for text in fake.texts(CHAT)), PATIENCE
                )
                (there,) = await until(lambda: web_cards(files, "platform:"), "the alert in the web chat")
                assert "Another program reads this bot's messages" in json.dumps(there)
                await until(lambda: web_cards(files, "approval:A1"), "the question where it can be answered")
                health = (await _get(app, "/health")).json()
                assert {"name": "telegram", "status": "failing"} in health["parts"] or files.events("PlatformTroubled")
                await press_in_browser(app, "p2", "approve:A1")
                await until(lambda: files.approval()["status"] == "ordered", "the order")
            await fake.wait_for(lambda: any("Telegram works again" in text for text in fake.texts(CHAT)), PATIENCE)
            await until(lambda: "works again" in web_cards(files, "platform:")[0]["title"], "the edit in the web chat")
        assert len([text for text in fake.texts(CHAT) if "Telegram" in text]) == 1, "one card, edited"
        assert files.complaints() == []


async def _get(app: App, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=address(app), verify=PLAIN) as client:
        return await client.get(path)


# By webhook


async def hooked(tmp_path: Path, fake: FakeTelegram, story: Callable[[App], Awaitable[None]]) -> None:
    """Run the program where Telegram calls it, through its own web server under its public name."""
    settings = settings_of(tmp_path, fake, telegram=_telegram(fake))
    async with running(settings) as app:
        fake.leads(PUBLIC, address(app))
        await story(app)


def _telegram(fake: FakeTelegram) -> Json:
    return {"api_url": fake.url, "chat_id": CHAT, "messages_per_second": 30, "poll_timeout": 2} | HOOKED


async def test_by_webhook_a_press_makes_its_one_order_and_a_repeated_delivery_none_even_after_a_restart(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        pressed: list[int] = []

        async def first(_: App) -> None:
            await fake.wait_for(lambda: question(fake), PATIENCE)
            pressed.append(fake.press(CHAT, question(fake).message_id, 1001, "Approve half"))
            await fake.wait_for(lambda: not fake.api.unconfirmed and not question(fake), PATIENCE)
            fake.redeliver(pressed[0])
            await until(lambda: fake.courier.delivered.count((pressed[0], 200)) == 2, "the second delivery")

        async def second(_: App) -> None:
            fake.redeliver(pressed[0])
            await until(lambda: fake.courier.delivered.count((pressed[0], 200)) == 3, "the third delivery")
            fake.type(CHAT, 1002, "/version")
            await fake.wait_for(lambda: not fake.api.unconfirmed, PATIENCE)

        await hooked(tmp_path, fake, first)
        await hooked(tmp_path, fake, second)
        assert fake.called("getUpdates") == []
    assert len(files.rows("SELECT * FROM orders WHERE purpose = 'entry'")) == 1
    assert len(files.rows("SELECT * FROM audit WHERE action LIKE 'pressed%'")) == 1
    assert files.complaints() == []


async def test_by_webhook_what_is_said_between_two_runs_waits_and_is_answered_once(tmp_path: Path):
    async with FakeTelegram() as fake:
        fake.chat(CHAT)

        async def first(_: App) -> None:
            await fake.wait_for(lambda: question(fake), PATIENCE)

        async def second(_: App) -> None:
            await fake.wait_for(lambda: not fake.api.unconfirmed, PATIENCE)
            await fake.wait_for(lambda: "while I was away" in fake.texts(CHAT)[-1], PATIENCE)

        await hooked(tmp_path, fake, first)
        fake.type(CHAT, 1001, "/pause 1h", date=1_700_000_000)
        await hooked(tmp_path, fake, second)
        assert len([text for text in fake.texts(CHAT) if "while I was away" in text]) == 1


@pytest.mark.parametrize(
    "when", ["before submit", *(pytest.param(each, marks=pytest.mark.slow) for each in ("before book", "after submit"))]
)
async def test_by_webhook_a_press_that_a_crash_interrupts_is_delivered_again_and_makes_one_order_at_most(
    tmp_path: Path, when: str
):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with telling(tmp_path) as story:
        story.settings = settings_of(tmp_path, story.fake, telegram=_telegram(story.fake), web={"port": port})
        story.fake.leads(PUBLIC, f"http://127.0.0.1:{port}")
        assert await story.dies_at(Cut(moment=when, number=1))
        unanswered = tuple(story.fake.api.unconfirmed)  # with its intent written the press may be answered already
        assert unanswered or when != "before book"
        await story.comes_back()
        await story.fake.wait_for(lambda: not story.fake.api.unconfirmed and story.is_over(), PATIENCE)
        assert {(update, 200) for update in unanswered} <= set(story.fake.courier.delivered)
        assert story.entry()["status"] == ("rejected" if when == "before submit" else "filled")
        story.must_be_whole()
        assert story.fake.called("getUpdates") == []


async def test_the_hook_refuses_who_does_not_know_the_secret_and_tells_them_nothing(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)

        async def story(app: App) -> None:
            await fake.wait_for(lambda: question(fake), PATIENCE)
            strangers = fake.press(CHAT, question(fake).message_id, 4711, "Approve")
            press = json.loads(json.dumps(fake.api._past[strangers]))
            press["callback_query"]["from"]["id"] = 1001
            async with httpx.AsyncClient(base_url=address(app), verify=PLAIN) as client:
                host = {"host": "bot.example.org"}
                for shown in ({}, {"X-Telegram-Bot-Api-Secret-Token": SECRET}):
                    forged = {**press, "update_id": 1}
                    answer = await client.post("/hooks/telegram", json=forged, headers=host | shown)
                    assert (answer.status_code, answer.content) == (401, b"")
                elsewhere = await client.post("/hooks/telegram", json=press, headers={"host": "evil.example"})
                assert elsewhere.status_code == 400
                big = b"[" + b" " * 300_000 + b"]"
                right = {"X-Telegram-Bot-Api-Secret-Token": fake.api.hook.secret}
                assert (await client.post("/hooks/telegram", content=big, headers=host | right)).status_code == 413

        await hooked(tmp_path, fake, story)
    assert files.approval()["status"] == "pending"


# Presses that must not count (fault 18)


async def test_a_stranger_a_forger_and_who_is_too_late_change_nothing_and_are_audited(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        fake.chat(4711)
        async with running(settings_of(tmp_path, fake)):
            await fake.wait_for(lambda: question(fake), PATIENCE)
            message = question(fake).message_id
            fake.press(CHAT, message, 4711, "Approve")  # a stranger
            fake.press(CHAT, message, 1001, "approve:A99", forged=True)  # no such question
            fake.press(CHAT, message, 1001, "sell:everything", forged=True)  # no such button
            await fake.wait_for(lambda: len(fake.api.answered) == 3 and len(replies(fake, message)) == 2, PATIENCE)
            assert files.approval()["status"] == "pending"
            fake.press(CHAT, message, 1002, "Reject")
            await until(lambda: files.approval()["status"] == "declined", "the answer")
            fake.press(CHAT, message, 1001, "approve:A1", forged=True)  # an old keyboard, or a replay
            await fake.wait_for(lambda: any("Too late" in text for text in replies(fake, message)), PATIENCE)
        outcomes = {
            row["action"]: row["outcome"] for row in files.rows("SELECT action, outcome FROM audit ORDER BY id")
        }
        assert len(files.rows("SELECT * FROM audit")) == 5
        assert outcomes["pressed approve:A99"] == "There is no approval A99."
        assert files.rows("SELECT * FROM orders") == []
        assert files.rows("SELECT outcome FROM audit WHERE person = ''") == [{"outcome": "stranger: no answer"}]


def replies(fake: FakeTelegram, message: int) -> list[str]:
    return [shown.text for shown in fake.messages(CHAT) if shown.reply_to == message]
