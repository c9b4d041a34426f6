"""Answers people: where they asked, and for them alone where only they saw the approval."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card, Destination, Pressed, Ref
from engine.ports import BadCard, Gone, RetryAt
from handlers.answered import Note, is_answer
from handlers.cards import errors
from handlers.charts.illustrating import Illustrated, with_note
from handlers.slack.blocks import Part, addressed, render
from handlers.slack.reading import PLATFORM, Heard, Place
from handlers.slack.sending import Sender
from handlers.slack.speech import Speech
from handlers.slack.uploads import NotShared, Uploads

log = structlog.get_logger(__name__)

REPLY_WITHIN = 900.0
"""Seconds after which a reply that could not be shown is given up; cards of the outbox never are."""
MOST_PRIVATE = 5
"""How many messages Slack takes at a response URL."""
IN_PERSON = "The picture comes in your direct messages with me."
STAYS = "Slack lets nobody edit this answer later: it stays as it is."
Step = Callable[[], Awaitable[object]]
REST = 1.0
"""Seconds after which a response URL that did not answer is tried again."""


class Replier:
    """Shows replies; in an outage it tries again for a while.

    Args:
        sender: Writes where everybody can read.
        uploads: Shares pictures.
        client: Has the session for what only one person reads.
        speech: How commands are written there.
        note: Takes note of where a reply is.
    """

    def __init__(self, *, sender: Sender, uploads: Uploads, client: AsyncWebClient, speech: Speech, note: Note) -> None:
        self._sender = sender
        self._uploads = uploads
        self._client = client
        self._speech = speech
        self._note = note

    async def reply(self, heard: Heard, shown: Illustrated) -> None:
        """Show the reply to what somebody did. It never raises: a reply that cannot be shown is given up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + REPLY_WITHIN
        left = self._steps(heard, shown)
        while left:
            try:
                await left[0]()
                left.pop(0)
            except RetryAt as later:
                if loop.time() + later.seconds > deadline:
                    log.warning("slack.reply_given_up", delivery_id=heard.incoming.delivery_id)
                    return
                await asyncio.sleep(later.seconds)
            except NotShared as error:
                note = Card(title="There is no picture", text=str(error))
                left[:1] = self._words(note, heard)
            except Gone:  # what was pressed is there no more: the answer stands by itself
                left = self._steps(heard, replace(shown, card=replace(shown.card, topic="")))
            except GreenlightError as error:
                log.warning("slack.reply_refused", delivery_id=heard.incoming.delivery_id, detail=str(error))
                return

    def _steps(self, heard: Heard, shown: Illustrated) -> list[Step]:
        """What is to be done, one after the other; each can be tried again."""
        place, card = heard.place, shown.card
        if card.private and not heard.incoming.is_private:
            return self._in_private(heard, card)
        if shown.png and place.response_url:
            card = with_note(card, IN_PERSON)
        words = self._words(card, heard)
        return [*words, self._picture(heard, shown)] if shown.png else words

    def _in_private(self, heard: Heard, card: Card) -> list[Step]:
        """Answer in person what is not for everybody; say so where it was asked for, or how to get the answer."""
        alone, refused = Place(channel=heard.incoming.user), list[BadCard]()

        async def say(step: Step) -> None:
            try:
                await step()
            except BadCard as error:
                refused.append(error)

        async def note() -> None:
            remedy = f"Send {self._speech.command} with the command after it: only you see that answer."
            (said,) = self._words(errors.not_in_private(remedy) if refused else errors.in_private(), heard)
            await said()

        parts = (partial(self._sender.say, part, alone) for part in render(self._speech.shown(card)))
        steps: tuple[Step, ...] = (partial(self._in_person, card, heard),) if is_answer(card) else tuple(parts)
        return [*(partial(say, step) for step in steps), note]

    def _picture(self, heard: Heard, shown: Illustrated) -> Step:
        """Share a picture where the words are; what only one person sees has no files, they get it in person."""
        place = heard.place
        if not place.response_url and place.channel != heard.incoming.user:
            return partial(self._uploads.share, shown, place.channel, place.thread)
        found: list[str] = []
        (title,) = render(Card(title=shown.card.title))

        async def share() -> None:
            if not found:
                try:
                    found.append(await self._sender.say(title, Place(channel=heard.incoming.user)))
                except BadCard as error:
                    raise NotShared(f"The picture is missing. {error}") from None
            await self._uploads.share(shown, found[0], "")

        return share

    def _words(self, card: Card, heard: Heard) -> list[Step]:
        """What is to be said: what was pressed is replaced by a card with a topic, else the answer is a new message."""
        place = heard.place
        if card.topic and place.pressed:
            return [partial(self._put, card, place.channel, pressed=place.pressed)]
        if not is_answer(card) or isinstance(heard.incoming.action, Pressed):
            return self._said(card, heard)
        if place.response_url and not card.buttons:
            return self._said(with_note(card, STAYS), heard)
        return self._kept(card, heard)

    def _kept(self, card: Card, heard: Heard) -> list[Step]:
        """Answer where it can be edited: what only one person sees cannot, and what waits for them comes in person."""
        place, found = heard.place, list[str]()
        if not place.response_url:
            return [partial(self._put, card, place.channel, thread=place.thread)]

        async def ask() -> None:
            with suppress(BadCard):
                found.append(await self._in_person(card, heard))

        async def say_where() -> None:
            if place.channel not in found:
                for step in self._said(errors.in_private() if found else card, heard):
                    await step()

        return [ask, say_where]

    async def _in_person(self, card: Card, heard: Heard) -> str:
        """Show an answer to its person alone, where it can be edited; the id of that conversation.

        Raises:
            BadCard: The bot cannot write to them.
        """
        channel = await self._sender.direct(heard.incoming.user)
        await self._put(card, channel)
        return channel

    async def _put(self, card: Card, channel: str, *, pressed: str = "", thread: str = "") -> None:
        """Show a card in a message that is edited later where it is an answer, or in place of what was pressed."""
        to, under = Destination(platform=PLATFORM, address=channel), Ref(messages=(thread,)) if thread else None
        if pressed:
            ref = await self._sender.put(to, card, Ref(messages=(pressed,)))
        else:
            await self._note(card, to, None)
            ref = await self._sender.put(to, card, None, under, is_reply=True)
        await self._note(card, to, ref)

    def _said(self, card: Card, heard: Heard) -> list[Step]:
        """Say it in a new message."""
        place, is_press = heard.place, isinstance(heard.incoming.action, Pressed)
        parts = list(render(self._speech.shown(card)))
        if place.response_url:
            replaces = bool(card.topic) and is_press
            return [
                partial(self._whisper, part, place.response_url, replaces=replaces and not index)
                for index, part in enumerate(parts[:MOST_PRIVATE])
            ]
        if place.person:
            parts[:1] = [addressed(part, place.person) for part in parts[:1]]
        return [partial(self._sender.say, part, place) for part in parts]

    async def _whisper(self, part: Part, url: str, *, replaces: bool = False) -> None:
        """Post to a response URL, in place of what was pressed or not; as text alone, if blocks are refused."""
        shown: dict[str, object] = {"response_type": "ephemeral", "text": part.text, "replace_original": replaces}
        status, seconds = await self._sent(url, {**shown, "blocks": list(part.blocks)})
        if status == HTTPStatus.BAD_REQUEST:
            status, seconds = await self._sent(url, shown)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetryAt(seconds)
        if status != HTTPStatus.OK:
            raise BadCard(f"Slack does not take the answer: {status}.")

    async def _sent(self, url: str, message: dict[str, object]) -> tuple[int, float]:
        """The status of an answer, and after how many seconds to try again if it was not yet."""
        if self._client.session is None:
            raise RetryAt(REST)
        try:
            async with self._client.session.post(url, json=message) as answer:
                after = answer.headers.get("Retry-After", "")
                return answer.status, float(after) if after.isdigit() else REST
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise RetryAt(REST) from None
