"""What a strategy sees of one market, row by row of its own candles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.flags import crossing
from engine.domain.columns import Crossing, OutlookColumns
from engine.domain.market import Candles, Timeframe
from engine.ports import Frames

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from engine.domain.columns import Bools, Signs
    from engine.domain.market import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The readings of every timeframe at each close of a strategy's own.

    A reading of a longer candle is known from that candle's close on, and until the next one of its length closes.

    Attributes:
        frames: By timeframe; the strategy's own is there.
        timeframe: The strategy's own.
        since: The first row of its own frame that is looked at.
    """

    frames: Frames
    timeframe: Timeframe
    since: int = 0
    _rows: dict[Timeframe, NDArray[np.int64]] = field(default_factory=dict, init=False)
    _read: dict[tuple[str, Timeframe], Floats] = field(default_factory=dict, init=False)
    _crossings: dict[tuple[int, int], Crossing] = field(default_factory=dict, init=False)
    _frame: list[pd.DataFrame] = field(default_factory=list, init=False)

    def __len__(self) -> int:
        return self.frames[self.timeframe].columns.count - self.since

    @property
    def candles(self) -> Candles:
        """The candles of its own timeframe, one for each row."""
        own = self.frames[self.timeframe].candles
        return own.cut(self.since, len(own))

    def frame(self) -> pd.DataFrame:
        """The same as a pandas frame of one's own, its rows numbered from 0; ``time`` is when each candle opened."""
        if not self._frame:
            frame = self.candles.frame()
            self._frame.append(frame.reset_index(names="time"))
        return self._frame[0]

    def reading(self, name: str, timeframe: Timeframe | None = None) -> Floats:
        """A reading by its name at each row; ``NaN`` where it is not known, on its own timeframe if none is given.

        It is read by others as well, so it cannot be written to.
        """
        key = name, timeframe or self.timeframe
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = self._looked_up(*key).view()
            found.setflags(write=False)
        return found

    def crossing(self, fast: int, slow: int) -> Crossing:
        """A fast mean of the close against a slow one, each so many of its own candles long."""
        found = self._crossings.get((fast, slow))
        if found is None:
            means = self.reading(f"ma_{fast}"), self.reading(f"ma_{slow}")
            cross = self.frames[self.timeframe].columns.cross or crossing
            found = self._crossings[fast, slow] = cross(*means)
        return found

    def flag(self, name: str) -> Bools:
        """Where a flag of its own timeframe holds."""
        return self.frames[self.timeframe].columns.flags.since(name, self.since)

    @property
    def outlook(self) -> OutlookColumns:
        """What was expected at each row; of rows where that is not told, nothing."""
        own = self.frames[self.timeframe]
        if own.outlook is not None:
            return own.outlook.part(self.since, own.columns.count)
        unknown = np.full(len(self), np.nan)
        return OutlookColumns(direction=unknown, alignment=unknown, expected_move=unknown, by_timeframe={})

    def patterns(self) -> tuple[Signs, tuple[str, ...]]:
        """The candlestick patterns of its own timeframe (see ``TechnicalColumns``), and their names."""
        columns = self.frames[self.timeframe].columns
        return columns.patterns[self.since :], columns.pattern_names

    def _looked_up(self, name: str, timeframe: Timeframe) -> Floats:
        frame = self.frames.get(timeframe)
        if frame is None or not frame.columns.count:
            return np.full(len(self), np.nan)
        if timeframe is self.timeframe:
            return frame.columns.reading(name, self.since)
        rows = self.closed(timeframe)
        if rows[0] == rows[-1] >= 0:  # one longer candle throughout: the usual case live
            value = frame.columns.reading(name, int(rows[0]))[0]
            return np.full(len(rows), value)
        return np.where(rows < 0, np.nan, frame.columns.reading(name)[rows])

    def closed(self, timeframe: Timeframe) -> NDArray[np.int64]:
        """The newest candle of a timeframe that has closed by each row's own close; below 0 where there is none."""
        if timeframe not in self._rows:
            closes = self.frames[self.timeframe].candles.open_ms[self.since :] + self.timeframe.millis
            longer = self.frames[timeframe].candles.open_ms + timeframe.millis
            self._rows[timeframe] = longer.searchsorted(closes, side="right") - 1
        return self._rows[timeframe]
