"""Which candles show a trade whole: not more than a picture has room for, and some from before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from engine.domain.market import Timeframe

MOST = 150
"""Candles that a picture has room for."""
BEFORE, AFTER = 24, 8
"""Candles that are shown from before it was opened and from after it was closed."""
_USUAL = 60
"""Candles within a trade of which nobody knows on which timeframe it was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """So many candles of a timeframe, the last of which had closed at a time."""

    timeframe: Timeframe
    until: datetime
    count: int


def windows(opened: datetime, closed: datetime | None, now: datetime, decided_on: str) -> Iterator[Window]:
    """Windows around a trade, the best first: on its own timeframe, or on the shortest on which it fits in.

    The next ones are for a venue that does not remember the candles of the one before: longer ones reach further back.

    Args:
        opened: When it was opened.
        closed: When it was closed; ``None`` while it is open.
        now: The market time.
        decided_on: The timeframe on which it was decided, such as ``1h``; empty where that is not known.
    """
    length = (closed or now) - opened
    room = MOST - BEFORE - AFTER if decided_on in set(Timeframe) else _USUAL
    for timeframe in _from(decided_on):
        if length <= room * timeframe.duration or timeframe is Timeframe.W1:
            until = now if closed is None else min(now, closed + AFTER * timeframe.duration)
            count = ceil((until - opened) / timeframe.duration) + BEFORE
            yield Window(timeframe=timeframe, until=until, count=min(MOST, count))


def _from(decided_on: str) -> Iterator[Timeframe]:
    """The timeframes from one on, from the shortest to the longest; all of them where it is none."""
    known = sorted(Timeframe, key=lambda timeframe: timeframe.duration)
    yield from known[known.index(Timeframe(decided_on)) :] if decided_on in set(Timeframe) else known
