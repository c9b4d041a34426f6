"""Finding times in what people read, so that a platform can show each reader their own zone's. Pure.

Cards are plain text and write every time alike (``wording.moment``); who reads them is known to the platforms alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_MOMENT = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d \d\d:\d\d UTC(?!\w)")


def pieces(text: str) -> Iterator[tuple[str, datetime | None]]:
    """A text in pieces, in order: what is a time comes with it; the rest without."""
    end = 0
    for found in _MOMENT.finditer(text):
        at = _time(found.group())
        if at is not None:
            yield text[end : found.start()], None
            yield found.group(), at
            end = found.end()
    yield text[end:], None


def marked(text: str, plain: Callable[[str], str], time: Callable[[str, datetime], str]) -> str:
    """A text in a platform's markup.

    Args:
        text: What is to be shown.
        plain: Escapes what is no time.
        time: Marks a time; it is given its words, for those who cannot read the mark.
    """
    return "".join(plain(piece) if at is None else time(piece, at) for piece, at in pieces(text))


def by_clock(text: str, zone: ZoneInfo) -> str:
    """A text with its times by a zone's clock, and that zone's name: for where no reader can be shown their own."""
    return "".join(
        piece if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone}" for piece, at in pieces(text)
    )


def _time(words: str) -> datetime | None:
    try:
        return datetime.strptime(words, "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:  # digits that are no date: somebody's own text
        return None
