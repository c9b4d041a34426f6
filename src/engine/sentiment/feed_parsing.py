"""Feeds as publishers write them, turned into texts: run in a process of its own, for what it is given is hostile.

Of a megabyte that was made for it feedparser holds the interpreter for a tenth of a second at a time; so it is
nowhere near the loop.
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from engine.domain.errors import DataError
from engine.domain.sentiment import SourceText
from engine.sentiment.texts import clean
from engine.support.capped_body import unpacked

MOST_BYTES = 2 * 1024 * 1024
"""The longest feed that is read, unpacked."""
MOST_ITEMS = 200
"""Items of a feed that are read, its first; publishers have 10 to 100."""
_EMPTY = re.compile(rb"<dc:description\s*/>|<dc:description>\s*</dc:description>")
"""What CoinDesk has beside a description of words: feedparser takes one for the other, and the last wins."""


def parse_feed(body: bytes, content_type: str, packed: bool, source: str) -> tuple[SourceText, ...]:  # noqa: FBT001 - pickled by position
    """The items of a feed, cleaned; those without a time or without words are left out.

    Args:
        body: As it came.
        content_type: What the server said it is.
        packed: Whether it came packed, by gzip or deflate.
        source: What the texts have as their source.

    Raises:
        DataError: It is no feed, or too long.
    """
    import feedparser

    # A file is read; of mere bytes feedparser asks whether they are the name of a file or an address, and opens it.
    opened = io.BytesIO(_EMPTY.sub(b"", unpacked(body, MOST_BYTES) if packed else body))
    said = {"content-type": content_type}
    found = feedparser.parse(opened, response_headers=said, sanitize_html=False, resolve_relative_uris=False)
    if not found.get("version") and not found.entries:
        raise DataError("what it sends is no feed")
    return tuple(_texts(found.entries[:MOST_ITEMS], source))


def _texts(entries: Iterable[Any], source: str) -> Iterable[SourceText]:
    for entry in entries:
        # feedparser's own get warns where it takes one of these for the other
        at = _time(dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed"))
        if at is None:
            continue
        text = clean(
            SourceText(
                source=source,
                title=str(entry.get("title", "")),
                body=str(entry.get("summary", "")),
                url=str(entry.get("link", "")),
                at=at,
            )
        )
        if text.title or text.body:
            yield text


def _time(parsed: Any) -> datetime | None:
    """A time that feedparser read, which is in UTC."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None
