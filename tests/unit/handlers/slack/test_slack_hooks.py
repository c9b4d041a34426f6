"""Requests over HTTP: only what Slack signed within five minutes is read at all."""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from engine.domain.messages import Card, Incoming
from handlers.charts.illustrating import no_pictures
from handlers.slack.hooks import PATH, make_route
from handlers.slack.listening import Listener
from handlers.slack.reading import Heard, Us
from handlers.slack.speech import Speech

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMAND = urlencode(
    {
        "command": "/bot",
        "text": "status",
        "team_id": "T1",
        "channel_id": "C1",
        "user_id": "U1",
        "trigger_id": "1.2.abc",
        "response_url": "https://hooks.example/1",
    }
).encode()
FORM = "application/x-www-form-urlencoded"


class Door:
    """The route with a listener behind it."""

    def __init__(self) -> None:
        self.heard: list[Incoming] = []
        self.open = True
        self.answers = asyncio.Event()
        self.answers.set()
        listener = Listener(
            receive=self.receive,
            reply=self.reply,
            draw=no_pictures,
            greet=self.greet,
            speech=Speech("/bot", ("status",)),
        )
        listener.us = Us(team="T1", user="UBOT")
        self.app = Starlette(routes=[make_route(listener.app, SecretStr(SECRET), lambda: self.open)])

    async def receive(self, heard: Incoming) -> None:
        await self.answers.wait()
        self.heard.append(heard)

    async def reply(self, heard: Heard, card: Card) -> None:
        """Nobody answers here."""

    async def greet(self, user: str) -> None:
        """Nobody has a home here."""

    async def post(self, body: bytes, headers: dict[str, str | bytes], kind: str = FORM) -> int:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            raw = {name.encode(): text.encode() if isinstance(text, str) else text for name, text in headers.items()}
            answer = await client.post(PATH, content=body, headers={b"content-type": kind.encode()} | raw)
        await asyncio.sleep(0)
        return answer.status_code


def signed(body: bytes, *, age: float = 0, secret: str = SECRET) -> dict[str, str | bytes]:
    stamp = str(int(time.time() - age))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": signature or ""}


@pytest.fixture
async def door() -> Door:
    return Door()


async def test_what_slack_signed_is_acknowledged_and_bears_the_time_of_its_request(door: Door) -> None:
    assert await door.post(COMMAND, signed(COMMAND, age=299)) == 200
    (heard,) = door.heard
    assert heard.sent_at is not None
    assert 298 < time.time() - heard.sent_at.timestamp() < 310


@pytest.mark.parametrize("age", [301, -400, 1e9])  # of a time to come, with room for a slow machine
async def test_an_old_signature_is_refused(door: Door, age: float) -> None:
    assert await door.post(COMMAND, signed(COMMAND, age=age)) == 401
    assert door.heard == []


@pytest.mark.parametrize(
    "changes",
    [
        {"x-slack-signature": ""},
        {"x-slack-signature": "v0=0000"},
        {"x-slack-signature": b"v0=\xe9"},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "now"},
        {"x-slack-request-timestamp": "9" * 5000},
        {"x-slack-request-timestamp": "-1"},
    ],
)
async def test_a_signature_that_is_none_is_refused(door: Door, changes: dict[str, str | bytes]) -> None:
    assert await door.post(COMMAND, signed(COMMAND) | changes) == 401
    assert door.heard == []


async def test_another_body_or_another_secret_is_refused(door: Door) -> None:
    assert await door.post(COMMAND.replace(b"U1", b"U2"), signed(COMMAND)) == 401
    assert await door.post(COMMAND, signed(COMMAND, secret="another")) == 401
    assert await door.post(COMMAND, {}) == 401
    assert door.heard == []


@pytest.mark.parametrize(("body", "kind"), [(b"{not json", "application/json"), (b"payload=%7Bno", FORM), (b"", FORM)])
async def test_garbage_is_refused_unread_and_survived_where_it_is_signed(door: Door, body: bytes, kind: str) -> None:
    assert await door.post(body, {}, kind) == 401
    assert await door.post(body, signed(body), kind) in {400, 404}
    assert door.heard == []


async def test_bytes_that_are_no_text_are_refused(door: Door) -> None:
    assert await door.post(b"\xff\xfe", signed(COMMAND)) == 401


async def test_a_url_is_proved_to_be_ours(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c", "token": "t"}).encode()
    assert await door.post(body, signed(body), "application/json") == 200


async def test_while_a_venue_hangs_each_request_is_acknowledged_at_once_and_handled_once_after(door: Door) -> None:
    door.answers.clear()
    bodies = [COMMAND.replace(b"abc", name) for name in (b"abc", b"abd", b"abe")]
    for body in bodies:
        assert await asyncio.wait_for(door.post(body, signed(body)), 1) == 200
    assert door.heard == []
    door.answers.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert [heard.delivery_id for heard in door.heard] == ["1.2.abc", "1.2.abd", "1.2.abe"]


async def test_while_nothing_can_be_handled_slack_is_told_to_come_again(door: Door) -> None:
    door.open = False
    assert await door.post(COMMAND, signed(COMMAND)) == 503
    assert await door.post(COMMAND, {}) == 401
    assert door.heard == []
