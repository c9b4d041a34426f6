"""Headlines of news feeds: each asked for at most once an hour, by conditional GET, and what fails hurts no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from engine.domain.errors import DataError, GreenlightError
from engine.domain.figures import plain
from engine.domain.sentiment import SourceText
from engine.ports import Clock
from engine.sentiment.feed_parsing import MOST_BYTES, parse_feed
from engine.sentiment.fetching import Fetched, Validators, fetch
from engine.support.capped_body import PACKED
from engine.support.retry_after import seconds_to_wait
from engine.support.side_process import SideProcess, WorkFailed

_log = structlog.get_logger(__name__)

SOURCE = "news"
EVERY = timedelta(hours=1)
"""How often a feed is asked for at most, answered or not: what its publishers bear."""
SLACK = timedelta(minutes=1)
"""How much sooner a feed may be asked for: who comes each hour is now and then a moment early."""
LONGEST_QUIET = timedelta(days=3)
"""For how long a feed is left alone at most when it asks for that."""
PARSED_WITHIN = 30.0
"""Wall seconds for one feed to be parsed."""


_AT_ONCE = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Feed:
    """What is known of a feed."""

    url: str
    due_at: datetime = _AT_ONCE
    validators: Validators = field(default_factory=Validators)
    texts: tuple[SourceText, ...] = ()
    read_at: datetime | None = None
    trouble: str = ""


class NewsFeeds:
    """Reads news feeds (RSS and Atom); connections are made with the first question.

    Args:
        urls: Where they are; what is configured is trusted, wherever it is.
        answer_within: Wall seconds for one feed's answer, to its last byte.
        every: How often each is asked for.
    """

    name = SOURCE

    def __init__(self, *, urls: Sequence[str], answer_within: float, clock: Clock, every: timedelta = EVERY) -> None:
        self._every = every - SLACK
        self._feeds = [_Feed(url) for url in dict.fromkeys(urls)]
        self._within = answer_within
        self._clock = clock
        self._parsing = SideProcess(PARSED_WITHIN)
        self._turn = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    @property
    def trouble(self) -> str:
        """The feeds that could not be read when they were asked for last, each with its reason."""
        return "; ".join(f"{url}: {trouble}" for url, trouble in self.troubles.items())

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why a feed could not be read when it was asked for last, by its address."""
        return {feed.url: feed.trouble for feed in self._feeds if feed.trouble}

    @property
    def read_at(self) -> Mapping[str, datetime | None]:
        """When each feed said something last, be it that nothing is new."""
        return {feed.url: feed.read_at for feed in self._feeds}

    async def texts(self) -> tuple[SourceText, ...]:
        """What all feeds have, asking those whose time it is; a feed that fails keeps what it had."""
        now = self._clock.now()
        await asyncio.gather(*(self._renew(feed, now) for feed in self._feeds if now >= feed.due_at))
        return tuple(text for feed in self._feeds for text in feed.texts)

    async def close(self) -> None:
        """Let go of every connection, and of what is being parsed."""
        self._parsing.close()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _renew(self, feed: _Feed, now: datetime) -> None:
        feed.due_at = now + self._every
        try:
            found = await self._fetched(feed)
            if wait := seconds_to_wait(found.retry_after, now):
                feed.due_at = max(feed.due_at, now + min(timedelta(seconds=min(wait, 1e9)), LONGEST_QUIET))
            if found.status == httpx.codes.OK:
                feed.texts = await self._parsed(found)
                feed.validators = found.validators
            elif found.status != httpx.codes.NOT_MODIFIED:
                raise DataError(f"it answers with status {found.status}")
        except GreenlightError as error:
            self._note(feed, str(error))
        else:
            feed.read_at = now
            self._note(feed, "")

    async def _fetched(self, feed: _Feed) -> Fetched:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._within, trust_env=False, follow_redirects=False)
        try:
            async with asyncio.timeout(self._within):
                return await fetch(self._client, feed.url, feed.validators, most_bytes=MOST_BYTES)
        except (TimeoutError, httpx.TimeoutException):
            raise DataError(f"it does not answer within {plain(self._within, 6)} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DataError(f"it cannot be reached ({type(error).__name__})") from None

    async def _parsed(self, found: Fetched) -> tuple[SourceText, ...]:
        if found.packed and found.packed not in PACKED:
            raise DataError("it is packed in a way that was not asked for")
        try:
            async with self._turn:  # who waits for its turn does not lose its time by that
                texts = await self._parsing.do(parse_feed, found.body, found.content_type, bool(found.packed), SOURCE)
        except TimeoutError:
            raise DataError(f"what it sends cannot be read within {plain(PARSED_WITHIN, 6)} s") from None
        except WorkFailed as error:
            raise DataError(f"what it sends cannot be read: {str(error).strip().splitlines()[-1]}") from None
        if texts is None:
            raise DataError("reading what it sends was broken off")
        return texts

    def _note(self, feed: _Feed, trouble: str) -> None:
        if trouble and trouble != feed.trouble:
            _log.warning("a news feed cannot be read", feed=feed.url, reason=trouble)
        feed.trouble = trouble
