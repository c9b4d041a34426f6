"""How Slack brings to an app what somebody did: how often it tries, how long it waits, and what it remembers of it.

Only events are tried again where no acknowledgement comes in time: at once, and then after minutes. A press or a
slash command that is not acknowledged is lost, and the person who did it sees that (python-slack-sdk issue 1940).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack_blocks import Json

EVENTS, COMMANDS, INTERACTIVE = "events_api", "slash_commands", "interactive"
TICK = 0.005


@dataclass(kw_only=True)
class Attempt:
    """One delivery: over what, as which retry and why, and when it was acknowledged (monotonic), in time or not."""

    number: int
    reason: str
    at: float
    by: str = ""
    acked_at: float | None = None
    response: Json = field(default_factory=dict)


@dataclass(kw_only=True)
class Act:
    """What somebody did, and what became of it; ``failed`` is what they see where it did not reach the app."""

    kind: str
    payload: Json
    person: str
    attempts: list[Attempt] = field(default_factory=list)
    failed: str = ""
    done: bool = False

    @property
    def acked(self) -> bool:
        """Whether the app acknowledged it in time."""
        return self.done and not self.failed

    @property
    def acked_by(self) -> str:
        """The connection over which it was first acknowledged, or nothing."""
        return next((attempt.by for attempt in self.attempts if attempt.acked_at is not None), "")

    @property
    def acked_after(self) -> float | None:
        """Seconds from the first delivery to the first acknowledgement."""
        acked = [attempt.acked_at for attempt in self.attempts if attempt.acked_at is not None]
        return min(acked) - self.attempts[0].at if acked else None

    async def finished(self, timeout: float = 10.0) -> Act:  # noqa: ASYNC109 - a test's own deadline
        """Return once it was acknowledged or given up.

        Raises:
            AssertionError: Neither in time.
        """
        deadline = time.monotonic() + timeout
        while not self.done:
            assert time.monotonic() < deadline, f"not within {timeout} s: {self}"
            await asyncio.sleep(TICK)
        return self


class Line(Protocol):
    """What things are delivered over."""

    async def deliver(self, act: Act, attempt: Attempt) -> str:
        """Deliver and wait for the acknowledgement; why it did not come, or nothing."""


@dataclass(kw_only=True)
class Patience:
    """How long Slack waits, in seconds: for an acknowledgement, and before each time it tries an event again."""

    ack_within: float = 3.0
    retry_after: tuple[float, ...] = (0.0, 60.0, 300.0)


@dataclass(kw_only=True)
class Dispatcher:
    """Delivers what people do, each thing by itself."""

    line: Line
    patience: Patience
    acts: list[Act] = field(default_factory=list)
    answered: Callable[[Act, Json], None] = lambda _act, _response: None

    async def dispatch(self, act: Act) -> None:
        """Deliver until it is acknowledged or given up."""
        reason = ""
        waits = (0.0, *self.patience.retry_after) if act.kind == EVENTS else (0.0,)
        for number, wait in enumerate(waits):
            await asyncio.sleep(wait)
            attempt = Attempt(number=number, reason=reason, at=time.monotonic())
            act.attempts.append(attempt)
            reason = await self.line.deliver(act, attempt)
            if not reason:
                self.answered(act, attempt.response)
                break
            if reason == NO_RETRY:
                break
        act.failed = reason and ("operation_timeout" if reason == TIMEOUT else reason)
        act.done = True


TIMEOUT, FAILED, HTTP_ERROR, NO_RETRY = "http_timeout", "connection_failed", "http_error", "no_retry"


class Signing(StrEnum):
    """How a request to the app is signed."""

    RIGHT = "right"
    NONE = "none"
    WRONG = "wrong"
    OLD = "old"
    """Signed well, and sent ten minutes later."""


@dataclass(kw_only=True)
class HttpLine:
    """Requests to the app's URL, signed with its secret."""

    url: str
    secret: str
    patience: Patience

    async def deliver(self, act: Act, attempt: Attempt) -> str:
        attempt.by = self.url
        retry = {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        try:
            status, headers, answer = await self.send(act.kind, act.payload, retry if attempt.number else {})
        except TimeoutError:
            return TIMEOUT
        except aiohttp.ClientError:
            return FAILED
        if status // 100 != 2:
            return NO_RETRY if headers.get("X-Slack-No-Retry") == "1" else HTTP_ERROR
        attempt.acked_at = time.monotonic()
        attempt.response = _response(answer, headers.get("Content-Type", ""))
        return ""

    async def send(
        self, kind: str, payload: Json, headers: dict[str, str], signing: Signing = Signing.RIGHT
    ) -> tuple[int, dict[str, str], str]:
        """Send one request; the status, headers and body of the answer.

        Raises:
            TimeoutError: No answer in time.
            aiohttp.ClientError: The connection failed.
        """
        body, content_type = encoded(kind, payload)
        signed = {"Content-Type": content_type, **signature(self.secret, body, signing), **headers}
        timeout = aiohttp.ClientTimeout(total=self.patience.ack_within)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(self.url, data=body.encode(), headers=signed, allow_redirects=False) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.text()


def signature(secret: str, body: str, signing: Signing = Signing.RIGHT) -> dict[str, str]:
    """The headers by which an app knows that a request is Slack's (docs.slack.dev, verifying requests)."""
    if signing is Signing.NONE:
        return {}
    stamp = str(int(time.time()) - (600 if signing is Signing.OLD else 0))
    key = secret[::-1] if signing is Signing.WRONG else secret
    digest = hmac.new(key.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def encoded(kind: str, payload: Json) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    match kind:
        case "slash_commands":
            return urlencode(payload), form
        case "interactive":
            return urlencode({"payload": json.dumps(payload)}), form
    return json.dumps(payload), "application/json"


def _response(text: str, content_type: str) -> Json:
    if text and content_type.startswith("application/json"):
        body: Json = json.loads(text)
        return body
    return {"text": text} if text else {}
