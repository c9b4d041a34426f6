"""Longer candles out of shorter ones, and one market's candles in all lengths.

A longer candle is made of those short ones that lie in it; missing ones are tolerated. It counts as closed only when
its whole span has passed, so nothing can be read off it before its time.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.errors import NoData
from engine.domain.market import Candles, Timeframe, to_millis
from engine.simulation import path
from engine.simulation.finer import Woven, woven
from engine.simulation.intrabar import Intrabar

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MONDAY_MS = 4 * 24 * 3600 * 1000
"""The first Monday after 1970-01-01, where weeks are counted from."""


def resample(base: Candles, timeframe: Timeframe) -> Candles:
    """Make longer candles; one that began before the first short candle is left out, as its open is not known.

    Raises:
        NoData: The timeframe is shorter than that of the candles.
    """
    if timeframe is base.timeframe:
        return base
    if timeframe.millis < base.timeframe.millis:
        raise NoData(f"{base.symbol}: there are only {base.timeframe} candles, none of {timeframe}.")
    span = timeframe.millis
    anchor = _MONDAY_MS if timeframe is Timeframe.W1 else 0
    starts = (base.open_ms - anchor) // span * span + anchor
    edges: NDArray[np.intp] = np.flatnonzero(np.diff(starts, prepend=-1))
    if len(edges) and starts[0] != base.open_ms[0]:
        edges = edges[1:]
    if not len(edges):
        return Candles.none_of(base.symbol, timeframe)
    ends = np.append(edges[1:], len(starts)) - 1
    return Candles(
        symbol=base.symbol,
        timeframe=timeframe,
        open_ms=starts[edges],
        open=base.open[edges],
        high=np.maximum.reduceat(base.high, edges),
        low=np.minimum.reduceat(base.low, edges),
        close=base.close[ends],
        volume=np.add.reduceat(base.volume, edges),
    )


class Series:
    """One market's candles: longer ones are made once when first asked for, reading is a search and a view.

    Args:
        base: The candles.
        rule: What happens inside one.
        shorter: Others of the same market, which the price goes along where they tell all of one.
    """

    def __init__(self, base: Candles, rule: Intrabar = Intrabar.PATH, shorter: Candles | None = None) -> None:
        self.base = base
        self._rule = rule
        self._sound = path.sound(base)
        self._path = Woven(self._sound, None) if shorter is None else woven(self._sound, shorter)
        self._span = base.timeframe.millis
        self._frames: dict[Timeframe, tuple[Candles, int]] = {}
        self._last: dict[tuple[Timeframe, int], tuple[int, Candles]] = {}

    def closed(self, timeframe: Timeframe, now: datetime, limit: int) -> Candles:
        """The newest ``limit`` candles of a length that have closed at ``now``; one object while they are the same.

        Raises:
            NoData: The market's own candles are longer than that.
        """
        if timeframe not in self._frames:
            self._frames[timeframe] = resample(self.base, timeframe), timeframe.millis
        candles, span = self._frames[timeframe]
        stop = int(candles.open_ms.searchsorted(to_millis(now) - span, side="right"))
        last = self._last.get((timeframe, limit))
        if last is None or last[0] != stop:
            last = self._last[timeframe, limit] = stop, candles.slice(max(0, stop - limit), stop)
        return last[1]

    def price(self, now: datetime) -> float | None:
        """The price at a moment, or ``None`` where there is none."""
        return path.price_at(self._path.candles, to_millis(now), self._rule, self._path.spans)

    def turning_points(self, after: datetime, until: datetime) -> list[tuple[int, float]]:
        """The turning points in ``(after, until]``: milliseconds since 1970, and prices."""
        candles, spans = self._path
        return list(path.turning_points(candles, to_millis(after), to_millis(until), self._rule, spans))

    def volume(self, now: datetime) -> Decimal | None:
        """What the last closed candle traded, or ``None`` where none has closed or its volume is no number."""
        index = int(self._sound.open_ms.searchsorted(to_millis(now) - self._span, side="right")) - 1
        volume = float(self._sound.volume[index]) if index >= 0 else -1.0
        return Decimal(repr(volume)) if np.isfinite(volume) and volume >= 0 else None
