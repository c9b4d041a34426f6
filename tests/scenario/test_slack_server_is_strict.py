"""Each rule of the fake Slack, broken once with plain requests; its payloads' shapes, beside recorded ones."""

import asyncio
import gzip
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.slack import SIGNING_SECRET, FakeSlack, Fault, Signing
from tests.fakes.slack_delivery import Act
from tests.fakes.slack_state import BOT_USER, Message

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GREENLIGHT_DATA", ROOT.parent / "shared" / "data")) / "slack"
recorded = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded payloads are not here (GREENLIGHT_DATA)")

C = "C1"
SOON = 0.15
"""Seconds for which this Slack waits for an acknowledgement."""
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeSlack]:
    with FakeSlack(ack_within=SOON, retry_after=(0.0, 0.05, 0.05), trigger_lives=SOON) as server:
        yield server


@pytest.fixture
def fake(server: FakeSlack) -> FakeSlack:
    server.reset()
    server.subscriptions = frozenset({"app_mention", "message.im", "app_home_opened"})
    server.channel(C, "U1", name="trades")
    return server


class Raw:
    """Calls methods without any library between."""

    def __init__(self, http: aiohttp.ClientSession, fake: FakeSlack) -> None:
        self.http = http
        self._fake = fake

    async def answer(self, method: str, *, token: str | None = None, **params: Any) -> tuple[int, Any, Json]:
        """By JSON, as the client does where there are blocks: status, headers, body."""
        given = self._fake.bot_token if token is None else token
        headers = {"Authorization": f"Bearer {given}", "Content-Type": "application/json; charset=utf-8"}
        body = json.dumps(params).encode()
        async with self.http.post(self._fake.api_url + method, data=body, headers=headers) as answer:
            return answer.status, answer.headers, await answer.json()

    async def form(self, method: str, **params: str) -> Json:
        """By a form, the token among the rest."""
        data = {"token": self._fake.bot_token, **params}
        async with self.http.post(self._fake.api_url + method, data=data) as answer:
            body: Json = await answer.json()
            return body

    async def ok(self, method: str, **params: Any) -> Json:
        _, _, body = await self.answer(method, **params)
        assert body["ok"], body
        return body

    async def refused(self, method: str, **params: Any) -> str:
        _, _, body = await self.answer(method, **params)
        assert not body["ok"], body
        return str(body["error"])

    async def post(self, text: str = "hello", **params: Any) -> Json:
        return await self.ok("chat.postMessage", **{"channel": C, "text": text, **params})

    async def faults(self, *blocks: Any) -> list[str]:
        """What the server finds wrong with blocks: words and place."""
        _, _, body = await self.answer("chat.postMessage", channel=C, text="x", blocks=list(blocks))
        if body["ok"]:
            return []
        assert body["error"] == "invalid_blocks", body
        told: list[str] = body["response_metadata"]["messages"]
        assert [f"[ERROR] {each}" for each in body["errors"]] == told
        return [each.removeprefix("[ERROR] ").replace("[json-pointer:", "").rstrip("]") for each in told]

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        """A socket, past its greeting."""
        opened = await self.ok("apps.connections.open", token=self._fake.app_token)
        socket = await self.http.ws_connect(opened["url"], autoping=False)
        assert (await socket.receive_json())["type"] == "hello"
        return socket


