"""Fills a folder with a venue's history: only what is not held yet, several series at once, page by page.

What has come is written every so often and at the end of each series, so that whoever is stopped or killed goes on from
there. The venue's limits are its client's to keep; where it asks for quiet, all wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from engine.analysis.row_faults import row_faults
from engine.data.history import HistoryFile
from engine.data.history_series import Series
from engine.domain.errors import GreenlightError, NoData, VenueError
from engine.domain.market import Candles, Timeframe, from_millis

WORKERS = 6
"""Series that are filled at a time: so many that the venue's limits are waited for, and not its answers."""
_TRIES = 6
"""How often a page is asked for before its series is given up."""
_TRIES_FOR_GOOD_ROWS = 3
"""How often a page is asked for before rows in it that can be no candles are left out."""
_LONGEST_PAUSE = 30.0
_LOOK_EVERY = 0.1
"""Seconds between two looks at whether somebody wants it to end."""


class HistorySource(Protocol):
    """A venue that tells candles of the past, as ``VenueClient`` does."""

    @property
    def page(self) -> int:
        """How many candles it tells at a time, at most."""
        ...

    @property
    def timeframes(self) -> frozenset[Timeframe]:
        """The candles it has."""
        ...

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, since: datetime | None = None) -> Candles:
        """A page of candles, from a time on.

        Raises:
            NoData: There are none.
            VenueError: It cannot be reached, or answers nonsense.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of a series.

    Attributes:
        new: How many candles have come.
        dropped: How many rows were left out that can be no candles.
        error: Why it is not whole; empty where it is, or was stopped.
    """

    file: HistoryFile
    new: int
    dropped: int
    error: str = ""


class Downloader:
    """Fills series from a venue.

    Args:
        source: The venue; it is open.
        is_stopped: Whether somebody wants it to end; what has come is then written.
        on_done: Told for how many more candles the time has been asked about.
        on_wait: Told why it waits.
    """

    def __init__(
        self,
        *,
        source: HistorySource,
        is_stopped: Callable[[], bool],
        on_done: Callable[[int], None],
        on_wait: Callable[[str], None],
    ) -> None:
        self._source = source
        self._is_stopped = is_stopped
        self._on_done = on_done
        self._on_wait = on_wait
        self._writing = asyncio.Lock()

    async def fill(self, wanted: Sequence[Series]) -> list[Filled]:
        """Fill every series; one that fails keeps no other from being filled."""
        waiting, found = list(reversed(wanted)), list[Filled]()

        async def work() -> None:
            while waiting and not self._is_stopped():
                found.append(await self._filled(waiting.pop()))

        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work())
        return found

    async def _filled(self, series: Series) -> Filled:
        error = ""
        try:
            try:
                for begin, end in series.todo:
                    await self._fill(series, begin, end)
            finally:
                await self._write(series)
        except GreenlightError as failed:
            error = str(failed)
        return Filled(file=series.file, new=series.new, dropped=series.dropped, error=error)

    async def _fill(self, series: Series, at: int, end: int) -> None:
        millis = series.file.timeframe.millis
        while at < end and not self._is_stopped():
            page, reached = await self._page(series, at, end)
            is_newest = not len(page) and reached >= series.until
            if not is_newest:  # what has not come yet is asked for again
                series.take(page, (at, reached))
            self._on_done((reached - at) // millis)
            at = reached
            if series.is_to_be_written:
                await self._write(series)

    async def _write(self, series: Series) -> None:
        async with self._writing:  # one at a time: a long series is large while it is written
            await asyncio.to_thread(series.write)

    async def _page(self, series: Series, at: int, end: int) -> tuple[Candles, int]:
        """The candles from a time on, as many as the venue tells, and up to where these are all."""
        nothing = series.held.candles.cut(0, 0)
        try:
            found = await self._good(series, at)
        except NoData:
            return nothing, await self._next(series.file, at, end)
        later = found.cut(int(found.open_ms.searchsorted(at)), len(found))
        if not len(later):
            return nothing, await self._next(series.file, at, end)
        reached = min(int(later.open_ms[-1]) + series.file.timeframe.millis, end)
        return later.cut(0, int(later.open_ms.searchsorted(end))), reached

    async def _good(self, series: Series, at: int) -> Candles:
        """A page in order, without rows that can be no candles; before these are left out it is asked for again."""
        symbol, timeframe = series.file.symbol, series.file.timeframe
        tries = 0
        while True:
            found = _in_order(await self._asked(symbol, timeframe, at))
            bad = np.zeros(len(found), dtype=np.bool_)
            for _, rows, _ in row_faults(found):
                bad[rows] = True
            tries += 1
            if not bad.any() or tries >= _TRIES_FOR_GOOD_ROWS:
                series.dropped += int(bad.sum())
                return found.take(~bad)
            await self._pause(float(tries))

    async def _asked(self, symbol: str, timeframe: Timeframe, at: int) -> Candles:
        """A page as it comes; a venue that fails is asked again after longer and longer pauses."""
        tries = 0
        while True:
            try:
                return await self._source.candles(symbol, timeframe, self._source.page, from_millis(at))
            except NoData:
                raise
            except VenueError as error:
                tries += not error.retry_after
                if tries >= _TRIES or self._is_stopped():
                    raise
                self._on_wait(error.message)
                await self._pause(error.retry_after or min(2.0**tries, _LONGEST_PAUSE))

    async def _next(self, file: HistoryFile, at: int, end: int) -> int:
        """Where candles may go on where a page has none: some venues tell of a window only, so longer ones tell."""
        longest = max(self._source.timeframes, key=lambda each: each.millis)
        after = at + self._source.page * file.timeframe.millis
        if longest.millis <= file.timeframe.millis:
            return min(after, end)
        start = int(longest.floor(from_millis(at)).timestamp() * 1000)
        try:
            found = _in_order(await self._asked(file.symbol, longest, start))
        except NoData:
            return min(start + self._source.page * longest.millis, end)
        ahead = found.open_ms[found.open_ms + longest.millis > after]
        return min(max(after, int(ahead[0])) if len(ahead) else end, end)

    async def _pause(self, seconds: float) -> None:
        over = asyncio.get_running_loop().time() + seconds
        while not self._is_stopped() and (left := over - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - a flag
            await asyncio.sleep(min(left, _LOOK_EVERY))


def _in_order(candles: Candles) -> Candles:
    """Oldest first, each time once."""
    return candles.take(np.unique(candles.open_ms, return_index=True)[1])
