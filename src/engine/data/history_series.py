"""One series of a venue's history while it is downloaded: what is held, what is to be asked, what has come since."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from engine.data.history import History, HistoryFile
from engine.data.spans import Span, Spans, lacking, length, united
from engine.domain.market import Candles, to_millis

WRITE_EVERY = 50_000
"""Candles after which what has come is written; more where more is held, for a file is written whole."""
_SHARE_HELD = 8


@dataclass(slots=True, kw_only=True)
class Series:
    """A series while it is filled.

    Attributes:
        held: What its file has.
        todo: Which time is still to be asked about.
        until: Up to when candles are wanted; the newest may not be at the venue yet.
        new: How many candles have come.
        dropped: How many rows the venue told again and again that can be no candles.
    """

    file: HistoryFile
    held: History
    todo: Spans
    until: int
    new: int = 0
    dropped: int = 0
    _pages: list[Candles] = field(default_factory=list, init=False)
    _asked: list[Span] = field(default_factory=list, init=False)
    _unwritten: int = field(default=0, init=False)

    @property
    def count(self) -> int:
        """How many candles are still to be asked for, if none of them is missing."""
        return length(self.todo) // self.file.timeframe.millis

    @property
    def is_to_be_written(self) -> bool:
        """Whether enough has come since the last time."""
        return self._unwritten >= max(WRITE_EVERY, len(self.held.candles) // _SHARE_HELD)

    def take(self, page: Candles, asked: Span) -> None:
        """Note an answer: its candles, and the time that they are all of."""
        self._pages.append(page)
        self._asked.append(asked)
        self._unwritten += len(page)
        self.new += len(page)

    def write(self) -> None:
        """Write what has come, so that nobody has to ask for it again.

        Raises:
            DataError: The file cannot be written.
        """
        if not self._asked:
            return
        history = self.held
        pages, asked, self._pages, self._asked, self._unwritten = self._pages, tuple(self._asked), [], [], 0
        if any(map(len, pages)):
            joined = pages[0]
            for page in pages[1:]:
                joined = joined.joined(page)
            history = history.with_page(joined, asked)
        else:
            history = History(candles=history.candles, asked=united((*history.asked, *asked)))
        self.held = history
        if len(history.candles):
            self.file.write(history)


def series_of(file: HistoryFile, since: datetime | None, until: datetime) -> Series:
    """What is held of a series, and which time is still to be asked about.

    Args:
        file: Where it is kept.
        since: From where on it is wanted; ``None`` for going on where the file ends, and for what it lacks before.
        until: Up to where; a candle that closes later is left out.

    Raises:
        DataError: The file there cannot be read.
    """
    held, floor = file.read(), file.timeframe.floor
    end = to_millis(floor(until))
    begin = held.asked[0][0] if since is None and held.asked else to_millis(floor(since or until))
    return Series(file=file, held=held, todo=lacking((begin, end), held.asked), until=end)