@pytest.fixture
async def raw(fake: FakeSlack) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        yield Raw(http, fake)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def marked(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": marked(text), **more}


def button(label: str = "Approve", **more: Any) -> Json:
    return {"type": "button", "text": plain(label), "action_id": label.lower(), "value": "v", **more}


def actions(*buttons: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(buttons), **more}


def view(*blocks: Json, **more: Any) -> Json:
    return {"type": "home", "blocks": list(blocks), **more}


# Who asks, and how


async def test_no_token_a_wrong_one_and_one_of_another_kind_are_refused(fake: FakeSlack, raw: Raw) -> None:
    assert await raw.refused("auth.test", token="") == "not_authed"
    assert await raw.refused("auth.test", token="xoxb-1-2-3") == "invalid_auth"
    assert await raw.refused("chat.postMessage", token=fake.app_token) == "not_allowed_token_type"
    assert await raw.refused("apps.connections.open") == "not_allowed_token_type"


async def test_a_missing_scope_is_named_beside_those_there_are(fake: FakeSlack, raw: Raw) -> None:
    fake.scopes.discard("chat:write")
    _, headers, body = await raw.answer("chat.postMessage", channel=C, text="x")
    assert (body["error"], body["needed"]) == ("missing_scope", "chat:write")
    assert "commands" in body["provided"].split(",") == headers["X-OAuth-Scopes"].split(",")


async def test_a_file_is_announced_uploaded_and_then_shared_in_a_conversation_the_bot_is_in(
    fake: FakeSlack, raw: Raw
) -> None:
    fake.channel("C2", "U1")
    fake.remove_bot("C2")
    first = (await raw.post())["ts"]
    assert await raw.refused("files.getUploadURLExternal", filename="a.png", length=0) == "invalid_arguments"
    ticket = await raw.ok("files.getUploadURLExternal", filename="a.png", length=3)
    done: Json = {"files": [{"id": ticket["file_id"], "title": "A"}]}
    assert await raw.refused("files.completeUploadExternal", **done, channel_id=C) == "file_not_found"
    for content, status in ((b"1234", 400), (b"123", 200)):
        async with raw.http.post(ticket["upload_url"], data=content) as answer:
            assert answer.status == status
    assert await raw.refused("files.completeUploadExternal", **done, channel_id="U1") == "invalid_arguments"
    assert await raw.refused("files.completeUploadExternal", **done, channel_id="C2") == "not_in_channel"
    assert await raw.refused("files.completeUploadExternal", **done, channel_id=C, thread_ts="1.000000") == (
        "thread_not_found"
    )
    await raw.ok("files.completeUploadExternal", **done, channel_id=C, thread_ts=first)
    assert [(message.files, message.thread_ts) for message in fake.messages(C)] == [((), None), ((b"123",), first)]
    assert await raw.refused("files.completeUploadExternal", **done, channel_id=C) == "file_not_found", "it is used up"
    fake.scopes.discard("files:write")
    assert await raw.refused("files.getUploadURLExternal", filename="a.png", length=3) == "missing_scope"


async def test_an_unknown_method_is_unknown(raw: Raw) -> None:
    assert await raw.refused("chat.fax") == "unknown_method"


async def test_who_am_i(raw: Raw) -> None:
    assert (await raw.ok("auth.test"))["user_id"] == BOT_USER


async def test_parameters_come_by_form_or_json_and_the_token_never_within_json(fake: FakeSlack, raw: Raw) -> None:
    assert (await raw.form("chat.postMessage", channel=C, text="x", blocks=json.dumps([section()])))["ok"]
    assert (await raw.post(blocks=json.dumps([section()])))["ok"]
    async with raw.http.post(fake.api_url + "auth.test", json={"token": fake.bot_token}) as answer:
        assert (await answer.json())["error"] == "not_authed"


async def test_methods_that_read_no_json_find_nothing_in_it(raw: Raw) -> None:
    assert await raw.refused("conversations.info", channel=C) == "invalid_arguments"
    assert (await raw.form("conversations.info", channel=C))["channel"]["name"] == "trades"
    assert (await raw.form("users.info", user="U1"))["user"]["id"] == "U1"
    assert (await raw.form("users.info", user="U9"))["error"] == "user_not_found"


async def test_broken_json_and_json_of_another_kind_are_refused(fake: FakeSlack, raw: Raw) -> None:
    for body, error in ((b"{", "invalid_json"), (b"[]", "json_not_object")):
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {fake.bot_token}"}
        async with raw.http.post(fake.api_url + "auth.test", data=body, headers=headers) as answer:
            assert (await answer.json())["error"] == error


async def test_json_of_no_charset_is_warned_of(fake: FakeSlack, raw: Raw) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {fake.bot_token}"}
    async with raw.http.post(fake.api_url + "auth.test", data=b"{}", headers=headers) as answer:
        assert (await answer.json())["warning"] == "missing_charset"


# Channels


async def test_a_channel_must_be_known_open_and_have_the_bot_in_it(fake: FakeSlack, raw: Raw) -> None:
    assert await raw.refused("chat.postMessage", text="x") == "invalid_arguments"
    assert await raw.refused("chat.postMessage", channel="C404", text="x") == "channel_not_found"
    fake.channel("C2").archived = True
    assert await raw.refused("chat.postMessage", channel="C2", text="x") == "is_archived"
    fake.remove_bot(C)
    assert await raw.refused("chat.postMessage", channel=C, text="x") == "not_in_channel"
    fake.channel("G1", private=True)
    fake.remove_bot("G1")
    assert await raw.refused("chat.postMessage", channel="G1", text="x") == "channel_not_found"


async def test_a_name_and_a_person_stand_for_a_channel_to_post_and_for_none_to_edit(raw: Raw) -> None:
    assert (await raw.post(channel="#trades"))["channel"] == C
    sent = await raw.post(channel="U1")
    assert sent["channel"] == "D1"
    assert await raw.refused("chat.update", channel="U1", ts=sent["ts"], text="y") == "channel_not_found"
    await raw.ok("chat.update", channel="D1", ts=sent["ts"], text="y")


async def test_a_conversation_is_opened_with_people_there_are(raw: Raw) -> None:
    assert (await raw.ok("conversations.open", users="U1"))["channel"]["id"] == "D1"
    assert (await raw.ok("conversations.open", users="U1"))["already_open"]
    assert await raw.refused("conversations.open", users="U9") == "user_not_found"


# Texts


async def test_a_message_needs_a_text_or_blocks(raw: Raw) -> None:
    for text in ("", "  "):
        assert await raw.refused("chat.postMessage", channel=C, text=text) == "no_text"
    assert await raw.refused("chat.postMessage", channel=C, text="", blocks=[]) == "no_text"


async def test_a_text_over_40000_characters_is_cut_off_with_a_warning(raw: Raw) -> None:
    sent = await raw.post("x" * 40_001)
    assert len(sent["message"]["text"]) == 40_000
    assert sent["response_metadata"]["warnings"] == ["message_truncated"]
    assert "response_metadata" not in await raw.post("x" * 40_000)


async def test_an_edited_text_over_4000_characters_is_refused(raw: Raw) -> None:
    ts = (await raw.post())["ts"]
    await raw.ok("chat.update", channel=C, ts=ts, text="x" * 4000)
    assert await raw.refused("chat.update", channel=C, ts=ts, text="x" * 4001) == "msg_too_long"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("*bold* _it_ ~no~ `a*b*c`", "bold it no a*b*c"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("<https://x.example/?a=1|here> <@U1> <!here>", "here @U1 @here"),
        ("two_people_above 2*3*4", "two_people_above 2*3*4"),
    ],
)
async def test_people_see_the_markup_applied(fake: FakeSlack, raw: Raw, text: str, seen: str) -> None:
    await raw.post(text)
    await raw.post("fallback", blocks=[section(text)])
    assert fake.texts(C) == [seen, seen]
    assert fake.at.complaints == []


@pytest.mark.parametrize("text", ["a & b", "1 < 2", "<b>"])
async def test_unescaped_markup_and_blocks_without_a_fallback_are_noted(fake: FakeSlack, raw: Raw, text: str) -> None:
    await raw.post(text)
    await raw.post("fine", blocks=[section(text)])
    assert fake.at.complaints == [f"unescaped: {text}"] * 2
    await raw.post("", blocks=[section()])
    assert "no text beside blocks" in fake.at.complaints[-1]


