"""The followers' bot: aiogram listens, the table of commands answers, and each day's report goes to who wants it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Set as AbstractSet
from functools import partial

import structlog
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError, TelegramUnauthorizedError
from aiogram.types import BotCommand, Message
from pydantic import SecretStr

from engine.domain.errors import ConfigError, GreenlightError
from engine.domain.messages import Card
from engine.support.faults import fault_id
from handlers.cards import errors
from handlers.charts.illustrating import Illustrated
from handlers.lanes import Lanes
from handlers.strangers import Strangers, shown_name
from handlers.viewer.commands import ViewerCommands
from handlers.viewer.reports import Reports
from handlers.viewer.sending import Sender
from handlers.viewer.subscribers import Subscribers
from handlers.viewer.window import Window

log = structlog.get_logger(__name__)

PLATFORM = "telegram"
POLL_SECONDS = 10
CONNECT_EVERY = 5.0
"""Wall seconds between two tries to reach Telegram at the start."""
LONGEST_TEXT = 200
STOP_WITHIN = 5.0
"""Wall seconds that answers under way have at the end."""


class ViewerBot:
    """Answers followers in private chats, and nobody else.

    Args:
        token: The viewer's own token, from @BotFather: not that of the operators' bot.
        api_url: The root of the Bot API server.
        followers: Telegram's ids of those who may look; nobody else gets an answer.
        window: What can be looked at.
        subscribers: Who wants each day's report.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        api_url: str,
        followers: AbstractSet[str],
        window: Window,
        subscribers: Subscribers,
    ) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api_url.rstrip("/")))
        self._bot = Bot(token.get_secret_value(), session=session)
        self._followers = followers
        self._commands = ViewerCommands(window, subscribers)
        self._sender = Sender(self._bot)
        self._reports = Reports(window=window, subscribers=subscribers, followers=followers, sender=self._sender)
        self._lanes = Lanes()
        self._strangers = Strangers()
        self._dispatcher = Dispatcher()
        self._dispatcher.message.register(self._heard)

    async def run(self) -> None:
        """Answer until the process is asked to stop (SIGINT, SIGTERM).

        Raises:
            ConfigError: Telegram refuses the token.
        """
        try:
            await self._connect()
            reporting = asyncio.create_task(self._reports.run(), name="reports")
            try:
                await self._dispatcher.start_polling(
                    self._bot, polling_timeout=POLL_SECONDS, allowed_updates=["message"], close_bot_session=False
                )
            finally:
                await self._lanes.close(STOP_WITHIN)
                reporting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reporting
        finally:
            await self._bot.session.close()

    async def _connect(self) -> None:
        """Reach Telegram, however long it takes: aiogram polls through outages, but gives up on one at its start."""
        while True:
            try:
                me = await self._bot.me()
                await self._bot.delete_webhook()
                menu = [BotCommand(command=name, description=text) for name, text in self._commands.menu()]
                await self._bot.set_my_commands(menu)
            except TelegramUnauthorizedError:
                raise ConfigError(
                    "Telegram refuses the viewer's token.", "Take it from @BotFather to BOT_VIEWER__TOKEN."
                ) from None
            except AiogramError as error:
                log.warning("viewer.not_connected", detail=type(error).__name__, again_in=CONNECT_EVERY)
                await asyncio.sleep(CONNECT_EVERY)
            else:
                log.info("viewer.connected", bot=me.username, followers=len(self._followers))
                return

    async def _heard(self, message: Message) -> None:
        """Answer a follower; strangers and groups learn nothing, not even that somebody is there."""
        author = message.from_user
        if author is None or message.chat.type != "private" or str(author.id) not in self._followers:
            self._note_stranger(message)
            return
        chat = str(message.chat.id)
        await asyncio.wait({self._lanes.add(chat, partial(self._reply, chat, (message.text or "")[:LONGEST_TEXT]))})

    def _note_stranger(self, message: Message) -> None:
        """Leave one line with the id of each, for whoever is to let them in; a follower in a group is none."""
        author = message.from_user
        if author is None or str(author.id) in self._followers or self._strangers.knows(PLATFORM, str(author.id)):
            return
        if not self._strangers.to_note(PLATFORM, str(author.id)):
            return
        log.info(
            "viewer.stranger",
            user=author.id,
            name=shown_name(author.full_name),
            to_let_in="add the id to viewer.followers",
        )

    async def _reply(self, chat: str, text: str) -> None:
        """Answer one command; a chat's own come one after the other: the last word of /subscribe and its end counts."""
        try:
            await self._sender.send(chat, await self._answer(chat, text))
        except AiogramError as error:
            log.warning("viewer.answer_not_sent", detail=type(error).__name__)

    async def _answer(self, chat: str, text: str) -> Card | Illustrated:
        try:
            return await self._commands.answer(chat, text)
        except GreenlightError as error:
            return errors.error(error)
        except Exception:  # the boundary to people: they get an id, the log gets the rest
            reference = fault_id()
            log.exception("viewer.failed", reference=reference)
            return errors.fault(reference)
