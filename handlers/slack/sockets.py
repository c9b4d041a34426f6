"""The way in over Socket Mode: a WebSocket of ours to Slack's servers, and the next one when it comes to its end.

    apps.connections.open ──▶ connect ──▶ hello ──▶ envelopes, each acknowledged ──▶ cut, stalled, refreshed ──▶ again

slack_sdk's own client keeps trying one URL for ever, though a URL opens one connection; it closes an old connection
before it has a new one; and it tells nobody but the log what is wrong. Here a connection that Slack is about to refresh
goes on until the next one stands, so that nothing falls in between.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.outages import Health, Outage
from handlers.slack.health import explained, rest

log = structlog.get_logger(__name__)

HELLO_WITHIN = 10.0
"""Seconds from the connection to Slack's first word."""
GOODBYE_WITHIN = 1.0
"""Seconds that a connection of ours waits for what is to be acknowledged, and for Slack to take leave too."""
MOST_BYTES = 4 * 1024 * 1024
"""More than Slack ever sends at once; a longer message ends the socket, and a new one is opened."""
PLACE = "socket"
SWITCHED_OFF = "link_disabled"

Answer = Callable[[SocketModeRequest], Awaitable[bool]]


class Lost(Exception):
    """A connection came to its end without notice, or never began; says so in words for people."""


class Connection:
    """One WebSocket, from its hello to its end. That the other side still answers is the WebSocket's own business.

    Args:
        socket: The open WebSocket.
        answer: Handles what comes in; whether that is to be acknowledged.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, answer: Answer) -> None:
        self._socket = socket
        self._answer = answer
        self._answering: set[asyncio.Task[None]] = set()
        self.greeted = asyncio.Event()
        self.ending = asyncio.Event()

    async def listen(self) -> None:
        """Take in envelopes until the connection ends.

        Raises:
            Lost: It ended without Slack having announced it.
        """
        try:
            while (text := await self._next()) is not None:
                self._take(json.loads(text))
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Close; before that, acknowledge what has come in, for an end that was said goodbye to still carries it."""
        if self._answering and not self._socket.closed:
            await asyncio.wait(self._answering, timeout=GOODBYE_WITHIN)
        await self._socket.close()

    async def _next(self) -> str | None:
        """The next message; ``None`` at the end of a connection that was to end."""
        try:
            message = await self._socket.receive(timeout=None if self.greeted.is_set() else HELLO_WITHIN)
        except TimeoutError:
            raise Lost("Slack does not say hello.") from None
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if self.ending.is_set():
            return None
        raise Lost("The connection to Slack was lost.")

    def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "hello":
                self.greeted.set()
            case "disconnect" if message.get("reason") == SWITCHED_OFF:
                raise Lost("Socket Mode is switched off for the app.")
            case "disconnect":
                log.info("slack.refresh", reason=message.get("reason"))
                self.ending.set()
            case _ if request := SocketModeRequest.from_dict(message):
                task = asyncio.create_task(self._acknowledge(request))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _acknowledge(self, request: SocketModeRequest) -> None:
        if not await self._answer(request):
            return
        with contextlib.suppress(ConnectionError):  # it is delivered again, and known by its delivery id
            await self._socket.send_json(SocketModeResponse(envelope_id=request.envelope_id).to_dict())


class Sockets:
    """Keeps a connection open.

    Args:
        client: Asks for the URL of a new one, and has the session.
        app_token: What opens connections.
        app: What is done about an envelope.
        health: Where trouble is told.
        ping_interval: Seconds between two looks whether the other side is still there.
    """

    def __init__(
        self, *, client: AsyncWebClient, app_token: SecretStr, app: AsyncApp, health: Health, ping_interval: float
    ) -> None:
        self._client = client
        self._app_token = app_token
        self._app = app
        self._health = health
        self._ping_interval = ping_interval
        self._lives: set[asyncio.Task[None]] = set()
        self._outage = Outage()
        self.connected = asyncio.Event()
        health.begin(PLACE, "Slack's socket is not open yet.")

    async def run(self) -> None:
        """Listen until cancelled; whatever goes wrong is told, and tried again."""
        try:
            while True:
                error = await self._failure()
                if error is not None:
                    text = str(error) if isinstance(error, Lost) else explained(error)
                    self._health.trouble(PLACE, text, type(error).__name__)
                    await asyncio.sleep(max(self._outage.pause(), rest(error) or 0.0))
        finally:
            self.connected.clear()
            for life in self._lives:
                life.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)

    async def _failure(self) -> Exception | None:
        """Have one connection, until it ends or needs a successor; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            connection = await self._connect()
            life = self._begin(connection)
            await _reached(connection.greeted, life)
            self._went_well()
            await _reached(connection.ending, life)
        except Exception as error:  # noqa: BLE001 - the edge of the program: an answer of theirs may be any nonsense
            return error
        return None

    async def _connect(self) -> Connection:
        opened = await self._client.apps_connections_open(app_token=self._app_token.get_secret_value())
        if (session := self._client.session) is None:
            raise Lost("The bot is stopping.")
        socket = await session.ws_connect(
            opened["url"],
            heartbeat=self._ping_interval,
            autoclose=False,
            max_msg_size=MOST_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_WITHIN),
        )
        return Connection(socket, self._answer)

    def _begin(self, connection: Connection) -> asyncio.Task[None]:
        """Listen to a connection; one that is to end goes on bringing beside its successor."""
        life = asyncio.create_task(connection.listen())
        self._lives.add(life)
        life.add_done_callback(self._ended)
        return life

    def _ended(self, life: asyncio.Task[None]) -> None:
        self._lives.discard(life)
        if not life.cancelled() and (error := life.exception()):
            log.info("slack.disconnected", detail=repr(error))

    def _went_well(self) -> None:
        self._outage.over()
        self._health.well(PLACE)
        self.connected.set()
        log.info("slack.connected")

    async def _answer(self, request: SocketModeRequest) -> bool:
        response = await run_async_bolt_app(self._app, request)
        return bool(response.status == HTTPStatus.OK)


async def _reached(event: asyncio.Event, life: asyncio.Task[None]) -> None:
    """Wait for an event in a connection's life.

    Raises:
        Lost: The life ended before.
    """
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, life}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if life.done():
        life.result()
    if not event.is_set():
        raise Lost("Slack has closed the connection.")
