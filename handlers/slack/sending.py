"""Shows cards on Slack: new ones, in place of old ones, under others, in as many messages as they need."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card, Destination, Lane, Ref
from engine.ports import BadCard, Gone, RetryAt
from handlers.outages import Health, Outage
from handlers.pacing import Pacer
from handlers.slack.blocks import Block, Part, render
from handlers.slack.client import FAILURES
from handlers.slack.health import BAD_BLOCKS, CLOSED, GONE, NO_THREAD, OUT_OF_ORDER, explained, reason, rest
from handlers.slack.pacing import EDIT
from handlers.slack.reading import Place
from handlers.slack.speech import Speech
from handlers.unfinished import Unfinished

log = structlog.get_logger(__name__)

CLOSED_FOR = 60.0
"""Seconds until a channel that does not let the bot write is tried again."""


class Sender:
    """Puts cards into channels, one at a time in each.

    Args:
        client: The client.
        pacer: Gives each call its turn.
        health: Where trouble is told.
        speech: How commands are written there.
    """

    def __init__(self, *, client: AsyncWebClient, pacer: Pacer, health: Health, speech: Speech) -> None:
        self._client = client
        self._pacer = pacer
        self._health = health
        self._speech = speech
        self._outage = Outage()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unfinished = Unfinished()

    async def put(
        self, to: Destination, card: Card, ref: Ref | None, under: Ref | None = None, *, is_reply: bool = False
    ) -> Ref:
        """Show a card; see the port. The messages a failed put had posted already are used by the next of its topic.

        An urgent card in a thread is shown in the channel too.

        Raises:
            RetryAt: Flood control, an outage, or a channel that does not let the bot write.
            Gone: A message of ``ref`` cannot be edited any more; the others are taken away.
            BadCard: Slack will never take it; a reply also where the bot may not write.
        """
        parts, channel, thread = render(self._speech.shown(card)), to.address, under.messages[0] if under else ""
        if not parts:
            raise BadCard(f"The card {card.topic} is empty.")
        async with self._locks[channel]:
            old = self._unfinished.standing(channel, card.topic, ref)
            shown: list[str] = []
            error = await self._failure(self._show(channel, card, parts, old, shown=shown, thread=thread))
            if error:
                is_closed = is_reply and reason(error) in CLOSED  # where cards go is what counts for health
                failure = BadCard(explained(error)) if is_closed else await self._translated(channel, error, old)
                left = () if isinstance(failure, Gone) else (*shown, *old[len(shown) :])
                self._unfinished.keep(channel, card.topic, ref, left)
                raise failure
            self._went_well(channel, card.topic)
            if card.pinned and ref is None:
                await self._pin(channel, shown[0])
            return Ref(messages=tuple(shown))

    async def direct(self, user: str) -> str:
        """The conversation with a person.

        Raises:
            RetryAt: Flood control, or an outage.
            BadCard: There is none.
        """
        found: list[str] = []

        async def ask() -> None:
            found.append((await self._client.conversations_open(users=user))["channel"]["id"])

        if error := await self._failure(ask()):
            if reason(error) in CLOSED:
                raise BadCard(explained(error))
            raise await self._translated(user, error, ())
        return found[0]

    async def say(self, part: Part, place: Place) -> str:
        """Post one message of an answer where everybody there can read it; the id of that conversation.

        Raises:
            RetryAt: Flood control, or an outage.
            BadCard: Slack will not take it, or not there.
        """
        said: list[str] = []

        async def post() -> None:
            said.append((await self._posted(place.channel, part, place.thread))["channel"])

        if error := await self._failure(post()):
            if reason(error) in CLOSED:  # where cards go is what counts for health
                raise BadCard(explained(error))
            raise await self._translated(place.channel, error, ())
        return said[0]

    async def _failure(self, work: Awaitable[object]) -> Exception | None:
        """Do it; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            await work
        except (*FAILURES, RetryAt) as error:
            return error
        return None

    async def _show(
        self, channel: str, card: Card, parts: Sequence[Part], old: Sequence[str], *, shown: list[str], thread: str
    ) -> None:
        """Edit, post and take away until the channel shows the parts; ``shown`` grows with every right message."""
        loud = bool(thread) and card.lane is Lane.URGENT
        for index, part in enumerate(parts):
            if index < len(old):
                await self._edit(channel, old[index], part)
                shown.append(old[index])
            else:
                shown.append(await self._post(channel, part, thread, loud=loud and index == 0))
        for surplus in old[len(parts) :]:
            await self._take_away(channel, surplus)

    async def _post(self, channel: str, part: Part, thread: str, *, loud: bool = False) -> str:
        return str((await self._posted(channel, part, thread, loud=loud))["ts"])

    async def _posted(self, channel: str, part: Part, thread: str, *, loud: bool = False) -> AsyncSlackResponse:
        """Post a message; beside the thread where that is not there: an alert must arrive."""

        async def post(blocks: Sequence[Block]) -> AsyncSlackResponse:
            await self._pacer.turn(channel)
            return await self._client.chat_postMessage(
                channel=channel,
                text=part.text,
                blocks=blocks or None,
                thread_ts=thread or None,
                reply_broadcast=loud or None,
                unfurl_links=False,
                unfurl_media=False,
            )

        try:
            posted = await self._with_blocks(part, post)
        except SlackApiError as error:
            if not thread or reason(error) not in NO_THREAD:
                raise
            log.warning("slack.thread_missing", channel=channel, detail=reason(error))
            return await self._posted(channel, part, "")
        return posted

    async def _edit(self, channel: str, message: str, part: Part) -> None:
        async def edit(blocks: Sequence[Block]) -> AsyncSlackResponse:
            await self._pacer.turn(EDIT)
            return await self._client.chat_update(channel=channel, ts=message, text=part.text, blocks=blocks)

        await self._with_blocks(part, edit)

    async def _with_blocks(
        self, part: Part, request: Callable[[Sequence[Block]], Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """Send with blocks; as text alone, should Slack not take them: an alert must arrive."""
        try:
            return await request(part.blocks)
        except SlackApiError as error:
            if reason(error) not in BAD_BLOCKS:
                raise
            log.warning("slack.blocks_refused", detail=str(error.response.get("response_metadata")))
        return await request(())

    async def _take_away(self, channel: str, message: str) -> None:
        try:
            await self._client.chat_delete(channel=channel, ts=message)
        except SlackApiError as error:
            # It stays behind, and a press on it is answered as usual.
            log.info("slack.not_deleted", detail=reason(error))

    async def _pin(self, channel: str, message: str) -> None:
        try:
            await self._client.pins_add(channel=channel, timestamp=message)
        except FAILURES as error:
            log.warning("slack.not_pinned", detail=explained(error))

    async def _translated(self, channel: str, error: Exception, old: Sequence[str]) -> GreenlightError:
        """What a failure means for the card."""
        if isinstance(error, RetryAt):
            return error
        word, seconds = reason(error), rest(error)
        if seconds is not None:
            self._pacer.hold(seconds)
            return RetryAt(seconds)
        if word in GONE:
            await self._take_all_away(channel, old)
            return Gone("The message is no longer there.")
        if word in CLOSED:
            self._health.trouble(_place(channel), f"The bot cannot write to {channel} on Slack. {explained(error)}")
            return RetryAt(CLOSED_FOR)
        if word and word not in OUT_OF_ORDER:
            return BadCard(f"Slack will not take the card: {word}.")
        self._health.trouble("sending", explained(error), type(error).__name__)
        return RetryAt(self._outage.pause())

    async def _take_all_away(self, channel: str, messages: Sequence[str]) -> None:
        for message in messages:
            try:
                await self._take_away(channel, message)
            except FAILURES as error:
                log.info("slack.not_deleted", detail=explained(error))

    def _went_well(self, channel: str, topic: str) -> None:
        self._unfinished.forget(channel, topic)
        self._outage.over()
        self._health.well("sending")
        self._health.well(_place(channel))


def _place(channel: str) -> str:
    return f"channel {channel}"
