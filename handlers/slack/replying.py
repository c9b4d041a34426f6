"""Answers people: where they asked, and for them alone where only they saw the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from engine.domain.errors import GreenlightError
from engine.domain.messages import Card
from engine.ports import BadCard, RetryAt
from handlers.charts.illustrating import Illustrated, with_note
from handlers.slack.blocks import Part, addressed, render
from handlers.slack.reading import Heard, Place
from handlers.slack.sending import Sender
from handlers.slack.speech import Speech
from handlers.slack.uploads import NotShared, Uploads

log = structlog.get_logger(__name__)

REPLY_WITHIN = 900.0
"""Seconds after which a reply that could not be shown is given up; cards of the outbox never are."""
MOST_PRIVATE = 5
"""How many messages Slack takes at a response URL."""
IN_PERSON = "The picture comes in your direct messages with me."
Step = Callable[[], Awaitable[None]]
REST = 1.0
"""Seconds after which a response URL that did not answer is tried again."""


class Replier:
    """Shows replies; in an outage it tries again for a while.

    Args:
        sender: Writes where everybody can read.
        uploads: Shares pictures.
        client: Has the session for what only one person reads.
        speech: How commands are written there.
    """

    def __init__(self, *, sender: Sender, uploads: Uploads, client: AsyncWebClient, speech: Speech) -> None:
        self._sender = sender
        self._uploads = uploads
        self._client = client
        self._speech = speech

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
                left[:1] = [partial(self._show, part, heard.place) for part in self._parts(note, heard.place)]
            except GreenlightError as error:
                log.warning("slack.reply_refused", delivery_id=heard.incoming.delivery_id, detail=str(error))
                return

    def _steps(self, heard: Heard, shown: Illustrated) -> list[Step]:
        """What is to be done, one after the other; each can be tried again."""
        place, card = heard.place, shown.card
        if shown.png and place.response_url:
            card = with_note(card, IN_PERSON)
        words: list[Step] = [partial(self._show, part, place) for part in self._parts(card, place)]
        return [*words, self._picture(heard, shown)] if shown.png else words

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

    def _parts(self, card: Card, place: Place) -> list[Part]:
        parts = list(render(self._speech.shown(card)))
        if place.person:
            parts[:1] = [addressed(part, place.person) for part in parts[:1]]
        return parts[:MOST_PRIVATE] if place.response_url else parts

    async def _show(self, part: Part, place: Place) -> None:
        if place.response_url:
            await self._whisper(part, place.response_url)
        else:
            await self._sender.say(part, place)

    async def _whisper(self, part: Part, url: str) -> None:
        """Post to a response URL; as text alone, should Slack not take the blocks."""
        shown: dict[str, object] = {"response_type": "ephemeral", "text": part.text}
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
