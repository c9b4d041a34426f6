"""Slack as a platform: the one door of this package."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from aiohttp import ClientSession
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import BaseRoute

from engine.domain.messages import Card, Destination, Ref
from engine.timing.clocks import wall
from handlers.answered import (
    Arrived,
    Interim,
    Note,
    Recorded,
    Shown,
    is_answer,
    no_interim,
    not_noted,
    nothing_waits,
    on_record,
)
from handlers.charts.illustrating import Draw, no_pictures
from handlers.outages import Health, Outage
from handlers.slack.client import HideTokens, make_client, make_session
from handlers.slack.health import explained, rest
from handlers.slack.home import Board, Home
from handlers.slack.hooks import make_route
from handlers.slack.listening import Listener, Receive
from handlers.slack.pacing import make_pacer
from handlers.slack.reading import PLATFORM, Us
from handlers.slack.replying import Replier
from handlers.slack.sending import Sender
from handlers.slack.sockets import Sockets
from handlers.slack.speech import UTC, Speech
from handlers.slack.uploads import Uploads

log = structlog.get_logger(__name__)

CONNECT_WITHIN = 2.0
"""Seconds that a start waits for the connection; an outage must not hold it up for longer."""
GREETING = "greeting"


class SlackPlatform:
    """Implements the port ``Platform``; listens over a socket of its own, or over the program's web server.

    Args:
        bot_token: What the bot speaks with (``xoxb-``). No secret is ever in logs or errors.
        app_token: What opens a socket (``xapp-``); with it the bot listens over one.
        signing_secret: What Slack signs its requests with; used where there is no ``app_token``.
        api_url: The root of the Web API, e.g. ``https://slack.com/api``.
        command: The app's slash command.
        names: The names of our commands, without slash.
        receive: Handles what a person did and returns the reply. It may be given the same ``delivery_id`` again.
        home: What a person's App Home shows.
        draw: Draws the pictures of replies.
        zone: By whose clock the titles of cards tell times.
        note: Takes note of where a reply is.
        messages_per_second: How fast to write into one channel.
        ping_interval: How often to look whether the socket still carries anything.
        answer_timeout: How long any answer may take.
        sessions: Makes the connections, each answer within so many seconds; ``None`` for the network.
        wall: The wall clock, for the age of what Slack sends.
        recorded: Waits until what was received is on record.
        arrived: Is told of what a person did, before its turn comes.
        shown: Is told when an answer is there.
    """

    name = PLATFORM

    def __init__(
        self,
        *,
        bot_token: SecretStr,
        app_token: SecretStr | None,
        signing_secret: SecretStr | None,
        api_url: str,
        command: str,
        names: Iterable[str],
        receive: Receive,
        home: Board,
        draw: Draw = no_pictures,
        zone: ZoneInfo = UTC,
        note: Note = not_noted,
        messages_per_second: float = 1.0,
        ping_interval: timedelta = timedelta(seconds=10),
        answer_timeout: timedelta = timedelta(seconds=10),
        sessions: Callable[[float], ClientSession] | None = None,
        wall: Callable[[], datetime] = wall,
        recorded: Recorded = on_record,
        interim: Interim = no_interim,
        arrived: Arrived = nothing_waits,
        shown: Shown = nothing_waits,
    ) -> None:
        self._hide_tokens = HideTokens([token for token in (bot_token, app_token, signing_secret) if token])
        self._answer_timeout = answer_timeout.total_seconds()
        self._make_session = sessions or make_session
        self._wall = wall
        self._client: AsyncWebClient = make_client(bot_token, api_url)
        self._health = Health(PLATFORM)
        speech, pacer = Speech(command, names, zone), make_pacer(per_second=messages_per_second)
        self._sender = Sender(client=self._client, pacer=pacer, health=self._health, speech=speech)
        self._home = Home(client=self._client, pacer=pacer, cards=home, speech=speech)
        self._listener = Listener(
            receive=receive,
            reply=Replier(
                sender=self._sender,
                uploads=Uploads(client=self._client),
                client=self._client,
                speech=speech,
                note=note,
            ).reply,
            draw=draw,
            greet=self._home.open,
            speech=speech,
            recorded=recorded,
            interim=interim,
            arrived=arrived,
            shown=shown,
        )
        self._sockets = (
            Sockets(
                client=self._client,
                app_token=app_token,
                app=self._listener.app,
                health=self._health,
                ping_interval=ping_interval.total_seconds(),
            )
            if app_token
            else None
        )
        self._secret = None if app_token else signing_secret
        self._connected = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._health.begin(GREETING, "Slack is not connected yet.")

    @property
    def health(self) -> str:
        """``ok``, or what is wrong, in words for people."""
        return str(self._health)

    @property
    def hooks(self) -> tuple[BaseRoute, ...]:
        """Where Slack calls; none where the bot has a socket."""
        return (
            (make_route(self._listener.app, self._secret, self._connected.is_set, self._wall),) if self._secret else ()
        )

    async def start(self) -> None:
        """Begin to listen in the background. Never fails: a wrong token or an outage shows in ``health``."""
        self._hide_tokens.begin()
        self._client.session = self._make_session(self._answer_timeout)
        self._running = asyncio.create_task(self._run())
        connected = self._sockets.connected if self._sockets else self._connected
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN):
                await connected.wait()

    async def stop(self) -> None:
        """Let nothing more in, finish what is being handled within a few seconds, and close every connection."""
        self._connected.clear()
        if self._running:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        try:
            await self._listener.stop()
            await self._home.stop()
        finally:
            if self._client.session:
                await self._client.session.close()
            self._client.session = None
            self._hide_tokens.end()

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:
        """Show a card, in place of the one at ``ref`` where there is one, a new one in the thread of ``under``.

        A put that fails does not mean that nothing was posted: where the answer to a new message was lost, the next
        try shows it a second time. Edits can be repeated without harm.

        Raises:
            RetryAt: Flood control, an outage, or a channel that does not let the bot write (see ``health``).
            Gone: ``ref`` cannot be edited any more.
            BadCard: Slack will never take it.
        """
        self._home.changed()
        return await self._sender.put(to, card, ref, under, is_reply=is_answer(card))

    async def _run(self) -> None:
        """Find out who the bot is there, however long it takes; then listen."""
        outage = Outage()
        while (error := await self._failure()) is not None:
            self._health.trouble(GREETING, explained(error), type(error).__name__)
            await asyncio.sleep(max(outage.pause(), rest(error) or 0.0))
        self._health.well(GREETING)
        self._connected.set()
        if self._sockets:
            await self._sockets.run()

    async def _failure(self) -> Exception | None:
        """Ask who the bot is; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            told = await self._client.auth_test()
            self._listener.us = Us(team=told["team_id"], user=told["user_id"])
        except Exception as error:  # noqa: BLE001 - the edge of the program: an answer of theirs may be any nonsense
            return error
        return None
