"""Slack within the simulation: the fake's workspace behind the program's own session, and its calls by hand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
from starlette.requests import Request

from tests.chaos.telegram import Around, do_late
from tests.fakes.slack_blocks import Json
from tests.fakes.slack_delivery import encoded
from tests.fakes.slack_limits import RateLimited
from tests.fakes.slack_methods import BOT_TOKEN, SIGNING_SECRET, Methods
from tests.fakes.slack_state import SlackError, Workspace

if TYPE_CHECKING:
    from tests.chaos.world import World

PATH = "/hooks/slack"
PATIENCE = 10.0
"""Seconds that the program waits for an answer."""


class Answer:
    """What a call of the Web API is answered."""

    def __init__(self, status: int, body: Json | str, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self._body = body
        self.content_type = "text/html" if isinstance(body, str) else "application/json"

    async def json(self) -> Json:
        body: Json = json.loads(self._body) if isinstance(self._body, str) else self._body
        return body

    async def text(self) -> str:
        return self._body if isinstance(self._body, str) else json.dumps(self._body)


class Servers(Protocol):
    """What answers calls of the Web API."""

    @property
    def methods(self) -> Methods:
        """The calls by name."""
        ...


class AroundSlack(Around, Protocol):
    """What lies around the session, with the servers."""

    @property
    def slack(self) -> Servers:
        """The servers."""
        ...


class Session:
    """Stands where aiohttp's session does: carries calls to the workspace, as well as the faults allow."""

    closed = False

    def __init__(self, world: AroundSlack, chance: Random) -> None:
        self._world = world
        self._chance = chance

    @asynccontextmanager
    async def request(self, _verb: str, url: str, **options: Any) -> AsyncIterator[Answer]:
        """A call of the Web API."""
        given = {**(options.get("params") or {}), **(options.get("data") or {}), **(options.get("json") or {})}
        params = {name: value for name, value in given.items() if value is not None}
        yield await self._carried(url.rpartition("/")[2], params)

    @asynccontextmanager
    async def post(self, url: str, *, json: Json) -> AsyncIterator[Answer]:
        """A use of a response URL."""
        yield await self._carried(f"hook {url.rpartition('/')[2]}", json)

    async def close(self) -> None:
        """Nothing is open."""

    async def _carried(self, what: str, params: Json) -> Answer:
        if self._world.closed:
            raise aiohttp.ClientConnectionError("the run is over")
        fault = self._world.faults.draw("slack")
        self._world.note("slack", what, str(params.get("text", ""))[:60].replace("\n", " | "), fault)
        await asyncio.sleep(self._chance.choice((0.0, 0.001, 0.02, 0.1)))
        match fault:
            case "cut":
                raise aiohttp.ClientConnectionError("refused")
            case "hang":
                await asyncio.sleep(PATIENCE)
                raise TimeoutError
            case "late":
                do_late(PATIENCE, what, lambda: self._done(what, params))
                await asyncio.sleep(PATIENCE)
                raise TimeoutError
            case "unavailable":
                return Answer(503, "upstream connect error")
            case "html":
                return Answer(200, "<html><body>Slack is down</body></html>")
            case "internal":
                return Answer(200, {"ok": False, "error": "internal_error"})
            case "rate limited":
                return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "3"})
        answer = self._done(what, params)
        await asyncio.sleep(3.0 if fault == "slow" else self._chance.choice((0.0, 0.001, 0.02)))
        if fault == "lost":
            raise aiohttp.ServerDisconnectedError
        return answer

    def _done(self, what: str, params: Json) -> Answer:
        methods = self._world.slack.methods
        try:
            if what.startswith("hook "):
                methods.messages.answer_hook(what.removeprefix("hook "), params)
                return Answer(200, {"ok": True})
            return Answer(200, methods.call(what, BOT_TOKEN, params))
        except SlackError as error:
            return Answer(404 if what.startswith("hook ") else 200, error.answer())
        except RateLimited as error:
            return Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(error.retry_after)})


class Slack:
    """The workspace, and how its servers call the program."""

    def __init__(self, world: World) -> None:
        self.at = Workspace(wall=lambda: world.wall().timestamp(), monotonic=world.loop.time)
        self.methods = Methods(self.at, ticket=lambda: "", trigger_lives=3.0)
        self.methods.limits.as_documented()

    def signed(self, kind: str, payload: Json) -> Request:
        """A request as Slack sends it now."""
        return signed(kind, payload, self.at.wall())


def signed(kind: str, payload: Json, at: float) -> Request:
    """A request as Slack sends it.

    Args:
        kind: ``interactive``, ``slash_commands`` or ``events``.
        payload: What it carries.
        at: Unix seconds.
    """
    text, content_type = encoded(kind, payload)
    stamp = str(int(at))
    digest = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": content_type,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={digest}",
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": text.encode(), "more_body": False}

    return Request(scope, receive)
