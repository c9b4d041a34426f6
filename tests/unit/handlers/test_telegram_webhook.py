"""Telegram calls us: the real client and the web server's own app, against the fake that delivers until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from engine.domain.messages import Card, Incoming
from engine.store.database import Database
from handlers.telegram import KeptUpdates, WebhookAt, webhook
from tests.fakes.database import new_database
from tests.fakes.noting import Receive, say_nothing, words
from tests.fakes.telegram import FakeTelegram, Fault
from tests.fakes.telegram_bot import Bot, make_bot, running, serving

ANN, BEN, GROUP = 7, 8, -100
PUBLIC = "https://bot.example.org"
SECRET = "a-secret-of-enough-letters"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTelegram]:
    with FakeTelegram() as server:
        yield server


@pytest.fixture
def fake(server: FakeTelegram) -> FakeTelegram:
    server.reset()
    for chat in (ANN, BEN, GROUP):
        server.chat(chat)
    return server


async def echo(heard: Incoming) -> Card:
    return Card(title=f"echo {words(heard)}")


@asynccontextmanager
async def hooked(
    fake: FakeTelegram, *, receive: Receive = say_nothing, keep: KeptUpdates | None = None, **pace: float
) -> AsyncIterator[Bot]:
    """A started bot that is called under a public name."""
    bot = make_bot(fake, receive=receive, keep=keep, webhook=WebhookAt(url=PUBLIC, secret=SecretStr(SECRET), **pace))
    async with serving(bot.platform) as local:
        fake.leads(PUBLIC, local)
        await bot.platform.start()
        try:
            await fake.wait_for(lambda: bot.platform.health == "ok" or fake._troubles)
            yield bot
        finally:
            await bot.platform.stop()


async def called(bot: Bot, content: bytes | None = None, **headers: str) -> httpx.Response:
    """Call the hook as anybody on the network could."""
    transport = httpx.ASGITransport(app=Starlette(routes=list(bot.platform.hooks)))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(webhook.PATH, content=content or b"{}", headers=named)


async def test_the_webhook_is_set_with_its_secret_and_nothing_that_waits_is_dropped(fake: FakeTelegram) -> None:
    fake.type(ANN, ANN, "early")
    async with hooked(fake) as bot:
        await fake.wait_for(lambda: bot.said == ["early"])
        (call,) = fake.called("setWebhook")
    assert call.params["url"] == f"{PUBLIC}/hooks/telegram"
    assert call.params["secret_token"] == SECRET
    assert call.params["allowed_updates"] == '["message", "callback_query"]'
    assert call.params.get("drop_pending_updates", "false") == "false"
    assert fake.called("getUpdates") == []


async def test_what_is_typed_is_heard_and_answered(fake: FakeTelegram) -> None:
    async with hooked(fake, receive=echo):
        fake.type(ANN, ANN, "hello")
        await fake.wait_for(lambda: fake.texts(ANN) == ["echo hello"])
        await fake.wait_for(lambda: fake.api.unconfirmed == [])


@pytest.mark.parametrize("shown", [{}, {"X_Telegram_Bot_Api_Secret_Token": "wrong"}, {"Authorization": SECRET}])
async def test_without_the_right_secret_nothing_is_heard(fake: FakeTelegram, shown: dict[str, str]) -> None:
    async with hooked(fake) as bot:
        update = fake.api._past[fake.type(BEN, BEN, "real")]
        await fake.wait_for(lambda: bot.heard)
        forged = b'{"update_id": 1, "message": ' + httpx.Request("POST", PUBLIC, json=update["message"]).content + b"}"
        answer = await called(bot, forged, **shown)
        right = await called(bot, forged, X_Telegram_Bot_Api_Secret_Token=SECRET)
    assert (answer.status_code, answer.content) == (401, b"")
    assert right.status_code == 200
    assert bot.said == ["real", "real"], "only the one with the secret was heard"


async def test_nonsense_with_the_right_secret_is_not_delivered_for_ever(fake: FakeTelegram) -> None:
    async with hooked(fake) as bot:
        for body in (b"", b"no json", b"[]", b'{"update_id": 1, "message": 7}'):
            answer = await called(bot, body, X_Telegram_Bot_Api_Secret_Token=SECRET)
            assert answer.status_code == 200
    assert bot.heard == []


async def test_only_what_was_handled_is_confirmed(fake: FakeTelegram) -> None:
    go = asyncio.Event()

    async def slowly(heard: Incoming) -> Card:
        await go.wait()
        return await echo(heard)

    async with hooked(fake, receive=slowly) as bot:
        update = fake.type(ANN, ANN, "slow")
        await fake.wait_for(lambda: bot.heard)
        await asyncio.sleep(0.2)
        assert fake.api.unconfirmed == [update]
        go.set()
        await fake.wait_for(lambda: fake.api.unconfirmed == [])
    assert fake.texts(ANN) == ["echo slow"]


@asynccontextmanager
async def stored(folder: Path) -> AsyncIterator[Database]:
    store = new_database(folder)
    try:
        yield store
    finally:
        await store.close()


async def test_what_takes_long_is_kept_and_taken_at_once_and_handled_once(fake: FakeTelegram, tmp_path: Path) -> None:
    """Seen: 503 after five seconds, again and again, because a venue was slow."""
    go = asyncio.Event()

    async def slowly(heard: Incoming) -> Card:
        if words(heard) == "slow":
            await go.wait()
        return await echo(heard)

    async with stored(tmp_path) as store:
        keep = KeptUpdates(store)
        async with hooked(fake, receive=slowly, patience=0.1, keep=keep) as bot:
            updates = [fake.type(ANN, ANN, "slow"), fake.type(ANN, ANN, "next"), fake.type(BEN, BEN, "other")]
            await fake.wait_for(lambda: fake.api.unconfirmed == [])
            assert sorted(fake.courier.delivered) == [(update, 200) for update in updates]
            assert ("slow" in bot.said, fake.texts(ANN), fake.texts(BEN)) == (True, [], ["echo other"])
            assert list(await keep.left()) == updates[:2]
            go.set()
            await fake.wait_for(lambda: fake.texts(ANN) == ["echo slow", "echo next"])
        assert await keep.left() == {}
    assert sorted(heard.delivery_id for heard in bot.heard) == sorted(map(str, updates))


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_what_was_kept_and_not_done_is_taken_again_at_the_next_start(
    fake: FakeTelegram, tmp_path: Path, mode: str
) -> None:
    async def never(_: Incoming) -> None:
        await asyncio.sleep(3600)

    async with stored(tmp_path) as store:
        keep = KeptUpdates(store)
        async with hooked(fake, receive=never, patience=0.1, keep=keep) as bot:
            update = fake.type(ANN, ANN, "slow", date=1_700_000_000)
            await fake.wait_for(lambda: fake.api.unconfirmed == [])
            for task in list(bot.platform._listener._under_way.values()):
                task.cancel()  # as the end does after some seconds
        assert list(await keep.left()) == [update]
        again = hooked(fake, receive=echo, keep=keep) if mode == "webhook" else running(fake, receive=echo, keep=keep)
        async with again as bot:
            await fake.wait_for(lambda: fake.texts(ANN) == ["echo slow"])
        assert await keep.left() == {}
        assert [(heard.delivery_id, heard.sent_at and heard.sent_at.year) for heard in bot.heard] == [
            (str(update), 2023)
        ]


async def test_where_nothing_can_be_kept_telegram_delivers_again_and_it_is_handled_once(
    fake: FakeTelegram,
) -> None:
    go = asyncio.Event()

    async def slowly(heard: Incoming) -> Card:
        await go.wait()
        return await echo(heard)

    async with hooked(fake, receive=slowly, patience=0.1) as bot:
        update = fake.type(ANN, ANN, "slow")
        await fake.wait_for(lambda: fake.courier.delivered.count((update, 503)) >= 2)
        assert bot.said == ["slow"], "who asks again waits for what is under way"
        go.set()
        await fake.wait_for(lambda: fake.api.unconfirmed == [])
    assert {heard.delivery_id for heard in bot.heard} == {str(update)}


async def test_what_comes_while_the_bot_is_away_waits_and_is_heard_at_the_next_start(fake: FakeTelegram) -> None:
    async with hooked(fake):
        pass
    assert fake.api.webhook, "it stays set"
    update = fake.type(ANN, ANN, "in between", date=1_700_000_000)
    await fake.wait_for(lambda: (update, 0) in fake.courier.delivered)
    async with hooked(fake) as bot:
        await fake.wait_for(lambda: bot.said == ["in between"])
    assert fake.api.unconfirmed == []


async def test_presses_that_waited_for_the_start_are_older_than_the_message_they_are_on(fake: FakeTelegram) -> None:
    keyboard = '{"inline_keyboard": [[{"text": "Approve", "callback_data": "approve:A1"}]]}'
    sent = fake.api.call("sendMessage", {"chat_id": str(ANN), "text": "Buy?", "reply_markup": keyboard})
    fake.press(ANN, sent["message_id"], ANN, "Approve")
    async with hooked(fake) as bot:
        await fake.wait_for(lambda: bot.heard and not fake.api.unconfirmed)
        await asyncio.sleep(webhook.CATCHING_UP + 0.2)
        fake.press(ANN, sent["message_id"], BEN, "Approve")
        await fake.wait_for(lambda: len(bot.heard) == 2)
    early, later = bot.heard
    assert early.sent_at is not None
    assert early.sent_at.timestamp() == sent["date"] - 1
    assert later.sent_at is None


async def test_a_repeated_delivery_bears_the_same_id(fake: FakeTelegram) -> None:
    async with hooked(fake) as bot:
        update = fake.type(ANN, ANN, "once")
        await fake.wait_for(lambda: fake.api.unconfirmed == [])
        fake.redeliver(update)
        await fake.wait_for(lambda: len(bot.heard) == 2)
    assert bot.heard[0] == bot.heard[1]


async def test_before_its_start_and_after_its_stop_nothing_is_taken(fake: FakeTelegram) -> None:
    bot = make_bot(fake, webhook=WebhookAt(url=PUBLIC, secret=SecretStr(SECRET)))
    assert (await called(bot, X_Telegram_Bot_Api_Secret_Token=SECRET)).status_code == 503
    await bot.platform.start()
    await bot.platform.stop()
    assert (await called(bot, X_Telegram_Bot_Api_Secret_Token=SECRET)).status_code == 503
    assert bot.heard == []


async def test_a_webhook_that_somebody_took_away_is_told_and_set_again(
    fake: FakeTelegram,
) -> None:
    async with hooked(fake, look_every=0.2) as bot:
        await fake.wait_for(bot.platform._listener.caught_up.is_set)
        fake.api.call("deleteWebhook", {})
        await fake.wait_for(lambda: bot.platform.health == webhook.TAKEN_AWAY)
        await fake.wait_for(lambda: fake.api.webhook == f"{PUBLIC}/hooks/telegram")
        await fake.wait_for(lambda: bot.platform.health == "ok")


async def test_a_webhook_that_telegram_cannot_reach_is_told(
    fake: FakeTelegram,
) -> None:
    async with hooked(fake, look_every=0.2) as bot:
        await fake.wait_for(bot.platform._listener.caught_up.is_set)
        fake.leads(PUBLIC, "http://127.0.0.1:1")
        fake.type(ANN, ANN, "hello?")
        await fake.wait_for(lambda: "Connection refused" in bot.platform.health)


async def test_a_failure_of_the_past_is_no_trouble_while_something_new_is_handled(fake: FakeTelegram) -> None:
    going = asyncio.Event()

    async def slow(_: Incoming) -> None:
        await going.wait()

    async def looks(number: int) -> None:
        seen = len(fake.called("getWebhookInfo"))
        await fake.wait_for(lambda: len(fake.called("getWebhookInfo")) >= seen + number)

    async with hooked(fake, receive=slow, look_every=0.1) as bot:
        await fake.wait_for(bot.platform._listener.caught_up.is_set)
        fake.api.hook.failed("Connection refused", 1_700_000_000)
        await looks(2)
        fake.type(ANN, ANN, "hello?")
        await looks(3)
        assert fake.api.unconfirmed
        assert bot.platform.health == "ok"
        going.set()


async def test_an_outage_at_the_start_is_told_and_survived(fake: FakeTelegram) -> None:
    fake.fail(Fault.BAD_GATEWAY, method="setWebhook")
    async with hooked(fake) as bot:
        await fake.wait_for(lambda: bot.platform.health == "Telegram cannot be reached.")
        fake.recover()
        fake.type(ANN, ANN, "at last")
        await fake.wait_for(lambda: bot.said == ["at last"])
        await fake.wait_for(lambda: bot.platform.health == "ok")
