"""Candles from further back than a venue tells in one answer: what is held of them, and pages of what is not."""

from __future__ import annotations

import numpy as np

from engine.domain.errors import NoData, VenueError
from engine.domain.market import Candles, Timeframe, from_millis
from engine.exchanges.ccxt.client import VenueClient

PAGE = 1000
"""Candles asked for at a time; venues tell 300 to 1,500, and cut what is more without a word."""
_BORNE = 5
"""So few that are lacking are not asked for: the newest that are not there yet, and what a venue's page is short by."""


class Pages:
    """Lengthens the newest candles of a market and timeframe, back to where the venue's own begin.

    Args:
        client: The venue.
        count: How many candles are wanted of each.
    """

    def __init__(self, client: VenueClient, count: int) -> None:
        self._client = client
        self._count = count
        self._first: dict[tuple[str, Timeframe], int] = {}
        """Before which opening time a venue has told of no candle."""

    async def back_from(self, answer: Candles, held: Candles | None) -> Candles:
        """The candles of an answer with as many before them as are wanted, or as can be had now.

        Args:
            answer: The newest candles; those that are out of order stay as they came.
            held: What was held before and can be trusted; nothing of it counts that the answer tells anew.
        """
        if not len(answer) or (np.diff(answer.open_ms) <= 0).any():
            return answer
        found = joined(held, answer) if held is not None and _reaches(held, answer) else answer
        key, span = (answer.symbol, answer.timeframe), answer.timeframe.duration
        while self._is_short(found) and int(found.open_ms[0]) != self._first.get(key):
            oldest = int(found.open_ms[0])
            try:
                page = await self._client.candles(*key, PAGE, from_millis(oldest) - PAGE * span)
            except NoData:
                self._first[key] = oldest
                break
            except VenueError:
                break  # the next close asks again; until then there is less
            found = joined(page, found)
            if int(found.open_ms[0]) == oldest:
                self._first[key] = oldest
        return found

    def _is_short(self, found: Candles) -> bool:
        """Whether they reach less far back than is wanted; that some among them are missing is another matter."""
        reach = (int(found.open_ms[-1]) - int(found.open_ms[0])) // found.timeframe.millis + 1
        return reach < self._count - _BORNE


def joined(older: Candles, newer: Candles) -> Candles:
    """Candles with those of another series before them that are older than all of theirs, where these are in order."""
    before = older.cut(0, int(older.open_ms.searchsorted(newer.open_ms[0])))
    if not len(before) or (np.diff(before.open_ms) <= 0).any():
        return newer
    return before.joined(newer)


def _reaches(older: Candles, newer: Candles) -> bool:
    """Whether nothing can lie between two series."""
    return len(older) > 0 and int(older.open_ms[-1]) + older.timeframe.millis >= int(newer.open_ms[0])
