"""The Web API over HTTP: who asks, how parameters come, and what can be wrong between the bot and the server."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.slack_limits import RateLimited
from tests.fakes.slack_methods import CONNECT
from tests.fakes.slack_state import Json, SlackError
from tests.fakes.troubles import Trouble, hitting

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack

TICK = 0.005
FORM_ONLY = {"chat.getPermalink", "conversations.info", "users.info"}
"""Methods that do not read JSON."""


class Fault(StrEnum):
    """What can be wrong between the bot and the server."""

    CUT = "cut"
    """The connection is cut before anything is done."""
    LOST = "lost"
    """It is done, and the connection is cut before the answer."""
    HANG = "hang"
    """Nothing comes back until the fault is over."""
    UNAVAILABLE = "unavailable"
    """503 with a line of text."""
    HTML = "html"
    """200 with a page of HTML."""
    INTERNAL = "internal"
    """200, and Slack says that it has a problem."""
    RATE_LIMITED = "rate limited"
    """429, and to come again in a second."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as it arrived, what it was answered (``ok``, an error, or a fault), and when (monotonic)."""

    method: str
    params: Json
    outcome: str
    at: float


@dataclass
class WebApi:
    """Serves the calls of a fake's methods."""

    fake: FakeSlack
    calls: list[Call] = field(default_factory=list)
    troubles: list[Trouble[Fault]] = field(default_factory=list)

    def recover(self) -> None:
        """End all faults."""
        self.troubles.clear()

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """A response URL was used."""
        try:
            with self.fake.at.lock:
                self.fake.methods.messages.answer_hook(request.match_info["name"], await request.json())
        except SlackError as error:
            gone = error.error in {"used_url", "expired_url"}
            return web.json_response(error.answer(), status=404 if gone else 400)
        return web.Response(text="ok")

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A file comes, by itself or in a form; nobody shows a token."""
        if (trouble := hitting(self.troubles, "upload")) and trouble.fault is not Fault.LOST:
            return web.Response(status=503, text="upstream connect error")
        content = await request.read()
        if not self.fake.methods.files.take(request.match_info["file"], content):
            return web.Response(status=400, text="the file is not what was announced")
        return web.Response(text=f"OK - {len(content)}")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or let it go wrong."""
        method = request.match_info["method"]
        trouble = hitting(self.troubles, method)
        match trouble.fault if trouble else None:
            case None:
                return await self._answer(request, method)
            case Fault.LOST:
                await self._answer(request, method)
                return _cut(request)
            case Fault.HANG:
                while trouble in self.troubles:  # noqa: ASYNC110 - ended by another thread
                    await asyncio.sleep(TICK)
                self._record(method, {}, Fault.HANG)
                return _cut(request)
            case fault:
                self._record(method, {}, fault)
                return _cut(request) if fault is Fault.CUT else _BROKEN[fault]()

    async def _answer(self, request: web.Request, method: str) -> web.Response:
        params: Json = {}
        try:
            params, warnings = await _params(request, method)
            body = self.fake.methods.call(method, _token(request, params), params) | warnings
        except SlackError as error:
            body = error.answer()
        except RateLimited as error:
            self._record(method, params, "ratelimited")
            return _too_many(error.retry_after)
        self._record(method, params, body.get("error", "ok"))
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.fake.methods.scopes))} if method != CONNECT else {}
        return web.json_response(body, headers=headers)

    def _record(self, method: str, params: Json, outcome: str) -> None:
        self.calls.append(Call(method=method, params=params, outcome=str(outcome), at=time.monotonic()))


def _cut(request: web.Request) -> web.Response:
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.abort()
    return web.Response()


def _too_many(seconds: int) -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(max(1, seconds))}
    )


_PAGE = "<html><head><title>Slack</title></head><body><h1>Server error</h1></body></html>"
_BROKEN = {
    Fault.UNAVAILABLE: lambda: web.Response(status=503, text="upstream connect error"),
    Fault.HTML: lambda: web.Response(text=_PAGE, content_type="text/html"),
    Fault.INTERNAL: lambda: web.json_response({"ok": False, "error": "internal_error"}),
    Fault.RATE_LIMITED: lambda: _too_many(1),
}


def _token(request: web.Request, params: Json) -> str:
    """The token: from the header, or from a form; never from JSON, nor from the query of the URL."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ")
    is_form = request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}
    return str(params.get("token", "")) if is_form else ""


async def _params(request: web.Request, method: str) -> tuple[Json, Json]:
    """The parameters of a call, and what Slack warns of."""
    query: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        body = await _json(request)
        if method in FORM_ONLY:
            return query, {}
        return query | body, {} if request.charset else _warning("missing_charset")
    if request.method == "POST" and request.body_exists and request.content_type == "application/octet-stream":
        raise SlackError("invalid_post_type")
    return query | dict(await request.post()), {}


async def _json(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text())
    except ValueError as error:
        raise SlackError("invalid_json") from error
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _warning(word: str) -> Json:
    return {"warning": word, "response_metadata": {"warnings": [word]}}
