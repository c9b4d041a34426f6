"""Telegram as a platform: the one door of this package."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

import structlog
from pydantic import SecretStr
from starlette.routing import BaseRoute

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card, Destination, Incoming, Ref
from engine.ports import Gone, RetryAt
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
from handlers.cards import errors
from handlers.charts.illustrating import Draw, Illustrated, no_pictures, with_note
from handlers.outages import Health
from handlers.telegram.client import HideToken, Transport, make_client
from handlers.telegram.connecting import LISTENING
from handlers.telegram.intake import Intake, Receive
from handlers.telegram.kept_updates import Holding, Keep, NothingKept
from handlers.telegram.listening import Poller
from handlers.telegram.pacing import make_pacer
from handlers.telegram.photos import NotShown, as_messages
from handlers.telegram.reading import PLATFORM
from handlers.telegram.sending import Closed, Sender
from handlers.telegram.webhook import Webhook, WebhookAt

log = structlog.get_logger(__name__)

CATCH_UP_WITHIN = 2.0
"""Seconds that a start waits for what was sent while the bot was away; an outage must not hold it up for longer."""
REPLY_WITHIN = 900.0
"""Seconds after which a reply that could not be shown is given up; cards of the outbox never are."""


class TelegramPlatform:
    """Implements the port ``Platform``; listens inside the program's own loop, by long polling or by webhook.

    Args:
        token: The bot's token, from @BotFather. It is kept out of logs and errors.
        api_url: The root of the Bot API server, e.g. ``https://api.telegram.org``.
        receive: Handles what a person did and returns the reply. It may be given the same ``delivery_id`` again.
        menu: Commands (``[a-z0-9_]{1,32}``) and their help, for Telegram's own menu.
        messages_per_second: How fast to write into one chat; groups and the whole have Telegram's limits besides.
        poll_timeout: How long Telegram may hold a poll open.
        webhook: Where Telegram is to call; ``None`` for long polling.
        answer_timeout: How long any answer may take, over the poll's own time.
        draw: Draws the pictures of replies.
        note: Takes note of where a reply is.
        transport: Makes what carries the requests; ``None`` for the network.
        recorded: Waits until what was received is on record, before Telegram may forget it.
        arrived: Is told of what a person did, before its turn comes.
        shown: Is told when an answer is there.
        keep: Keeps what takes long while it is handled; without it Telegram delivers that again.
    """

    name = PLATFORM

    def __init__(
        self,
        *,
        token: SecretStr,
        api_url: str,
        receive: Receive,
        menu: Sequence[tuple[str, str]],
        messages_per_second: float = 1.0,
        poll_timeout: timedelta = timedelta(seconds=30),
        webhook: WebhookAt | None = None,
        answer_timeout: timedelta = timedelta(seconds=10),
        draw: Draw = no_pictures,
        note: Note = not_noted,
        transport: Transport | None = None,
        recorded: Recorded = on_record,
        interim: Interim = no_interim,
        arrived: Arrived = nothing_waits,
        shown: Shown = nothing_waits,
        keep: Keep | None = None,
    ) -> None:
        self._hide_token = HideToken(token)
        self._hide_token.begin()
        self._note = note
        self._bot = make_client(token, api_url, answer_timeout.total_seconds(), transport=transport)
        self._health = Health(PLATFORM)
        self._health.begin(LISTENING, "Telegram is not connected yet.")
        pacer = make_pacer(per_second=messages_per_second)
        self._sender = Sender(bot=self._bot, pacer=pacer, health=self._health)
        intake = Intake(
            bot=self._bot,
            receive=receive,
            reply=self._reply,
            draw=draw,
            pacer=pacer,
            recorded=recorded,
            interim=interim,
            arrived=arrived,
            shown=shown,
        )
        holding = Holding(keep=keep or NothingKept(), intake=intake, bot=self._bot)
        self._listener: Poller | Webhook = (
            Webhook(bot=self._bot, intake=intake, health=self._health, menu=menu, at=webhook, holding=holding)
            if webhook
            else Poller(
                bot=self._bot,
                intake=intake,
                health=self._health,
                menu=menu,
                poll_timeout=poll_timeout,
                holding=holding,
            )
        )
        self._listening: asyncio.Task[None] | None = None

    @property
    def health(self) -> str:
        """``ok``, or what is wrong, in words for people."""
        return str(self._health)

    @property
    def hooks(self) -> tuple[BaseRoute, ...]:
        """Where Telegram calls; empty where the bot asks for what is new."""
        return (self._listener.route,) if isinstance(self._listener, Webhook) else ()

    async def start(self) -> None:
        """Begin to listen in the background. Never fails: a wrong token or an outage shows in ``health``.

        What waited for the start is taken in before anything of this process is shown, if that is soon: so nobody can
        press it and be taken for somebody who pressed before.
        """
        self._listening = asyncio.create_task(self._listener.run())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_WITHIN):
                await self._listener.caught_up.wait()

    async def stop(self) -> None:
        """Finish what is being handled within a few seconds, and close every connection."""
        if self._listening:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await self._listener.stop()
        await self._bot.shutdown()
        self._hide_token.end()

    async def put(self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None) -> Ref:
        """Show a card, in place of the one at ``ref`` where there is one; split where it is too long.

        A new card that belongs ``under`` another is a reply to it.

        A put that fails does not mean that nothing was sent: where the answer to a new message was lost, the next try
        shows it a second time. Edits can be repeated without harm.

        Raises:
            RetryAt: Flood control, an outage, or a chat that does not let the bot write (see ``health``).
            Gone: ``ref`` cannot be edited any more.
            BadCard: Telegram will never take it.
        """
        reply_to = int(under.messages[-1]) if under else None
        return await self._sender.put(to, card, ref, reply_to=reply_to, is_reply=is_answer(card))

    async def _reply(self, heard: Incoming, shown: Illustrated) -> None:
        """Show a reply: where it was asked for, or to its person alone where others would read what is not for them."""
        try:
            if shown.card.private and not heard.is_private:
                shown = Illustrated(card=await self._in_private(heard, shown))
            await self._tell(heard, shown, heard.address)
        except RetryAt:
            log.warning("telegram.reply_given_up", delivery_id=heard.delivery_id, health=self.health)
        except GreenlightError as error:
            log.warning("telegram.reply_refused", delivery_id=heard.delivery_id, detail=str(error))

    async def _in_private(self, heard: Incoming, shown: Illustrated) -> Card:
        """Show a reply to its person alone; what is said of it where it was asked for."""
        try:
            await self._tell(heard, shown, heard.user)  # the private chat with somebody has their id
        except Closed:
            return errors.not_in_private(f"Write to @{self._bot.username} alone, press Start there, and ask again.")
        return errors.in_private()

    async def _tell(self, heard: Incoming, shown: Illustrated, address: str) -> None:
        """Show a reply, on a press in place of what was pressed or under it; in an outage try again for a while.

        Raises:
            RetryAt: The outage lasts.
            GreenlightError: It cannot be shown there.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REPLY_WITHIN
        to = Destination(platform=self.name, address=address)
        ref = heard.ref if address == heard.address else None
        pressed = int(ref.messages[-1]) if ref else None
        place = ref if shown.card.topic and heard.is_carried else None
        left = as_messages(shown)
        while left:
            try:
                await self._say(to, left[0], place, pressed)
                left.pop(0)
            except Gone:
                place = None
            except RetryAt as later:
                if loop.time() + later.seconds > deadline:
                    raise
                await asyncio.sleep(later.seconds)
            except NotShown as error:
                left[0] = Illustrated(card=with_note(left[0].card, str(error)))

    async def _say(self, to: Destination, message: Illustrated, place: Ref | None, reply_to: int | None) -> None:
        if message.png:
            await self._sender.photo(to, message, reply_to=reply_to)
        else:
            if place is None:
                await self._note(message.card, to, None)
            ref = await self._sender.put(to, message.card, place, reply_to=reply_to, is_reply=True)
            await self._note(message.card, to, ref)