# Blocks


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 3000, block_id="b" * 255)],
        [{"type": "section", "fields": [marked("x" * 2000)] * 2}],
        [{"type": "header", "text": plain("x" * 150)}, {"type": "divider"}],
        [{"type": "context", "elements": [marked("x"), {"type": "image", "image_url": "https://x", "alt_text": "x"}]}],
        [actions(*(button(str(n), value="v" * 2000, style="primary") for n in range(25)))],
        [section(accessory=button("x" * 75, action_id="a" * 255)), actions(button("x" * 75, action_id="a" * 255))],
        [{"type": "image", "image_url": "https://x", "alt_text": "x", "title": plain("t")}],
        [{"type": "divider"}] * 50,
    ],
)
async def test_blocks_at_their_limits_are_taken(raw: Raw, blocks: list[Json]) -> None:
    assert await raw.faults(*blocks) == []


CONFIRM = {"title": plain("Sure?"), "text": marked("Really"), "confirm": plain("Yes"), "deny": plain("No")}


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("text", "unsupported type: None /blocks/0/type"),
        ({"type": "sectoin"}, "unsupported type: sectoin /blocks/0/type"),
        ({"type": "rich_text", "elements": []}, "unsupported type: rich_text /blocks/0/type"),
        ({"type": "section"}, "missing required field: text or fields /blocks/0"),
        (section("x" * 3001), "must be less than 3001 characters /blocks/0/text/text"),
        (section(""), "must be more than 0 characters /blocks/0/text/text"),
        (section(colour="red"), "invalid additional property: colour /blocks/0"),
        (section(block_id="b" * 256), "must be less than 256 characters /blocks/0/block_id"),
        ({"type": "section", "fields": [marked("x")] * 11}, "no more than 10 items allowed /blocks/0/fields"),
        (
            {"type": "section", "fields": [marked("x" * 2001)]},
            "must be less than 2001 characters /blocks/0/fields/0/text",
        ),
        (
            {"type": "section", "text": {"type": "markdown", "text": "x"}},
            "must provide a text object of type plain_text or mrkdwn /blocks/0/text",
        ),
        (
            {"type": "section", "text": {**marked("x"), "emoji": True}},
            "invalid additional property: emoji /blocks/0/text",
        ),
        (
            {"type": "header", "text": marked("x")},
            "must provide a text object of type plain_text /blocks/0/text",
        ),
        ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters /blocks/0/text/text"),
        ({"type": "divider", "text": plain("x")}, "invalid additional property: text /blocks/0"),
        ({"type": "context", "elements": [marked("x")] * 11}, "no more than 10 items allowed /blocks/0/elements"),
        ({"type": "context", "elements": []}, "no less than 1 items allowed /blocks/0/elements"),
        ({"type": "context", "elements": [button()]}, "unsupported type: button /blocks/0/elements/0/type"),
        (
            {"type": "context", "elements": [{"type": "image", "image_url": "https://x"}]},
            "missing required field: alt_text /blocks/0/elements/0",
        ),
        ({"type": "image", "image_url": "https://x"}, "missing required field: alt_text /blocks/0"),
        (actions(*(button(str(n)) for n in range(26))), "no more than 25 items allowed /blocks/0/elements"),
        (actions(), "no less than 1 items allowed /blocks/0/elements"),
        (actions(button("a"), button("a")), "`action_id` a already exists /blocks/0/elements/1/action_id"),
        (actions(button("x" * 76, action_id="a")), "must be less than 76 characters /blocks/0/elements/0/text/text"),
        (
            actions(button(text=marked("x"))),
            "must provide a text object of type plain_text /blocks/0/elements/0/text",
        ),
        (actions(button(action_id="a" * 256)), "must be less than 256 characters /blocks/0/elements/0/action_id"),
        (actions(button(value="v" * 2001)), "must be less than 2001 characters /blocks/0/elements/0/value"),
        (actions(button(value="")), "must be more than 0 characters /blocks/0/elements/0/value"),
        (actions(button(style="default")), "must be a valid enum value /blocks/0/elements/0/style"),
        (
            actions(button(confirm={**CONFIRM, "title": plain("x" * 101)})),
            "must be less than 101 characters /blocks/0/elements/0/confirm/title/text",
        ),
        (
            actions(button(confirm={**CONFIRM, "text": marked("x" * 301)})),
            "must be less than 301 characters /blocks/0/elements/0/confirm/text/text",
        ),
        (
            actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)})),
            "must be less than 31 characters /blocks/0/elements/0/confirm/deny/text",
        ),
        (
            actions(button(confirm={key: CONFIRM[key] for key in ("title", "text", "confirm")})),
            "missing required field: deny /blocks/0/elements/0/confirm",
        ),
    ],
)
async def test_a_block_beyond_its_limits_is_refused_with_its_place(raw: Raw, block: Any, fault: str) -> None:
    assert await raw.faults(block) == [fault]


async def test_a_message_has_at_most_50_blocks_and_block_ids_that_differ(raw: Raw) -> None:
    assert await raw.faults(*[{"type": "divider"}] * 51) == ["no more than 50 items allowed /blocks"]
    twice = [section(block_id="b"), section(block_id="b")]
    assert await raw.faults(*twice) == ["`block_id` b already exists /blocks/1/block_id"]


async def test_blocks_may_not_carry_more_text_than_was_ever_seen_accepted(raw: Raw) -> None:
    many = [section("x" * 2500) for _ in range(5)]
    assert await raw.refused("chat.postMessage", channel=C, text="x", blocks=many) == "msg_blocks_too_long"


async def test_blocks_that_are_no_json_are_refused(raw: Raw) -> None:
    assert await raw.refused("chat.postMessage", channel=C, text="x", blocks="[{") == "invalid_blocks_format"


async def test_blocks_and_buttons_without_ids_get_some(raw: Raw) -> None:
    sent = await raw.post(blocks=[actions({"type": "button", "text": plain("A")})])
    (block,) = sent["message"]["blocks"]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


# Edits, threads, what is not there


