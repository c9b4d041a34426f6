"""Each rule of the fake Bot API server, broken once with plain requests; its answers' shapes, beside recorded ones."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from tests.fakes.plain import PLAIN
from tests.fakes.telegram import FakeTelegram, Fault

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GREENLIGHT_DATA", ROOT.parent / "shared" / "data")) / "telegram" / "nutgram"
recorded = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded payloads are not here (GREENLIGHT_DATA)")

CHAT = 7
GROUP = -100
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeTelegram]:
    with FakeTelegram(answer_within=15) as server:
        yield server


@pytest.fixture
def fake(server: FakeTelegram) -> FakeTelegram:
    server.reset()
    server.chat(CHAT)
    server.chat(GROUP)
    return server


class Raw:
    """Calls methods without any library between."""

    def __init__(self, http: httpx.AsyncClient, fake: FakeTelegram) -> None:
        self._http = http
        self._fake = fake

    async def answer(self, method: str, *, token: str = "", **params: Any) -> httpx.Response:
        url = f"{self._fake.url}/bot{token or self._fake.token}/{method}"
        return await self._http.post(url, data={key: _encoded(value) for key, value in params.items()})

    async def ok(self, method: str, **params: Any) -> Any:
        body = (await self.answer(method, **params)).json()
        assert body["ok"], body
        return body["result"]

    async def refused(self, method: str, **params: Any) -> tuple[int, str]:
        response = await self.answer(method, **params)
        body = response.json()
        assert not body["ok"], body
        assert body["error_code"] == response.status_code
        return response.status_code, body["description"]

    async def say(self, text: str = "hello", **params: Any) -> Json:
        message: Json = await self.ok("sendMessage", **{"chat_id": CHAT, "text": text, **params})
        return message


def _encoded(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
async def raw(fake: FakeTelegram) -> AsyncIterator[Raw]:
    async with httpx.AsyncClient(timeout=5, verify=PLAIN) as http:
        yield Raw(http, fake)


def keyboard(*data: str) -> Json:
    return {
        "inline_keyboard": [[{"text": f"Button {index}", "callback_data": each} for index, each in enumerate(data)]]
    }


# Who asks, and how


async def test_a_malformed_token_is_not_found_and_a_wrong_one_unauthorized(raw: Raw) -> None:
    assert await raw.refused("getMe", token="nonsense") == (404, "Not Found")
    assert await raw.refused("getMe", token="1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1") == (401, "Unauthorized")


async def test_an_unknown_method_is_not_found(raw: Raw) -> None:
    assert await raw.refused("sendFax") == (404, "Not Found: method not found")


async def test_parameters_may_come_by_query_form_multipart_and_json(fake: FakeTelegram) -> None:
    url = f"{fake.url}/bot{fake.token}/sendMessage"
    params = {"chat_id": CHAT, "text": "x", "reply_markup": json.dumps(keyboard("a"))}
    nested = {**params, "reply_markup": keyboard("a"), "disable_notification": True}
    async with httpx.AsyncClient(verify=PLAIN) as http:
        answers = [
            await http.get(url, params=params),
            await http.post(url, data=params),
            await http.post(url, data=params, files={"unused": b"x"}),
            await http.post(url, json=nested),
        ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [message.labels for message in fake.messages(CHAT)] == [["Button 0"]] * 4


async def test_get_me_names_the_bot(fake: FakeTelegram, raw: Raw) -> None:
    me = await raw.ok("getMe")
    assert (me["username"], me["is_bot"]) == (fake.username, True)


# Texts


async def test_a_text_of_4096_utf16_units_is_taken_and_one_more_is_not(raw: Raw) -> None:
    await raw.say("😀" * 2048)
    too_long = (400, "Bad Request: message is too long")
    assert await raw.refused("sendMessage", chat_id=CHAT, text="😀" * 2048 + "x") == too_long


async def test_the_length_counts_after_the_tags_are_taken_out(raw: Raw) -> None:
    await raw.say(f"<b>{'x' * 4095}&amp;</b>", parse_mode="HTML")


async def test_a_text_of_blanks_or_empty_tags_is_empty(raw: Raw) -> None:
    for text in ("", " \n ", "<b> </b>"):
        refused = await raw.refused("sendMessage", chat_id=CHAT, text=text, parse_mode="HTML")
        assert refused == (400, "Bad Request: message text is empty")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("é<x>", 'Unsupported start tag "x" at byte offset 2'),
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("é</b>", "Unexpected end tag at byte offset 2"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("a <", "Unclosed start tag at byte offset 2"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
    ],
)
async def test_broken_markup_is_refused_with_its_place(raw: Raw, text: str, complaint: str) -> None:
    refused = await raw.refused("sendMessage", chat_id=CHAT, text=text, parse_mode="HTML")
    assert refused == (400, f"Bad Request: can't parse entities: {complaint}")


async def test_only_the_four_named_entities_and_numbers_are_decoded(raw: Raw) -> None:
    sent = await raw.say("&lt;&gt;&amp;&quot;&#33;&#x1F600; &copy; & &lt", parse_mode="HTML")
    assert sent["text"] == '<>&"!😀 &copy; & &lt'


async def test_entities_come_back_with_offsets_in_utf16_units(raw: Raw) -> None:
    text = '  😀<b>bold <i>both</i></b> <a href="https://a.example/?x=1&amp;y">link</a><pre>fix</pre>'
    sent = await raw.say(text, parse_mode="HTML")
    assert sent["text"] == "😀bold both linkfix"
    assert sent["entities"] == [
        {"offset": 2, "length": 9, "type": "bold"},
        {"offset": 7, "length": 4, "type": "italic"},
        {"offset": 12, "length": 4, "type": "text_link", "url": "https://a.example/?x=1&y"},
        {"offset": 16, "length": 3, "type": "pre"},
    ]


async def test_without_a_parse_mode_tags_are_text(raw: Raw) -> None:
    assert (await raw.say("<b>x</b>"))["text"] == "<b>x</b>"
    assert await raw.refused("sendMessage", chat_id=CHAT, text="x", parse_mode="Prose") == (
        400,
        "Bad Request: unsupported parse_mode",
    )


# Chats


async def test_unknown_chats_and_people_who_blocked_the_bot_are_refused(fake: FakeTelegram, raw: Raw) -> None:
    assert await raw.refused("sendMessage", text="x") == (400, "Bad Request: chat_id is empty")
    assert await raw.refused("sendMessage", chat_id=404, text="x") == (400, "Bad Request: chat not found")
    fake.block(CHAT)
    blocked = (403, "Forbidden: bot was blocked by the user")
    assert await raw.refused("sendMessage", chat_id=CHAT, text="x") == blocked


async def test_message_ids_grow_by_chat_and_count_what_people_write(fake: FakeTelegram, raw: Raw) -> None:
    first = await raw.say()
    fake.type(CHAT, CHAT, "hi")
    after = await raw.say()
    elsewhere = await raw.say(chat_id=GROUP)
    assert (first["message_id"], after["message_id"], elsewhere["message_id"]) == (1, 3, 1)


async def test_a_reply_to_nothing_is_refused_unless_allowed(raw: Raw) -> None:
    missing = (400, "Bad Request: message to be replied not found")
    assert await raw.refused("sendMessage", chat_id=CHAT, text="x", reply_parameters={"message_id": 9}) == missing
    await raw.say(reply_parameters={"message_id": 9, "allow_sending_without_reply": True})
    reply = await raw.say(reply_parameters={"message_id": 1})
    assert reply["reply_to_message"]["message_id"] == 1


async def test_get_chat_and_chat_actions_know_the_chat(raw: Raw) -> None:
    assert (await raw.ok("getChat", chat_id=GROUP))["type"] == "supergroup"
    assert await raw.ok("sendChatAction", chat_id=CHAT, action="typing") is True
    assert await raw.refused("getChat", chat_id=404) == (400, "Bad Request: chat not found")


# Buttons and edits


@pytest.mark.parametrize(
    ("data", "fits"), [("x" * 64, True), ("é" * 32, True), ("x" * 65, False), ("é" * 33, False), ("", False)]
)
async def test_a_button_carries_1_to_64_bytes(raw: Raw, data: str, *, fits: bool) -> None:
    response = await raw.answer("sendMessage", chat_id=CHAT, text="x", reply_markup=keyboard(data))
    assert response.json().get("description", "") == ("" if fits else "Bad Request: BUTTON_DATA_INVALID")


async def test_a_button_needs_a_text_and_something_to_do(raw: Raw) -> None:
    for button in ({"callback_data": "a"}, {"text": "a"}):
        markup = {"inline_keyboard": [[button]]}
        code, description = await raw.refused("sendMessage", chat_id=CHAT, text="x", reply_markup=markup)
        assert (code, description[:46]) == (400, "Bad Request: can't parse inline keyboard butto")


async def test_an_edit_that_changes_nothing_is_refused(raw: Raw) -> None:
    sent = await raw.say("<b>x</b>", parse_mode="HTML", reply_markup=keyboard("a"))
    same = {"chat_id": CHAT, "message_id": sent["message_id"], "text": "<b>x</b> ", "parse_mode": "HTML"}
    words = (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )
    not_modified = (400, words)
    assert await raw.refused("editMessageText", **same, reply_markup=keyboard("a")) == not_modified
    edited = await raw.ok("editMessageText", **same, reply_markup=keyboard("b"))
    assert "edit_date" in edited
    assert "reply_markup" not in await raw.ok("editMessageText", **same)
    markup = {"chat_id": CHAT, "message_id": sent["message_id"]}
    assert await raw.refused("editMessageReplyMarkup", **markup) == not_modified


async def test_what_is_not_there_or_not_the_bots_own_cannot_be_edited_deleted_or_pinned(
    fake: FakeTelegram, raw: Raw
) -> None:
    fake.type(CHAT, CHAT, "mine")
    mine, nothing = {"chat_id": CHAT, "message_id": 1}, {"chat_id": CHAT, "message_id": 9}
    refusals = {
        ("editMessageText", "nothing"): await raw.refused("editMessageText", **nothing, text="x"),
        ("editMessageText", "mine"): await raw.refused("editMessageText", **mine, text="x"),
        ("deleteMessage", "nothing"): await raw.refused("deleteMessage", **nothing),
        ("pinChatMessage", "nothing"): await raw.refused("pinChatMessage", **nothing),
        ("unpinChatMessage", "mine"): await raw.refused("unpinChatMessage", **mine),
    }
    assert refusals == {
        ("editMessageText", "nothing"): (400, "Bad Request: message to edit not found"),
        ("editMessageText", "mine"): (400, "Bad Request: message can't be edited"),
        ("deleteMessage", "nothing"): (400, "Bad Request: message to delete not found"),
        ("pinChatMessage", "nothing"): (400, "Bad Request: message to pin not found"),
        ("unpinChatMessage", "mine"): (400, "Bad Request: message to unpin not found"),
    }


async def test_a_deleted_message_cannot_be_edited(raw: Raw) -> None:
    sent = await raw.say()
    where = {"chat_id": CHAT, "message_id": sent["message_id"]}
    await raw.ok("deleteMessage", **where)
    assert await raw.refused("editMessageText", **where, text="x") == (400, "Bad Request: message to edit not found")


async def test_a_pin_leaves_a_notice_in_the_chat(fake: FakeTelegram, raw: Raw) -> None:
    sent = await raw.say()
    await raw.ok("pinChatMessage", chat_id=CHAT, message_id=sent["message_id"])
    (update,) = await raw.ok("getUpdates")
    assert update["message"]["pinned_message"]["message_id"] == sent["message_id"]
    assert fake.chat(CHAT).pinned == [sent["message_id"]]


# Presses


async def press(fake: FakeTelegram, raw: Raw) -> Json:
    sent = await raw.say(reply_markup=keyboard("a"))
    fake.press(CHAT, sent["message_id"], CHAT, "Button 0")
    (update,) = await raw.ok("getUpdates")
    query: Json = update["callback_query"]
    return query


TOO_OLD = (400, "Bad Request: query is too old and response timeout expired or query ID is invalid")


async def test_a_press_must_be_answered_in_time_and_may_be_answered_twice(fake: FakeTelegram, raw: Raw) -> None:
    query = await press(fake, raw)
    assert query["data"] == "a"
    for _ in range(2):
        assert await raw.ok("answerCallbackQuery", callback_query_id=query["id"]) is True
    fake.api.queries[query["id"]] -= 16
    assert await raw.refused("answerCallbackQuery", callback_query_id=query["id"]) == TOO_OLD


async def test_a_press_that_never_was_cannot_be_answered(raw: Raw) -> None:
    assert await raw.refused("answerCallbackQuery", callback_query_id="1") == TOO_OLD


async def test_people_press_only_buttons_that_are_there_unless_they_forge_them(fake: FakeTelegram, raw: Raw) -> None:
    sent = await raw.say(reply_markup=keyboard("a"))
    with pytest.raises(AssertionError, match="no button"):
        fake.press(CHAT, sent["message_id"], CHAT, "b")
    fake.press(CHAT, sent["message_id"], CHAT, "b", forged=True)
    assert (await raw.ok("getUpdates"))[0]["callback_query"]["data"] == "b"


# Updates


async def test_updates_come_again_until_a_higher_offset_confirms_them(fake: FakeTelegram, raw: Raw) -> None:
    first, second = fake.type(CHAT, CHAT, "1"), fake.type(CHAT, CHAT, "2")
    for _ in range(2):
        assert [update["update_id"] for update in await raw.ok("getUpdates")] == [first, second]
    assert [update["update_id"] for update in await raw.ok("getUpdates", limit=1)] == [first]
    assert [update["update_id"] for update in await raw.ok("getUpdates", offset=second)] == [second]
    assert [update["update_id"] for update in await raw.ok("getUpdates")] == [second]
    assert await raw.ok("getUpdates", offset=second + 1) == []
    fake.redeliver(first)
    assert [update["update_id"] for update in await raw.ok("getUpdates", offset=second + 1)] == [first]


async def test_a_negative_offset_keeps_only_the_last(fake: FakeTelegram, raw: Raw) -> None:
    *_, last = [fake.type(CHAT, CHAT, text) for text in "123"]
    assert [update["update_id"] for update in await raw.ok("getUpdates", offset=-1)] == [last]
    assert fake.api.unconfirmed == [last]


async def test_a_long_poll_returns_as_soon_as_there_is_something(fake: FakeTelegram, raw: Raw) -> None:
    poll = asyncio.create_task(raw.ok("getUpdates", timeout=50))
    await fake.wait_for(lambda: fake.api.poll)
    fake.type(CHAT, CHAT, "news")
    assert [update["message"]["text"] for update in await poll] == ["news"]


async def test_a_second_poll_ends_the_first(fake: FakeTelegram, raw: Raw) -> None:
    first = asyncio.create_task(raw.refused("getUpdates", timeout=50))
    await fake.wait_for(lambda: fake.api.poll)
    assert await raw.ok("getUpdates") == []
    assert await first == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"url": "http://bot.example.org/x"}, "An HTTPS URL must be provided"),
        ({"url": "https://bot.example.org:9000/x"}, "only on ports 80, 88, 443 or 8443"),
        ({"url": "https://bot.example.org/x", "secret_token": "not a token"}, "unallowed characters"),
        ({"url": "https://bot.example.org/x", "secret_token": "x" * 257}, "unallowed characters"),
        ({"url": "https://bot.example.org/x", "max_connections": 101}, "max_connections"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(raw: Raw, params: Json, words: str) -> None:
    code, description = await raw.refused("setWebhook", **params)
    assert code == 400
    assert words in description
    assert (await raw.ok("getWebhookInfo"))["url"] == ""


async def test_what_is_known_of_a_webhook_is_told_and_forgotten_with_it(fake: FakeTelegram, raw: Raw) -> None:
    fake.type(CHAT, CHAT, "hello")
    await raw.ok("setWebhook", url="https://bot.example.org/x", allowed_updates=["message"], secret_token="s" * 20)
    info = await raw.ok("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == ("https://bot.example.org/x", 1)
    assert (info["allowed_updates"], info["max_connections"]) == (["message"], 40)
    assert "last_error_message" not in info
    await raw.ok("deleteWebhook")
    assert (await raw.ok("getWebhookInfo"))["pending_update_count"] == 1
    await raw.ok("setWebhook", url="https://bot.example.org/x", drop_pending_updates=True)
    assert (await raw.ok("getWebhookInfo"))["pending_update_count"] == 0


class Callee:
    """A web server that a webhook leads to; it takes an update where a test lets it."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.calls: list[tuple[int, str, str]] = []
        """For each call the update's id, the secret, and the host it was called under."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = json.loads((await receive())["body"])
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        secret = headers.get("x-telegram-bot-api-secret-token", "")
        self.calls.append((body["update_id"], secret, headers["host"]))
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def callee() -> AsyncIterator[tuple[Callee, str]]:
    app = Callee()
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield app, f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_a_webhook_is_called_with_its_secret_until_it_takes_what_waits_each_persons_own_in_order(
    fake: FakeTelegram, raw: Raw, callee: tuple[Callee, str]
) -> None:
    app, local = callee
    app.statuses = [401, 503]
    fake.leads("https://bot.example.org", local)
    first, second = fake.type(CHAT, CHAT, "one"), fake.type(CHAT, CHAT, "two")
    await raw.ok("setWebhook", url="https://bot.example.org/x", secret_token="right")
    await fake.wait_for(lambda: fake.api.unconfirmed == [])
    assert app.calls == [(update, "right", "bot.example.org") for update in (first, first, first, second)]
    assert fake.courier.delivered == [(first, 401), (first, 503), (first, 200), (second, 200)]
    info = await raw.ok("getWebhookInfo")
    assert info["last_error_message"].startswith("Wrong response from the webhook: 503")


async def test_one_persons_update_that_is_not_taken_holds_up_no_other_persons(
    fake: FakeTelegram, raw: Raw, callee: tuple[Callee, str]
) -> None:
    app, local = callee
    app.statuses = [500] * 3
    fake.leads("https://bot.example.org", local)
    await raw.ok("setWebhook", url="https://bot.example.org/x")
    stuck = fake.type(CHAT, CHAT, "stuck")
    await fake.wait_for(lambda: app.calls)
    other = fake.type(8, 8, "mine")
    await fake.wait_for(lambda: other in [update for update, *_ in app.calls])
    assert stuck in fake.api.unconfirmed
    await fake.wait_for(lambda: fake.api.unconfirmed == [])


async def test_setting_a_webhook_ends_an_open_poll(fake: FakeTelegram, raw: Raw) -> None:
    poll = asyncio.create_task(raw.refused("getUpdates", timeout=20))
    await fake.wait_for(lambda: fake.api.poll)
    await raw.ok("setWebhook", url="https://bot.example.org/x")
    assert (await poll)[0] == 409


# Topics


async def test_a_message_goes_into_the_topic_it_names_and_says_so(fake: FakeTelegram, raw: Raw) -> None:
    fake.topic(GROUP, 45)
    sent = await raw.say(chat_id=GROUP, message_thread_id=45)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (45, True)
    general = await raw.say(chat_id=GROUP)
    assert "message_thread_id" not in general


@pytest.mark.parametrize("topic", [1, 99])
async def test_a_topic_that_does_not_exist_is_refused(fake: FakeTelegram, raw: Raw, topic: int) -> None:
    """Nor can the general topic be named, though it has the number 1."""
    fake.topic(GROUP, 45)
    refused = await raw.refused("sendMessage", chat_id=GROUP, text="x", message_thread_id=topic)
    assert refused == (400, "Bad Request: message thread not found")


async def test_a_closed_topic_is_refused(fake: FakeTelegram, raw: Raw) -> None:
    fake.topic(GROUP, 45).closed = True
    refused = await raw.refused("sendMessage", chat_id=GROUP, text="x", message_thread_id=45)
    assert refused == (400, "Bad Request: TOPIC_CLOSED")


@recorded
async def test_what_is_written_in_a_topic_is_shaped_like_a_recorded_one(fake: FakeTelegram) -> None:
    fake.topic(GROUP, 45)
    update = fake.api._past[fake.type(GROUP, CHAT, "x", topic=45)]
    theirs = json.loads((DATA / "Updates" / "message_different_topic.json").read_text())["message"]
    ours = update["message"]
    assert ours["chat"]["is_forum"] is theirs["chat"]["is_forum"] is True
    assert ours["is_topic_message"] is theirs["is_topic_message"] is True
    assert type(ours["message_thread_id"]) is type(theirs["message_thread_id"]) is int


async def test_there_is_no_polling_while_a_webhook_is_set(raw: Raw) -> None:
    assert (await raw.refused("setWebhook", url="http://plain.example"))[0] == 400
    await raw.ok("setWebhook", url="https://hook.example")
    assert (await raw.ok("getWebhookInfo"))["url"] == "https://hook.example"
    code, description = await raw.refused("getUpdates")
    assert (code, description[:60]) == (409, "Conflict: can't use getUpdates method while webhook is activ")
    await raw.ok("deleteWebhook")
    assert await raw.ok("getUpdates") == []


async def test_only_the_kinds_that_were_asked_for_are_queued_and_the_wish_is_remembered(
    fake: FakeTelegram, raw: Raw
) -> None:
    await raw.ok("getUpdates", allowed_updates=["callback_query"])
    fake.type(CHAT, CHAT, "unheard")
    assert await raw.ok("getUpdates") == []
    await raw.ok("getUpdates", allowed_updates=[])
    fake.type(CHAT, CHAT, "heard")
    assert len(await raw.ok("getUpdates")) == 1


# The menu


@pytest.mark.parametrize(
    ("commands", "complaint"),
    [
        ([("Status", "x")], "BOT_COMMAND_INVALID"),
        ([("a" * 33, "x")], "BOT_COMMAND_INVALID"),
        ([("a-b", "x")], "BOT_COMMAND_INVALID"),
        ([("status", "")], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([("status", "x" * 257)], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([(f"c{number}", "x") for number in range(101)], "BOT_COMMANDS_TOO_MUCH"),
    ],
)
async def test_a_menu_keeps_to_its_limits(raw: Raw, commands: list[tuple[str, str]], complaint: str) -> None:
    listed = [{"command": command, "description": description} for command, description in commands]
    assert await raw.refused("setMyCommands", commands=listed) == (400, f"Bad Request: {complaint}")


async def test_a_menu_is_kept(raw: Raw) -> None:
    menu = [{"command": "a" * 32, "description": "x" * 256}]
    await raw.ok("setMyCommands", commands=menu)
    assert await raw.ok("getMyCommands") == menu


# Flood control and outages


async def test_a_flood_is_refused_and_everything_to_that_chat_until_it_is_over(fake: FakeTelegram, raw: Raw) -> None:
    fake.limit(2, window=0.9, retry_after=1)
    sent = [await raw.say() for _ in range(2)]
    flooded = (429, "Too Many Requests: retry after 1")
    assert await raw.refused("sendMessage", chat_id=CHAT, text="x") == flooded
    started = time.monotonic()
    await asyncio.sleep(0.2)
    edit = {"chat_id": CHAT, "message_id": sent[0]["message_id"], "text": "y"}
    assert await raw.refused("sendMessage", chat_id=CHAT, text="x") == flooded
    assert await raw.refused("editMessageText", **edit) == flooded
    await raw.say(chat_id=GROUP)
    await asyncio.sleep(1 - (time.monotonic() - started))
    await raw.say()


@pytest.mark.parametrize(("fault", "done"), [(Fault.CUT, 0), (Fault.LOST, 1)])
async def test_a_cut_connection_gives_no_answer_and_a_lost_answer_was_executed(
    fake: FakeTelegram, raw: Raw, fault: Fault, done: int
) -> None:
    fake.fail(fault, method="sendMessage", times=1)
    with pytest.raises(httpx.TransportError):
        await raw.say()
    assert len(fake.messages(CHAT)) == done
    await raw.say()


@pytest.mark.parametrize(("fault", "code"), [(Fault.BAD_GATEWAY, 502), (Fault.HTML, 200)])
async def test_a_broken_front_answers_with_a_page(fake: FakeTelegram, raw: Raw, fault: Fault, code: int) -> None:
    fake.fail(fault)
    answer = await raw.answer("getMe")
    assert (answer.status_code, answer.text[:6]) == (code, "<html>")
    fake.recover()
    await raw.ok("getMe")


async def test_a_hanging_server_answers_nothing_until_it_is_over(fake: FakeTelegram, raw: Raw) -> None:
    fake.fail(Fault.HANG)
    call = asyncio.create_task(raw.say())
    done, _ = await asyncio.wait({call}, timeout=0.1)
    assert not done
    fake.recover()
    with pytest.raises(httpx.TransportError):
        await call
    assert fake.messages(CHAT) == []


async def test_a_stopped_server_refuses_connections_and_comes_back_with_everything() -> None:
    async with FakeTelegram() as fake, httpx.AsyncClient(verify=PLAIN) as http:
        raw = Raw(http, fake)
        fake.type(CHAT, CHAT, "kept")
        await raw.say()
        await asyncio.to_thread(fake.stop)
        with pytest.raises(httpx.ConnectError):
            await raw.say()
        await asyncio.to_thread(fake.start)
        assert [update["message"]["text"] for update in await raw.ok("getUpdates")] == ["kept"]
        assert fake.texts(CHAT) == ["hello"]


# Shapes


def shape(value: Any) -> Any:
    """A payload with every value replaced by its type."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def unlike(ours: Any, theirs: Any, optional: set[str], path: str = "") -> list[str]:
    """Where two shapes differ, but for keys that Telegram may leave out."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        odd = [f"{path}.{key}" for key in ours.keys() ^ theirs.keys() if key not in optional]
        return odd + [
            o for key in ours.keys() & theirs.keys() for o in unlike(ours[key], theirs[key], optional, f"{path}.{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        return unlike(ours[0], theirs[0], optional, f"{path}[]") if ours and theirs else []
    return [] if ours == theirs else [path]


OPTIONAL = {"last_name", "language_code", "is_premium"}


def recording(file: str) -> Json:
    payload: Json = json.loads((DATA / file).read_text())
    return payload


@recorded
@pytest.mark.parametrize(
    ("file", "text"), [("text", "aaaa"), ("message", "Ciao"), ("command", "/test"), ("command_tag_wrong", "/test@bar")]
)
async def test_a_message_has_the_shape_of_a_recorded_one(fake: FakeTelegram, raw: Raw, file: str, text: str) -> None:
    fake.type(CHAT, CHAT, text)
    (update,) = await raw.ok("getUpdates")
    theirs = recording(f"Updates/{file}.json")
    assert unlike(shape(update), shape(theirs), OPTIONAL) == []
    assert update["message"].get("entities") == theirs["message"].get("entities")


@recorded
async def test_a_press_has_the_shape_of_a_recorded_one(fake: FakeTelegram, raw: Raw) -> None:
    sent = await raw.say(reply_markup=keyboard("a", "b"))
    fake.press(CHAT, sent["message_id"], CHAT, "a")
    (update,) = await raw.ok("getUpdates")
    assert unlike(shape(update), shape(recording("Updates/callback_query.json")), OPTIONAL) == []


@recorded
async def test_a_pin_has_the_shape_of_a_recorded_one(fake: FakeTelegram, raw: Raw) -> None:
    sent = await raw.say()
    await raw.ok("pinChatMessage", chat_id=CHAT, message_id=sent["message_id"])
    (update,) = await raw.ok("getUpdates")
    assert unlike(shape(update), shape(recording("Updates/pinned_message.json")), OPTIONAL) == []


@recorded
async def test_an_edited_reply_has_the_shape_of_a_recorded_one(raw: Raw) -> None:
    asked = await raw.say()
    sent = await raw.say(reply_parameters={"message_id": asked["message_id"]})
    edited = await raw.ok("editMessageText", chat_id=CHAT, message_id=sent["message_id"], text="new")
    theirs = recording("Updates/edited_message.json")["edited_message"]
    assert unlike(shape(edited), shape(theirs), OPTIONAL) == []


@recorded
async def test_a_flood_is_refused_in_the_recorded_words(fake: FakeTelegram, raw: Raw) -> None:
    fake.limit(0, retry_after=14)
    answer = await raw.answer("sendMessage", chat_id=CHAT, text="x")
    assert (answer.status_code, answer.json()) == (429, recording("Responses/too_many_requests.json"))


@recorded
async def test_a_refusal_has_the_shape_of_a_recorded_one(raw: Raw) -> None:
    body = (await raw.answer("sendMessage", chat_id=404, text="x")).json()
    theirs = recording("Responses/wrong_file_id.json")
    assert shape(body) == shape(theirs)
    assert body["description"].partition(":")[0] == theirs["description"].partition(":")[0]


# Photos


def png(width: int, height: int, size: int = 100) -> bytes:
    """What looks like a PNG of that size."""
    head = b"\x89PNG\r\n\x1a\n" + bytes(8) + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return head.ljust(size, b"\0")


@pytest.mark.parametrize(
    ("photo", "caption", "refusal"),
    [
        (png(990, 825), "x" * 1024, ""),
        (png(990, 825), "", ""),
        (png(990, 825), "x" * 1025, "message caption is too long"),
        (png(9000, 1001), "", "PHOTO_INVALID_DIMENSIONS"),
        (png(2100, 100), "", "PHOTO_INVALID_DIMENSIONS"),
        (png(990, 825, 10 * 1024 * 1024 + 1), "", "IMAGE_PROCESS_FAILED"),
        (b"GIF89a", "", "IMAGE_PROCESS_FAILED"),
        (b"", "", "there is no photo in the request"),
    ],
    ids=["right", "no caption", "long caption", "too large", "too narrow", "too heavy", "no picture", "nothing"],
)
@pytest.mark.parametrize("name", ["photo", "one"], ids=["by itself", "attached"])
async def test_a_photo_has_its_limits(fake: FakeTelegram, photo: bytes, caption: str, refusal: str, name: str) -> None:
    url = f"{fake.url}/bot{fake.token}/sendPhoto"
    params = {"chat_id": str(CHAT), "caption": caption} | ({} if name == "photo" else {"photo": f"attach://{name}"})
    async with httpx.AsyncClient(verify=PLAIN) as http:
        answer = await http.post(url, data=params, files={name: ("a.png", photo)})
    if refusal:
        assert answer.json()["description"] == f"Bad Request: {refusal}"
        assert fake.messages(CHAT) == []
    else:
        assert [(message.photo, message.text) for message in fake.messages(CHAT)] == [(photo, caption)]


async def test_the_text_of_a_photo_is_no_text_to_edit(fake: FakeTelegram, raw: Raw) -> None:
    url = f"{fake.url}/bot{fake.token}/sendPhoto"
    async with httpx.AsyncClient(verify=PLAIN) as http:
        await http.post(url, data={"chat_id": CHAT}, files={"photo": ("a.png", png(9, 9))})
    (shown,) = fake.messages(CHAT)
    assert await raw.refused("editMessageText", chat_id=CHAT, message_id=shown.message_id, text="x") == (
        400,
        "Bad Request: there is no text in the message to edit",
    )
