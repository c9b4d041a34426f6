"""What is done about one update, however it came.

    acknowledge a press ──▶ read ──▶ receive, a person's own in order ──▶ on record: handled
                                                                     └──▶ draw ──▶ reply

A reply is a message, and messages in a chat are few: 20 a minute in a group. In a crowd of presses, where a reply would
come late or never, a press is answered by its acknowledgement, which costs no message: that then waits a moment, until
there is something to say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from telegram import Bot, CallbackQuery, Update
from telegram.error import TelegramError, TimedOut

from engine.domain.messages import Card, Incoming
from handlers.answered import Arrived, Interim, Recorded, Shown, no_interim, nothing_waits, on_record
from handlers.charts.illustrating import Draw, Illustrated, illustrated
from handlers.lanes import Lanes
from handlers.pacing import PATIENCE, Pacer
from handlers.telegram.health import explained
from handlers.telegram.places import place_at
from handlers.telegram.reading import incoming

log = structlog.get_logger(__name__)

Receive = Callable[[Incoming], Awaitable[Card | None]]
Reply = Callable[[Incoming, Illustrated], Awaitable[None]]
News = asyncio.Future[Card | None]

ACK_WITHIN = 2.0
"""Seconds a press waits for its acknowledgement before it is worked on anyway."""
ACK_TRIES = 3
"""How often an acknowledgement is tried that Telegram does not answer in time."""
NEWS_WITHIN = 2.0
"""Seconds an acknowledgement in a crowd waits for the reply it shall carry."""
LONGEST_ACK = 200
"""Characters that Telegram shows in an acknowledgement."""
STOP_WITHIN = 5.0


class Intake:
    """Handles updates, each person's own in order.

    Args:
        bot: The client.
        receive: Handles what a person did; what it returns is the reply.
        reply: Shows a reply as a message.
        draw: Draws pictures; only the reply that has one waits for it.
        pacer: Knows how soon a message could be sent.
        recorded: Waits until what was received is on record: what only reads is answered before.
        interim: What is said at once of something whose answer takes long.
        arrived: Is told of what a person did, before its turn comes.
        shown: Is told when a reply is there, or could not be shown.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        receive: Receive,
        reply: Reply,
        draw: Draw,
        pacer: Pacer,
        recorded: Recorded = on_record,
        interim: Interim = no_interim,
        arrived: Arrived = nothing_waits,
        shown: Shown = nothing_waits,
    ) -> None:
        self._bot = bot
        self._draw = draw
        self._receive = receive
        self._recorded = recorded
        self._interim = interim
        self._arrived = arrived
        self._shown = shown
        self._reply = reply
        self._pacer = pacer
        self._lanes = Lanes()
        self._owed: Counter[str] = Counter()
        self._told: set[str] = set()

    def take(self, update: Update, *, waited: bool) -> asyncio.Task[None]:
        """Acknowledge a press at once; handle it when everything its person did before is handled.

        Args:
            update: As Telegram delivered it.
            waited: Whether it may have waited since before the bot was started.

        Returns:
            What ends when it is handled; the reply comes after that.
        """
        heard = incoming(update, self._bot.username, waited=waited)
        user = update.effective_user.id if update.effective_user else None
        query = update.callback_query
        if heard:
            self._arrived(heard)
        news = asyncio.get_running_loop().create_future() if heard and query and self._is_crowded(heard) else None
        if heard and news is None:
            self._owed[_chat(heard)] += 1
        ack = self._lanes.add(("ack", update.update_id), partial(self._acknowledge, query, news)) if query else None
        return self._lanes.add(("person", user), partial(self._handle, heard, query, ack, news))

    async def close(self) -> None:
        """Let what is under way end within a few seconds."""
        await self._lanes.close(STOP_WITHIN)

    def _is_crowded(self, heard: Incoming) -> bool:
        """Whether a reply by message would come late; one more message is left for the card."""
        chat = _chat(heard)
        return self._pacer.delay(chat, self._owed[chat] + 2) > PATIENCE

    async def _acknowledge(self, query: CallbackQuery, news: News | None) -> None:
        """Stop the button from spinning. Where that fails the press is handled all the same."""
        text = await _told_in(news) if news else ""
        for _ in range(ACK_TRIES):
            try:
                await self._bot.answer_callback_query(
                    query.id, text or None, show_alert=bool(text), read_timeout=ACK_WITHIN, connect_timeout=ACK_WITHIN
                )
            except TimedOut:
                continue  # a hundred presses at once: the others are through by now
            except TelegramError as error:
                log.info("telegram.ack_failed", detail=explained(error))
                return
            if text:
                self._told.add(query.id)
            return

    async def _handle(
        self,
        heard: Incoming | None,
        query: CallbackQuery | None,
        ack: asyncio.Task[None] | None,
        news: News | None,
    ) -> None:
        if ack and news is None:
            await asyncio.wait({ack}, timeout=ACK_WITHIN)
        if heard and (first := self._interim(heard)):
            self._owed[_chat(heard)] += 1
            self._show(heard, first, None)
        card = await self._received(heard) if heard else None
        if news is not None:
            news.set_result(card)
        if heard and card:
            told = partial(self._was_told, query, ack) if query and news is not None else None
            self._show(heard, card, told)
        elif heard and news is None:
            self._settle(_chat(heard))
        if heard:
            await self._recorded(heard)

    def _show(self, heard: Incoming, card: Card, told: Callable[[], Awaitable[bool]] | None) -> None:
        """Reply when every reply before has been shown; one with a picture when that is drawn, and no other waits."""

        def reply(shown: Illustrated) -> None:
            self._lanes.add(("reply", heard.address), partial(self._answer, heard, shown, told))

        async def draw() -> None:
            reply(await illustrated(card, self._draw))

        if card.picture is None:
            reply(Illustrated(card=card))
        else:
            self._lanes.add(("picture", heard.delivery_id), draw)

    def _settle(self, chat: str) -> None:
        """One message less is owed; anybody can write to the bot, and nothing of their chats must stay."""
        self._owed[chat] -= 1
        if not self._owed[chat]:
            del self._owed[chat]

    async def _received(self, heard: Incoming) -> Card | None:
        try:
            return await self._receive(heard)
        except Exception:  # one update that cannot be handled must not stop all that come after it
            log.exception("telegram.receive_failed", delivery_id=heard.delivery_id)
            return None

    async def _answer(self, heard: Incoming, shown: Illustrated, told: Callable[[], Awaitable[bool]] | None) -> None:
        """Reply by message, unless the acknowledgement has said it and there is nothing whose place it takes."""
        if told is not None:
            if await told() and not shown.card.topic:
                return
            self._owed[_chat(heard)] += 1
        try:
            await self._reply(heard, shown)
        finally:
            self._shown(heard)
            self._settle(_chat(heard))

    async def _was_told(self, query: CallbackQuery, ack: asyncio.Task[None] | None) -> bool:
        if ack:
            await asyncio.wait({ack})
        told = query.id in self._told
        self._told.discard(query.id)
        return told


def _chat(heard: Incoming) -> str:
    return place_at(heard.address).chat


async def _told_in(news: News) -> str:
    """The reply as an acknowledgement shows it; empty where there is none in time."""
    await asyncio.wait({news}, timeout=NEWS_WITHIN)
    card = news.result() if news.done() else None
    text = card.plain if card else ""
    return text if len(text) <= LONGEST_ACK else f"{text[: LONGEST_ACK - 1]}…"