async def test_an_edit_without_blocks_keeps_them_and_an_empty_list_takes_them_away(fake: FakeSlack, raw: Raw) -> None:
    sent = await raw.post(blocks=[section("old"), actions(button())])
    where = {"channel": C, "ts": sent["ts"]}
    await raw.ok("chat.update", **where, text="new")
    (shown,) = fake.messages(C)
    assert (shown.text, shown.fallback, shown.labels, shown.edited) == ("old", "new", ["Approve"], True)
    await raw.ok("chat.update", **where, text="newer", blocks=[])
    assert (shown.text, shown.labels, len(shown.edits)) == ("newer", [], 2)


async def test_what_is_not_there_or_not_the_bots_own_cannot_be_edited_or_deleted(fake: FakeSlack, raw: Raw) -> None:
    fake.user("U1").say("mine", C)
    theirs = {"channel": C, "ts": next(iter(fake.at.channels[C].messages))}
    nothing = {"channel": C, "ts": "1.000001"}
    assert await raw.refused("chat.update", **nothing, text="x") == "message_not_found"
    assert await raw.refused("chat.update", **theirs, text="x") == "cant_update_message"
    assert await raw.refused("chat.delete", **nothing) == "message_not_found"
    assert await raw.refused("chat.delete", **theirs) == "cant_delete_message"


async def test_a_deleted_message_is_gone(fake: FakeSlack, raw: Raw) -> None:
    where = {"channel": C, "ts": (await raw.post())["ts"]}
    await raw.ok("chat.delete", **where)
    assert fake.messages(C) == []
    for method in ("chat.update", "chat.delete"):
        assert await raw.refused(method, **where, text="x") == "message_not_found"


async def test_a_thread_hangs_on_a_message_there_is_that_is_no_reply(fake: FakeSlack, raw: Raw) -> None:
    root = (await raw.post())["ts"]
    reply = await raw.post("reply", thread_ts=root)
    assert reply["message"]["thread_ts"] == root == fake.messages(C)[1].thread_ts
    for ts, error in (("x", "invalid_thread_ts"), ("1.000001", "thread_not_found")):
        assert await raw.refused("chat.postMessage", channel=C, text="x", thread_ts=ts) == error
    refused = await raw.refused("chat.postMessage", channel=C, text="x", thread_ts=reply["ts"])
    assert refused == "cannot_reply_to_message"


async def test_a_reply_is_shown_in_the_channel_too_where_that_is_asked_for(fake: FakeSlack, raw: Raw) -> None:
    root = (await raw.post(reply_broadcast=True))["ts"]
    await raw.post("loud", thread_ts=root, reply_broadcast=True)
    await raw.post("quiet", thread_ts=root)
    assert [shown.broadcast for shown in fake.messages(C)] == [False, True, False]


async def test_an_ephemeral_message_is_for_one_member_and_cannot_be_edited(fake: FakeSlack, raw: Raw) -> None:
    sent = await raw.ok("chat.postEphemeral", channel=C, user="U1", text="psst")
    assert fake.messages(C)[0].only_for == "U1"
    assert await raw.refused("chat.update", channel=C, ts=sent["message_ts"], text="x") == "message_not_found"
    fake.user("U2")
    assert await raw.refused("chat.postEphemeral", channel=C, user="U2", text="x") == "user_not_in_channel"


async def test_pins_reactions_and_links_are_of_messages_there_are(fake: FakeSlack, raw: Raw) -> None:
    ts = (await raw.post())["ts"]
    at, nowhere = {"channel": C, "timestamp": ts}, {"channel": C, "timestamp": "1.000001"}
    await raw.ok("pins.add", **at)
    assert fake.at.channels[C].pinned == [ts]
    assert await raw.refused("pins.add", **at) == "already_pinned"
    assert await raw.refused("pins.add", **nowhere) == "message_not_found"
    await raw.ok("reactions.add", **at, name="eyes")
    assert await raw.refused("reactions.add", **at, name="eyes") == "already_reacted"
    assert await raw.refused("reactions.add", **at, name=":eyes:") == "invalid_name"
    assert ts.replace(".", "") in (await raw.form("chat.getPermalink", channel=C, message_ts=ts))["permalink"]


async def test_what_was_posted_twice_is_counted(fake: FakeSlack, raw: Raw) -> None:
    await raw.post("once")
    for _ in range(2):
        await raw.post("twice", blocks=[section("twice")])
    assert fake.doubles(C) == ["twice"]


# Views


async def test_a_home_tab_has_at_most_100_blocks_and_nothing_unknown(fake: FakeSlack, raw: Raw) -> None:
    await raw.ok("views.publish", user_id="U1", view=view(*[{"type": "divider"}] * 100))
    for wrong in (view(*[{"type": "divider"}] * 101), view(section("x" * 3001)), view(colour=1), {"type": "home"}):
        _, _, body = await raw.answer("views.publish", user_id="U1", view=wrong)
        assert body["error"] == "invalid_arguments"
        assert body["response_metadata"]["messages"]
    assert await raw.refused("views.publish", user_id="U9", view=view()) == "invalid_arguments"
    fake.methods.views.home_enabled = False
    assert await raw.refused("views.publish", user_id="U1", view=view()) == "not_enabled"


async def test_a_home_tab_with_an_old_hash_is_not_replaced(fake: FakeSlack, raw: Raw) -> None:
    first = await raw.ok("views.publish", user_id="U1", view=view(section("one")))
    seen = first["view"]["hash"]
    await raw.ok("views.publish", user_id="U1", view=json.dumps(view(section("two"))), hash=seen)
    refused = await raw.refused("views.publish", user_id="U1", view=view(section("three")), hash=seen)
    home = fake.home("U1")
    assert home
    assert (refused, home.text) == ("hash_conflict", "two")


