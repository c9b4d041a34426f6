"""What people do on Slack, by whichever way it comes in: acknowledged at once, handled after.

    slack_bolt ──▶ ack ──▶ read ──▶ receive, a person's own in order ──▶ draw ──▶ reply

Slack wants its answer within three seconds, and delivers again what it got none for; the receiver knows deliveries by
their ``delivery_id``. Both ways in end here: :mod:`handlers.slack.sockets` and :mod:`handlers.slack.hooks`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from engine.domain.messages import Card, Incoming
from handlers.answered import Arrived, Interim, Recorded, Shown, no_interim, nothing_waits, on_record
from handlers.charts.illustrating import Draw, Illustrated, illustrated
from handlers.lanes import Lanes
from handlers.slack import reading
from handlers.slack.client import SDK_LOG
from handlers.slack.reading import Body, Heard, Us
from handlers.slack.speech import Speech

log = structlog.get_logger(__name__)

Receive = Callable[[Incoming], Awaitable[Card | None]]
Reply = Callable[[Heard, Illustrated], Awaitable[None]]
Greet = Callable[[str], Awaitable[None]]

STOP_WITHIN = 5.0
_ANY = re.compile("")
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What bodies of other shapes than Slack's make the reading raise."""


class Listener:
    """Hands on what people do.

    Args:
        receive: Handles what a person did; what it returns is the reply.
        reply: Shows a reply.
        draw: Draws pictures; only the reply that has one waits for it.
        greet: Shows somebody who opened it the App Home.
        speech: How commands are written there.
        recorded: Waits until what was received is on record: what only reads is answered before.
        interim: What is said at once of something whose answer takes long.
        arrived: Is told of what a person did, before its turn comes.
        shown: Is told when a reply is there, or could not be shown.
    """

    def __init__(
        self,
        *,
        receive: Receive,
        reply: Reply,
        draw: Draw,
        greet: Greet,
        speech: Speech,
        recorded: Recorded = on_record,
        interim: Interim = no_interim,
        arrived: Arrived = nothing_waits,
        shown: Shown = nothing_waits,
    ) -> None:
        self._receive = receive
        self._arrived = arrived
        self._shown = shown
        self._recorded = recorded
        self._interim = interim
        self._draw = draw
        self._reply = reply
        self._greet = greet
        self._speech = speech
        self._lanes = Lanes()
        self.us: Us | None = None
        self.app = AsyncApp(
            client=AsyncWebClient(logger=SDK_LOG),  # bolt wants one; we speak through our own
            signing_secret="",
            authorize=_authorised,
            request_verification_enabled=False,  # a socket has no signatures; see hooks for those of requests
            ignoring_self_events_enabled=False,  # what bots say is nothing to us anyway
            logger=SDK_LOG,
            name=SDK_LOG.name,  # it sets the level of the logger with this name
        )
        self.app.command(_ANY)(self._command)
        self.app.action(_ANY)(self._press)
        self.app.event(_ANY)(self._event)

    async def stop(self) -> None:
        """Let what is under way end within a few seconds."""
        await self._lanes.close(STOP_WITHIN)

    async def _command(self, ack: AsyncAck, body: dict[str, Any], request: AsyncBoltRequest) -> None:
        await ack()
        if body.get("command") == self._speech.command:
            self._take(body, lambda us: reading.command(body, us, self._speech, _stamped(request)))

    async def _press(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        self._take(body, lambda us: reading.press(body, us))

    async def _event(self, body: dict[str, Any]) -> None:  # bolt has acknowledged it
        self._take(body, lambda us: reading.event(body, us, self._speech))
        if self.us and (user := reading.home_opened(body, self.us)):
            self._lanes.add(("home", user), partial(self._greet, user))

    def _take(self, body: Body, read: Callable[[Us], Heard | None]) -> None:
        """Read what came in and handle it when everything its person did before is handled."""
        if self.us is None:
            return
        try:
            heard = read(self.us)
        except UNREADABLE as error:
            log.warning("slack.unreadable", kind=str(body.get("type")), detail=repr(error))
            return
        if heard:
            self._arrived(heard.incoming)
            self._lanes.add(("person", heard.incoming.user), partial(self._handle, heard))

    async def _handle(self, heard: Heard) -> None:
        if first := self._interim(heard.incoming):
            self._show(heard, Illustrated(card=first))
        try:
            card = await self._receive(heard.incoming)
        except Exception:  # one delivery that cannot be handled must not stop all that come after it
            log.exception("slack.receive_failed", delivery_id=heard.incoming.delivery_id)
            return
        if card and card.picture:
            self._lanes.add(("picture", heard.incoming.delivery_id), partial(self._illustrate, heard, card))
        elif card:
            self._show(heard, Illustrated(card=card))
        await self._recorded(heard.incoming)

    async def _illustrate(self, heard: Heard, card: Card) -> None:
        self._show(heard, await illustrated(card, self._draw))

    def _show(self, heard: Heard, shown: Illustrated) -> None:
        """Reply when every reply before has been shown."""
        self._lanes.add(("reply", heard.incoming.address), partial(self._answer, heard, shown))

    async def _answer(self, heard: Heard, shown: Illustrated) -> None:
        try:
            await self._reply(heard, shown)
        finally:
            self._shown(heard.incoming)


async def _authorised() -> AuthorizeResult:
    """Whom to let in is decided per person, by the receiver."""
    return AuthorizeResult(enterprise_id=None, team_id=None)


def _stamped(request: AsyncBoltRequest) -> datetime | None:
    """When Slack sent a request over HTTP; a socket has nothing in store that is older than itself."""
    stamps = request.headers.get("x-slack-request-timestamp")
    return datetime.fromtimestamp(int(stamps[0]), UTC) if stamps else None
