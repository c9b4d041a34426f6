"""Pictures on Slack: a place to upload to, the upload, and then it is shared where it belongs.

https://docs.slack.dev/reference/methods/files.getUploadURLExternal and /files.completeUploadExternal. They want the
scope ``files:write``, and the id of a conversation: a person's own id is refused.
"""

from __future__ import annotations

from http import HTTPStatus

from slack_sdk.web.async_client import AsyncWebClient

from engine.domain.errors import GreenlightError
from engine.ports import RetryAt
from handlers.cards.lines import flowing
from handlers.charts.illustrating import Illustrated
from handlers.slack.client import FAILURES
from handlers.slack.health import OUT_OF_ORDER, explained, reason, rest

REST = 1.0
"""Seconds after which an upload that did not come through is tried again."""
NAME = "chart.png"
LONGEST_ALT = 1000


class NotShared(GreenlightError):
    """Slack does not take a picture there; words it may."""


class Uploads:
    """Shares pictures.

    Args:
        client: The client, whose session the upload itself goes by.
    """

    def __init__(self, *, client: AsyncWebClient) -> None:
        self._client = client

    async def share(self, shown: Illustrated, channel: str, thread: str) -> None:
        """Share a picture in a conversation, under a message of it where one is given.

        Where the answer to the last call was lost, the next try shares it a second time.

        Raises:
            RetryAt: Flood control, or an outage.
            NotShared: Slack does not take it.
        """
        if error := await self._failure(shown, channel, thread):
            word, seconds = reason(error), rest(error)
            if word and seconds is None and word not in OUT_OF_ORDER:
                raise NotShared(f"The picture is missing. {explained(error)}")
            raise RetryAt(REST if seconds is None else seconds)

    async def _failure(self, shown: Illustrated, channel: str, thread: str) -> Exception | None:
        """Do it; return what went wrong.

        Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
        """
        try:
            ticket = await self._client.files_getUploadURLExternal(
                filename=NAME, length=len(shown.png), alt_txt=shown.alt[:LONGEST_ALT]
            )
            await self._upload(str(ticket["upload_url"]), shown.png)
            await self._client.files_completeUploadExternal(
                files=[{"id": str(ticket["file_id"]), "title": flowing(shown.card.title)}],
                channel_id=channel,
                thread_ts=thread or None,
            )
        except (*FAILURES, KeyError) as error:
            return error
        return None

    async def _upload(self, url: str, png: bytes) -> None:
        if self._client.session is None:
            raise OSError("there is no connection")
        async with self._client.session.post(url, data=png) as answer:
            if answer.status != HTTPStatus.OK:
                raise OSError(f"the upload was answered with {answer.status}")