async def test_a_modal_needs_a_trigger_that_is_young_and_unused(fake: FakeSlack, raw: Raw) -> None:
    with fake.held():
        trigger = fake.user("U1").command("x", C).payload["trigger_id"]
        old = fake.user("U1").command("x", C).payload["trigger_id"]
    modal = {"type": "modal", "title": plain("Why"), "blocks": [section()]}
    await raw.ok("views.open", trigger_id=trigger, view=modal)
    assert await raw.refused("views.open", trigger_id=trigger, view=modal) == "exchanged_trigger_id"
    assert await raw.refused("views.open", trigger_id="x", view=modal) == "invalid_trigger_id"
    await asyncio.sleep(SOON)
    assert await raw.refused("views.open", trigger_id=old, view=modal) == "expired_trigger_id"


async def test_a_modal_needs_a_short_title(fake: FakeSlack, raw: Raw) -> None:
    with fake.held():
        trigger = fake.user("U1").command("x", C).payload["trigger_id"]
    modal = {"type": "modal", "title": plain("x" * 25), "blocks": [section()]}
    assert await raw.refused("views.open", trigger_id=trigger, view=modal) == "invalid_arguments"


# Too much


async def test_too_many_posts_to_a_channel_are_refused_until_the_header_says(fake: FakeSlack, raw: Raw) -> None:
    fake.limits.set("chat.postMessage", 2, 60, retry_after=1)
    await raw.post()
    await raw.post()
    status, headers, body = await raw.answer("chat.postMessage", channel=C, text="x")
    assert (status, headers["Retry-After"], body["error"]) == (429, "1", "ratelimited")
    await raw.post(channel="U1")
    assert len(fake.texts(C)) == 2


async def test_the_documented_limits_are_a_message_a_second_and_tiers_for_the_rest(fake: FakeSlack, raw: Raw) -> None:
    fake.limits.as_documented(burst=3)
    sent = [(await raw.answer("chat.postMessage", channel=C, text="x"))[0] for _ in range(4)]
    assert sent == [200, 200, 200, 429]
    ts = fake.messages(C)[0].ts
    edits = [(await raw.answer("chat.update", channel=C, ts=ts, text=f"{n}"))[0] for n in range(51)]
    assert edits == [200] * 50 + [429]
    fake.limits.lift()
    await raw.post()


# Trouble


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST])
async def test_a_lost_answer_is_one_to_something_that_was_done(fake: FakeSlack, raw: Raw, fault: Fault) -> None:
    fake.fail(fault, method="chat.postMessage", times=1)
    with pytest.raises(aiohttp.ClientError):
        await raw.post()
    assert fake.texts(C) == (["hello"] if fault is Fault.LOST else [])
    await raw.ok("auth.test")


@pytest.mark.parametrize(("fault", "status"), [(Fault.UNAVAILABLE, 503), (Fault.HTML, 200), (Fault.RATE_LIMITED, 429)])
async def test_a_broken_server_answers_something_else(fake: FakeSlack, raw: Raw, fault: Fault, status: int) -> None:
    fake.fail(fault)
    async with raw.http.post(fake.api_url + "auth.test") as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (status, "1" if status == 429 else None)
    fake.recover()
    await raw.ok("auth.test")


async def test_a_server_with_a_problem_says_so(fake: FakeSlack, raw: Raw) -> None:
    fake.fail(Fault.INTERNAL, times=1)
    assert await raw.refused("auth.test") == "internal_error"


async def test_a_hanging_server_answers_nothing_until_it_is_over(fake: FakeSlack, raw: Raw) -> None:
    fake.fail(Fault.HANG)
    call = asyncio.create_task(raw.post())
    done, _ = await asyncio.wait({call}, timeout=0.1)
    assert not done
    fake.recover()
    with pytest.raises(aiohttp.ClientError):
        await call
    assert fake.messages(C) == []


async def test_a_stopped_server_refuses_connections_and_comes_back_with_everything() -> None:
    async with FakeSlack() as fake, aiohttp.ClientSession() as http:
        fake.channel(C)
        raw = Raw(http, fake)
        await raw.post()
        await asyncio.to_thread(fake.stop)
        with pytest.raises(aiohttp.ClientConnectorError):
            await raw.post()
        await asyncio.to_thread(fake.start)
        await raw.post("again")
        assert fake.texts(C) == ["hello", "again"]


# Sockets


async def ack(socket: aiohttp.ClientWebSocketResponse, **payload: Any) -> Json:
    """Take one envelope and acknowledge it."""
    envelope: Json = await socket.receive_json(timeout=2)
    await socket.send_json({"envelope_id": envelope["envelope_id"]} | ({"payload": payload} if payload else {}))
    return envelope


async def test_a_socket_opens_once_with_its_ticket_and_is_greeted(fake: FakeSlack, raw: Raw) -> None:
    opened = await raw.ok("apps.connections.open", token=fake.app_token)
    async with raw.http.ws_connect(opened["url"]) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"]["app_id"].startswith("A")
        for url in (opened["url"], re.sub("ticket=[^&]+", "ticket=x", opened["url"])):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await raw.http.ws_connect(url)


