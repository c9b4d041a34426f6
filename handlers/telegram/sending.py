"""Shows cards in chats: new ones, in place of old ones, in as many messages as they need."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from engine.domain.errors import GreenlightError
from engine.domain.messages import Button, Card, Destination, Lane, Ref
from engine.ports import BadCard, Gone, RetryAt
from handlers.cards.telegram_html import Part, render
from handlers.charts.illustrating import Illustrated
from handlers.outages import Health, Outage
from handlers.pacing import Pacer
from handlers.telegram.health import explained, seconds
from handlers.telegram.photos import NotShown
from handlers.telegram.places import Place, place_at
from handlers.unfinished import Unfinished

log = structlog.get_logger(__name__)

T = TypeVar("T")

CLOSED_FOR = 300.0
"""Seconds until a chat that does not let the bot write is tried again."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "message identifier")
_CLOSED = ("chat not found", "rights", "write_forbidden", "chat_restricted", "peer_id_invalid", "upgraded to a super")
_NO_TOPIC = ("message thread not found", "topic_closed", "topic_deleted")


class Closed(BadCard):
    """A chat does not let the bot write."""


class Sender:
    """Puts cards into chats, one at a time in each.

    Args:
        bot: The client.
        pacer: Gives each message its turn.
        health: Where trouble is told.
    """

    def __init__(self, *, bot: Bot, pacer: Pacer, health: Health) -> None:
        self._bot = bot
        self._pacer = pacer
        self._health = health
        self._outage = Outage()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unfinished = Unfinished()

    async def put(
        self, to: Destination, card: Card, ref: Ref | None, *, reply_to: int | None = None, is_reply: bool = False
    ) -> Ref:
        """Show a card; see the port. The messages a failed put had sent already are used by the next of its topic.

        A failed put does not mean that nothing was sent: where the answer to a new message was lost, the next try
        shows it twice. An edit can be repeated without harm.

        Raises:
            RetryAt: Flood control, an outage, or a chat that does not let the bot write.
            Gone: A message of ``ref`` cannot be edited any more; the others are taken away.
            BadCard: Telegram will never take it.
            Closed: The bot may not write there, and it is a reply.
        """
        parts = render(card)
        if not parts:
            raise BadCard(f"The card {card.topic or 'of a reply'} is empty.")
        place = place_at(to.address)
        async with self._locks[to.address]:
            old = self._unfinished.standing(to.address, card.topic, ref)
            shown: list[str] = []
            error = await self._failure(self._show(place, card, parts, old, shown=shown, reply_to=reply_to))
            if error:
                failure = await self._translated(place, error, old)
                if isinstance(failure, Closed) and not is_reply:
                    failure = self._closed(place, failure)
                left = () if isinstance(failure, Gone) else (*shown, *old[len(shown) :])
                self._unfinished.keep(to.address, card.topic, ref, left)
                raise failure
            self._went_well(to.address, card.topic)
            if card.pinned and ref is None:
                await self._pin(place.chat, shown[0])
            return Ref(messages=tuple(shown))

    async def photo(self, to: Destination, message: Illustrated, *, reply_to: int | None) -> None:
        """Show a picture with a card that fits below it, or with none.

        Raises:
            RetryAt: Flood control, or an outage.
            NotShown: Telegram does not take the picture, or pictures are not let into that chat.
            Closed: The bot may not write there.
        """
        place = place_at(to.address)
        async with self._locks[to.address]:
            error = await self._failure(self._send_photo(place, message, reply_to))
        if isinstance(error, BadRequest):
            raise NotShown(f"The picture is missing. {explained(error)}")
        if error:
            raise await self._translated(place, error, ())
        self._went_well(to.address, message.card.topic)

    async def _send_photo(self, place: Place, message: Illustrated, reply_to: int | None) -> None:
        caption = next(iter(render(message.card)), Part(html="", plain=""))
        await self._with_markup(
            place.chat,
            caption,
            lambda text, mode: self._bot.send_photo(
                place.chat,
                message.png,
                caption=text or None,
                message_thread_id=place.topic,
                parse_mode=mode,
                disable_notification=message.card.lane is Lane.QUIET,
                reply_parameters=_replying(reply_to),
                filename="chart.png",
            ),
        )

    async def _failure(self, work: Awaitable[None]) -> TelegramError | RetryAt | None:
        """Do it; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            await work
        except (TelegramError, RetryAt) as error:
            return error
        return None

    async def _show(
        self,
        place: Place,
        card: Card,
        parts: Sequence[Part],
        old: Sequence[str],
        *,
        shown: list[str],
        reply_to: int | None,
    ) -> None:
        """Edit, send and take away until the parts are shown; ``shown`` grows with every message that is right."""
        for index, part in enumerate(parts):
            keyboard = _keyboard(card.buttons) if index == len(parts) - 1 else None
            if index < len(old):
                await self._edit(place.chat, old[index], part, keyboard)
                shown.append(old[index])
            else:
                shown.append(await self._send(place, part, keyboard, card.lane, reply_to if index == 0 else None))
        for surplus in old[len(parts) :]:
            await self._take_away(place.chat, surplus)

    async def _send(
        self, place: Place, part: Part, keyboard: InlineKeyboardMarkup | None, lane: Lane, reply_to: int | None
    ) -> str:
        sent = await self._with_markup(
            place.chat,
            part,
            lambda text, mode: self._bot.send_message(
                place.chat,
                text,
                message_thread_id=place.topic,
                parse_mode=mode,
                reply_markup=keyboard,
                disable_notification=lane is Lane.QUIET,
                link_preview_options=NO_PREVIEW,
                reply_parameters=_replying(reply_to),
            ),
        )
        return str(sent.message_id)

    async def _edit(self, chat: str, message: str, part: Part, keyboard: InlineKeyboardMarkup | None) -> None:
        try:
            await self._with_markup(
                chat,
                part,
                lambda text, mode: self._bot.edit_message_text(
                    text,
                    chat_id=chat,
                    message_id=int(message),
                    parse_mode=mode,
                    reply_markup=keyboard,
                    link_preview_options=NO_PREVIEW,
                ),
            )
        except BadRequest as error:
            if not _says(error, "message is not modified"):
                raise

    async def _with_markup(self, chat: str, part: Part, request: Callable[[str, ParseMode | None], Awaitable[T]]) -> T:
        """Send with markup; without, should Telegram not understand it: an alert must arrive."""
        await self._pacer.turn(chat)
        try:
            return await request(part.html, ParseMode.HTML)
        except BadRequest as error:
            if not _says(error, "can't parse entities"):
                raise
            log.warning("telegram.markup_refused", detail=error.message)
        await self._pacer.turn(chat)
        return await request(part.plain, None)

    async def _take_away(self, chat: str, message: str) -> None:
        try:
            await self._bot.delete_message(chat, int(message))
        except BadRequest as error:
            # After 48 hours a message cannot be deleted: it stays behind, and a press on it is answered as usual.
            log.info("telegram.not_deleted", detail=error.message)

    async def _pin(self, chat: str, message: str) -> None:
        try:
            await self._bot.pin_chat_message(chat, int(message), disable_notification=True)
        except TelegramError as error:
            log.warning("telegram.not_pinned", detail=explained(error))

    async def _translated(self, place: Place, error: TelegramError | RetryAt, old: Sequence[str]) -> GreenlightError:
        """What a failure means for the card."""
        match error:
            case RetryAt():
                return error
            case RetryAfter():
                self._pacer.hold(seconds(error), place.chat)
                return RetryAt(seconds(error))
            case Forbidden() | ChatMigrated():
                return Closed(explained(error))
            case BadRequest() if _says(error, *_GONE):
                await self._take_all_away(place.chat, old)
                return Gone("The message is no longer there.")
            case BadRequest() if _says(error, *_CLOSED, *_NO_TOPIC):
                return Closed(explained(error))
            case BadRequest():
                return BadCard(f"Telegram will not take the card: {error.message}.")
            case _:
                self._health.trouble("sending", explained(error), type(error).__name__)
                return RetryAt(self._outage.pause())

    def _closed(self, place: Place, why: Closed) -> RetryAt:
        """Where cards go is what counts for health: one person who blocks the bot is nobody else's trouble."""
        text = f"The bot cannot write to the Telegram chat {place.address}. {why.message}"
        self._health.trouble(_place(place.address), text)
        return RetryAt(CLOSED_FOR)

    async def _take_all_away(self, chat: str, messages: Sequence[str]) -> None:
        for message in messages:
            try:
                await self._take_away(chat, message)
            except TelegramError as error:
                log.info("telegram.not_deleted", detail=explained(error))

    def _went_well(self, address: str, topic: str) -> None:
        self._unfinished.forget(address, topic)
        self._outage.over()
        self._health.well("sending")
        self._health.well(_place(address))


def _replying(to: int | None) -> ReplyParameters | None:
    return ReplyParameters(message_id=to, allow_sending_without_reply=True) if to else None


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    row = [InlineKeyboardButton(button.label, callback_data=button.data) for button in buttons]
    return InlineKeyboardMarkup([row]) if row else None


def _says(error: BadRequest, *words: str) -> bool:
    return any(word in error.message.lower() for word in words)


def _place(address: str) -> str:
    return f"chat {address}"
