"""The way in over HTTP: Slack's servers call the program's own web server.

A request's signature and age (five minutes) are checked before anything in it is read; one that does not hold has no
effect and is answered 401. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import SecretStr
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import Clock, SignatureVerifier
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.timing.clocks import wall

PATH = "/hooks/slack"
LONGEST_STAMP = 20


class _Clock(Clock):
    """A wall clock as the library wants it."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall

    def now(self) -> float:
        """Unix seconds."""
        return self._wall().timestamp()


def make_route(
    app: AsyncApp, secret: SecretStr, is_open: Callable[[], bool], wall: Callable[[], datetime] = wall
) -> Route:
    """Where Slack calls. The web server itself refuses bodies that are too long.

    Args:
        app: What is done about a request.
        secret: What Slack signs its requests with.
        is_open: Whether anything can be handled now. Otherwise the answer is 503: Slack delivers events again.
        wall: The wall clock, for the age of a request.
    """
    handler, verifier = AsyncSlackRequestHandler(app), SignatureVerifier(secret.get_secret_value(), _Clock(wall))

    async def called(request: Request) -> Response:
        if not is_genuine(verifier, await request.body(), request):
            return JSONResponse({"detail": "This request is not signed by Slack."}, status_code=401)
        if not is_open():
            return JSONResponse({"detail": "Not now."}, status_code=503)
        try:
            return await handler.handle(request)
        except ValueError:
            return JSONResponse({"detail": "This request cannot be read."}, status_code=400)

    return Route(PATH, called, methods=["POST"])


def is_genuine(verifier: SignatureVerifier, body: bytes, request: Request) -> bool:
    """Whether Slack has signed a request, and within the last five minutes."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (signature.isascii() and stamp.isascii() and stamp.isdecimal() and len(stamp) < LONGEST_STAMP):
        return False
    try:
        return verifier.is_valid(body, stamp, signature)
    except UnicodeDecodeError:  # Slack sends text
        return False