async def test_everything_comes_in_envelopes_and_is_acknowledged_by_their_ids(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    sent = await raw.post(blocks=[section(), actions(button())])
    ann = fake.user("U1")
    message = fake.at.channels[C].messages[sent["ts"]]
    acts = [ann.command("status", C), ann.press(message, "Approve"), ann.mention("hey", C), ann.say("hi")]
    envelopes = {(await ack(socket))["type"] for _ in acts}
    assert envelopes == {"slash_commands", "interactive", "events_api"}
    for act in filter(None, acts):
        await act.finished()
        assert (act.acked, act.acked_by, act.failed) == (True, f"socket {fake.sockets.opened}", "")
        assert act.acked_after is not None
        assert act.acked_after < SOON
    await socket.close()


async def test_an_event_without_acknowledgement_comes_again_with_number_and_reason(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    act = fake.user("U1").say("hi")
    assert act
    seen = [await socket.receive_json(timeout=2) for _ in range(2)]
    seen.append(await ack(socket))
    await act.finished()
    assert [(each["retry_attempt"], each["retry_reason"]) for each in seen] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert len({each["envelope_id"] for each in seen}) == 3
    assert len({each["payload"]["event_id"] for each in seen}) == 1
    assert (act.acked, len(act.attempts)) == (True, 3)
    await socket.close()


async def test_an_event_nobody_takes_is_given_up_after_three_retries(fake: FakeSlack) -> None:
    act = fake.user("U1").say("hi")
    assert act
    await act.finished()
    assert (act.failed, len(act.attempts)) == ("connection_failed", 4)


async def test_a_press_without_acknowledgement_is_lost_and_its_person_sees_that(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    act = await fake.user("U1").command("x", C).finished()
    assert (act.acked, act.failed, len(act.attempts)) == (False, "operation_timeout", 1)
    late = await ack(socket)
    await fake.wait_for(lambda: act.attempts[0].acked_at)
    assert act.acked_after is not None
    assert act.acked_after > SOON
    assert late["accepts_response_payload"]
    assert not act.acked
    await socket.close()


async def test_an_acknowledgement_of_nothing_or_twice_or_with_words_to_an_event_is_noted(
    fake: FakeSlack, raw: Raw
) -> None:
    socket = await raw.connect()
    act = fake.user("U1").say("hi")
    assert act
    envelope = await ack(socket, text="nobody sees this")
    await socket.send_json({"envelope_id": envelope["envelope_id"]})
    await socket.send_json({"envelope_id": "unknown"})
    await fake.wait_for(lambda: len(fake.at.complaints) == 3)
    assert [complaint.partition(":")[0] for complaint in fake.at.complaints] == [
        "a response where none is accepted",
        "acknowledged twice",
        "an acknowledgement of nothing",
    ]
    await socket.close()


async def test_what_a_slash_command_is_acknowledged_with_its_person_alone_sees(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    act = fake.user("U1").command("status", C)
    await ack(socket, text="all is well")
    await act.finished()
    await fake.wait_for(lambda: fake.messages(C))
    assert [(shown.text, shown.only_for) for shown in fake.messages(C)] == [("all is well", "U1")]
    await socket.close()


async def test_pings_are_answered_unless_the_socket_is_stalled(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    await socket.ping(b"one")
    assert (await socket.receive(timeout=2)).data == b"one"
    fake.stall_sockets()
    await fake.wait_for(lambda: not fake.sockets.connections[0].flowing.is_set())
    await socket.ping(b"two")
    act = fake.user("U1").command("x", C)
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=2 * SOON)
    assert (await act.finished()).failed == "operation_timeout"
    await socket.close()


async def test_a_cut_socket_ends_without_a_word(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    fake.cut_sockets()
    assert (await socket.receive(timeout=2)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    await fake.wait_for(lambda: not fake.sockets.connections)
    assert (await fake.user("U1").command("x", C).finished()).failed == "connection_failed"


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
async def test_a_socket_is_told_before_it_ends(fake: FakeSlack, raw: Raw, reason: str) -> None:
    socket = await raw.connect()
    fake.refresh_sockets(reason, grace=0.05)
    told = await socket.receive_json(timeout=2)
    assert (told["type"], told["reason"]) == ("disconnect", reason)
    assert (await socket.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE
    await socket.close()


async def test_one_connection_too_many_is_sent_away(fake: FakeSlack, raw: Raw) -> None:
    fake.sockets.most = 1
    socket = await raw.connect()
    opened = await raw.ok("apps.connections.open", token=fake.app_token)
    async with raw.http.ws_connect(opened["url"]) as second:
        assert (await second.receive_json())["reason"] == "too_many_websockets"
    await socket.close()


async def test_a_client_that_answers_no_pings_is_given_up(fake: FakeSlack, raw: Raw) -> None:
    fake.sockets.ping_every = 0.02
    socket = await raw.connect()
    await fake.wait_for(lambda: not fake.sockets.connections)
    await socket.close()


# Requests to the app's own URL


class Endpoint:
    """An app's URL: what came, and what it answers."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.status, self.delay, self.headers = 200, 0.0, {}
        self.repeats = False

    async def serve(self, request: web.Request) -> web.Response:
        self.seen.append((dict(request.headers), await request.read()))
        await asyncio.sleep(self.delay)
        text = (await request.json())["challenge"] if self.repeats else ""
        return web.Response(status=self.status, text=text, headers=self.headers)


@asynccontextmanager
async def endpoint(fake: FakeSlack) -> AsyncIterator[Endpoint]:
    at, app = Endpoint(), web.Application()
    app.router.add_post("/slack/events", at.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server
    port = site._server.sockets[0].getsockname()[1]
    fake.delivers_to(f"http://127.0.0.1:{port}/slack/events")
    try:
        yield at
    finally:
        await runner.cleanup()


async def test_requests_are_signed_over_the_time_and_the_body(fake: FakeSlack) -> None:
    async with endpoint(fake) as at:
        for act in (fake.user("U1").say("hi"), fake.user("U1").command("a & b", C)):
            assert act
            assert (await act.finished()).acked
        for headers, body in at.seen:
            stamp = headers["X-Slack-Request-Timestamp"]
            assert abs(time.time() - int(stamp)) < 60
            assert headers["X-Slack-Signature"] == expected(stamp, body)
        assert json.loads(at.seen[0][1])["event"]["text"] == "hi"
        assert b"text=a+%26amp%3B+b" in at.seen[1][1]


def expected(stamp: str, body: bytes) -> str:
    return f"v0={hmac.new(SIGNING_SECRET.encode(), f'v0:{stamp}:'.encode() + body, hashlib.sha256).hexdigest()}"


async def test_a_press_comes_as_a_form_with_one_payload(fake: FakeSlack, raw: Raw) -> None:
    sent = await raw.post(blocks=[actions(button())])
    async with endpoint(fake) as at:
        await fake.user("U1").press(fake.at.channels[C].messages[sent["ts"]], "Approve").finished()
        headers, body = at.seen[0]
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert body.startswith(b"payload=%7B")


@pytest.mark.parametrize(
    ("status", "delay", "reason", "headers", "requests"),
    [
        (500, 0.0, "http_error", {}, 4),
        (200, 3 * SOON, "http_timeout", {}, 4),
        (500, 0.0, "", {"X-Slack-No-Retry": "1"}, 1),
    ],
)
async def test_an_event_is_sent_again_unless_it_is_acknowledged_or_retries_are_declined(
    fake: FakeSlack, status: int, delay: float, reason: str, headers: dict[str, str], requests: int
) -> None:
    async with endpoint(fake) as at:
        at.status, at.delay, at.headers = status, delay, headers
        act = fake.user("U1").say("hi")
        assert act
        assert not (await act.finished()).acked
        retries = [(seen.get("X-Slack-Retry-Num"), seen.get("X-Slack-Retry-Reason")) for seen, _ in at.seen]
        assert retries == [(None, None), *((str(n), reason) for n in range(1, requests))]


async def test_a_url_proves_itself_by_repeating_a_challenge(fake: FakeSlack) -> None:
    async with endpoint(fake) as at:
        assert not await fake.verify_url()
        assert json.loads(at.seen[0][1])["type"] == "url_verification"
        at.repeats = True
        assert await fake.verify_url()


async def test_requests_can_be_sent_unsigned_wrongly_signed_and_late(fake: FakeSlack) -> None:
    with fake.held():
        act = fake.user("U1").command("status", C)
    assert fake.acts == []
    async with endpoint(fake) as at:
        for signing in Signing:
            assert await fake.knock(act, signing) == 200
        right, none, wrong, old = (headers for headers, _ in at.seen)
        body = at.seen[0][1]
        assert right["X-Slack-Signature"] == expected(right["X-Slack-Request-Timestamp"], body)
        assert "X-Slack-Signature" not in none
        assert wrong["X-Slack-Signature"] != expected(wrong["X-Slack-Request-Timestamp"], body)
        assert old["X-Slack-Signature"] == expected(old["X-Slack-Request-Timestamp"], body)
        assert time.time() - int(old["X-Slack-Request-Timestamp"]) >= 600


# Response URLs


async def hook_of(fake: FakeSlack, raw: Raw) -> tuple[str, Message]:
    """The response URL of a press, and the message it was on."""
    sent = await raw.post(blocks=[section("asked"), actions(button())])
    message = fake.at.channels[C].messages[sent["ts"]]
    with fake.held():
        return fake.user("U1").press(message, "Approve").payload["response_url"], message


async def test_a_response_url_answers_beside_or_replaces_or_deletes(fake: FakeSlack, raw: Raw) -> None:
    url, message = await hook_of(fake, raw)
    for body in ({"text": "psst"}, {"text": "all", "response_type": "in_channel"}):
        async with raw.http.post(url, json=body) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
    assert [(shown.text, shown.only_for) for shown in fake.messages(C)[1:]] == [("psst", "U1"), ("all", None)]
    async with raw.http.post(url, json={"text": "new", "blocks": [], "replace_original": True}):
        assert (message.text, message.labels) == ("new", [])
    async with raw.http.post(url, json={"delete_original": True}):
        assert message.deleted


async def test_a_response_url_takes_no_blocks_that_are_wrong(fake: FakeSlack, raw: Raw) -> None:
    url, _ = await hook_of(fake, raw)
    async with raw.http.post(url, json={"text": "x", "blocks": [section("")]}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_blocks")


async def test_a_response_url_is_good_for_five_uses_within_thirty_minutes(fake: FakeSlack, raw: Raw) -> None:
    url, _ = await hook_of(fake, raw)
    statuses = []
    for _ in range(6):
        async with raw.http.post(url, json={"text": "x"}) as answer:
            statuses.append(answer.status)
    assert statuses == [200] * 5 + [404]
    url, _ = await hook_of(fake, raw)
    fake.at.hooks[url.rpartition("/")[2]].until -= 1801
    async with raw.http.post(url, json={"text": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")


# What people can do


async def test_people_press_only_buttons_that_are_there_unless_they_forge_them(fake: FakeSlack, raw: Raw) -> None:
    sent = await raw.post(blocks=[section(), actions(button())])
    message, ann = fake.at.channels[C].messages[sent["ts"]], fake.user("U1")
    await raw.ok("chat.update", channel=C, ts=sent["ts"], text="over", blocks=[])
    with fake.held():
        with pytest.raises(AssertionError, match="no button"):
            ann.press(message, "Approve")
        stale = ann.press(message, "Approve", forged=True)
        forged = ann.press(message, "approve:A9", forged=True)
    assert stale.payload["actions"][0]["action_id"] == "approve"
    assert forged.payload["actions"][0]["value"] == "approve:A9"


async def test_events_come_only_where_they_were_asked_for_and_allowed(fake: FakeSlack) -> None:
    ann = fake.user("U1")
    with fake.held():
        assert ann.say("to all", C) is None
        assert ann.say("to the bot")
        fake.scopes.discard("im:history")
        assert ann.say("to the bot") is None
        fake.scopes.discard("app_mentions:read")
        assert ann.mention("hey", C) is None


async def test_the_bot_hears_of_its_own_messages_where_it_listens(fake: FakeSlack, raw: Raw) -> None:
    sent = await raw.post(channel="U1")
    await raw.ok("chat.update", channel="D1", ts=sent["ts"], text="new")
    await raw.post()
    told = [act.payload["event"] for act in fake.acts]
    assert [event.get("subtype") for event in told] == [None, "message_changed"]
    assert told[0]["user"] == told[1]["message"]["user"] == BOT_USER


async def test_the_same_can_be_delivered_twice(fake: FakeSlack, raw: Raw) -> None:
    socket = await raw.connect()
    act = fake.user("U1").say("hi")
    assert act
    first = await ack(socket)
    await act.finished()
    fake.redeliver(act)
    again = await ack(socket)
    assert again["payload"] == first["payload"]
    assert again["envelope_id"] != first["envelope_id"]
    await socket.close()


# Shapes


def unlike(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """What of ours is not in a recorded skeleton, which has every key there can be and an example of each value."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        odd = [f"{path}.{key}" for key in ours.keys() - theirs.keys() if theirs]
        return odd + [o for key in ours.keys() & theirs.keys() for o in unlike(ours[key], theirs[key], f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        return [o for each in ours for o in _like_any(each, theirs, path)] if theirs else []
    return [] if type(ours) is type(theirs) else [f"{path}: {type(ours).__name__}, not {type(theirs).__name__}"]


def _like_any(ours: Any, theirs: list[Any], path: str) -> list[str]:
    """Against the recorded element of its type; blocks of a type not recorded at that place are left alone."""
    if isinstance(ours, dict) and ours.get("type"):
        same = [each for each in theirs if isinstance(each, dict) and each.get("type") in {ours["type"], ""}]
        return unlike(ours, same[0], f"{path}[]") if same else []
    return unlike(ours, theirs[0], f"{path}[]")


def recording(file: str) -> Json:
    path = DATA / file
    payload: Json = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_text())
    return payload


BLOCKS = [
    {"type": "header", "text": plain("H")},
    section(),
    actions(button()),
    {"type": "context", "elements": [plain("c")]},
]


@recorded
@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("message", "events/MessagePayload.json"),
        ("mention", "events/AppMentionPayload.json"),
        ("home", "events/AppHomeOpenedPayload.json"),
        ("home again", "events/AppHomeOpenedPayload.json"),
        ("command", "app-backend/slash-commands/SlashCommandPayload.json"),
        ("press", "app-backend/interactive-components/BlockActionPayload.json"),
        ("press in a thread", "app-backend/interactive-components/BlockActionPayload.json"),
        ("press at home", "app-backend/interactive-components/BlockActionPayload.json"),
        ("changed", "events/MessageChangedPayload.json"),
    ],
)
async def test_what_is_delivered_has_the_shape_of_a_recorded_payload(
    fake: FakeSlack, raw: Raw, kind: str, file: str
) -> None:
    ours, theirs = (await done(fake, raw, kind)).payload, recording(file)
    if kind == "command":
        ours = {**ours, "is_enterprise_install": ours["is_enterprise_install"] == "true"}
    odd = [each for each in unlike(ours, theirs) if each != ".event.view.blocks"]
    assert [each for each in odd if each not in {".view.blocks", ".event.parent_user_id"}] == []
    assert ours.get("type") == (theirs.get("type") or ours.get("type"))


async def done(fake: FakeSlack, raw: Raw, kind: str) -> Act:
    """Something of each kind that can be delivered."""
    ann, sent = fake.user("U1"), await raw.post(blocks=BLOCKS)
    reply = await raw.post(blocks=BLOCKS, thread_ts=sent["ts"])
    at = fake.at.channels[C].messages
    with fake.held():
        match kind:
            case "message":
                act = ann.say("hi")
            case "mention":
                act = ann.mention("hi", C, sent["ts"])
            case "home":
                act = ann.open_home()
            case "command":
                act = ann.command("x", C)
            case "press":
                act = ann.press(at[sent["ts"]], "Approve")
            case "press in a thread":
                act = ann.press(at[reply["ts"]], "Approve")
            case "changed":
                fake.subscriptions |= {"message.channels"}
                fake.scopes.add("channels:history")
                act = await changed(fake, raw, sent["ts"])
            case _:
                await raw.ok("views.publish", user_id="U1", view=view(*BLOCKS, private_metadata="m"))
                act = ann.press_at_home("Approve") if kind == "press at home" else ann.open_home()
    assert act
    return act


async def changed(fake: FakeSlack, raw: Raw, ts: str) -> Act:
    """What the bot hears of its own edit; it is delivered after all, to nobody."""
    fake._holding = False
    await raw.ok("chat.update", channel=C, ts=ts, text="new")
    return fake.acts[-1]


@recorded
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("auth.test", {}),
        ("apps.connections.open", {}),
        ("chat.postMessage.gz", {"channel": C, "text": "x", "blocks": BLOCKS}),
        ("chat.update.gz", {"channel": C, "ts": "{ts}", "text": "x", "blocks": BLOCKS}),
        ("chat.delete", {"channel": C, "ts": "{ts}"}),
        ("chat.postEphemeral", {"channel": C, "user": "U1", "text": "x"}),
        ("chat.getPermalink", {"channel": C, "message_ts": "{ts}"}),
        ("views.publish", {"user_id": "U1", "view": view(*BLOCKS)}),
        ("conversations.info", {"channel": C}),
        ("conversations.open.gz", {"users": "U1"}),
        ("users.info", {"user": "U1"}),
        ("pins.add", {"channel": C, "timestamp": "{ts}"}),
        ("reactions.add", {"channel": C, "timestamp": "{ts}", "name": "eyes"}),
    ],
)
async def test_an_answer_has_the_shape_of_a_recorded_one(fake: FakeSlack, raw: Raw, method: str, params: Json) -> None:
    name = method.removesuffix(".gz")
    ts = (await raw.post())["ts"]
    given = {key: ts if value == "{ts}" else value for key, value in params.items()}
    if name in {"conversations.info", "users.info", "chat.getPermalink"}:
        body = await raw.form(name, **given)
    else:
        token = fake.app_token if name == "apps.connections.open" else fake.bot_token
        body = await raw.ok(name, token=token, **given)
    theirs = recording(f"api/{name}.json{'.gz' if method != name else ''}")
    assert body["ok"]
    assert unlike(body, theirs) == []
