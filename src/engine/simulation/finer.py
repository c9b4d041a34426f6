"""Shorter candles in the place of longer ones, where they tell the same: a path that knows more of what was inside.

A longer candle is followed along its shorter ones where none of these is missing, and together they have its open,
high, low and close. Else it is followed by itself, as where there are no shorter ones.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.domain.market import Candles
from engine.simulation.path import sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Millis

_ALIKE = 1e-6
"""By which fraction prices may differ and be the same: files have floats of several makes."""


class Told(IntEnum):
    """What shorter candles tell of a longer one."""

    ALL = 0
    GAPS = 1
    """Some of them are missing."""
    ANOTHER = 2
    """All are there, and make another candle."""


class Woven(NamedTuple):
    """Candles of two lengths, one after another, and how long each lasts, in milliseconds; ``None`` for one length."""

    candles: Candles
    spans: Millis | None


def told(longer: Candles, shorter: Candles) -> NDArray[np.int8]:
    """What shorter candles tell of each longer one: a ``Told`` for each."""
    return _told(longer, sound(shorter))[1]


def woven(longer: Candles, shorter: Candles) -> Woven:
    """Each longer candle by its shorter ones where these tell all of it, else by itself."""
    shorter = sound(shorter)
    first, known = _told(longer, shorter)
    count, own = longer.timeframe.millis // shorter.timeframe.millis, known != Told.ALL
    rows = (first[~own, None] + np.arange(count)).ravel()
    columns = {
        name: np.concatenate([getattr(longer, name)[own], getattr(shorter, name)[rows]])
        for name in ("open_ms", "open", "high", "low", "close", "volume")
    }
    spans = np.repeat([longer.timeframe.millis, shorter.timeframe.millis], [int(own.sum()), len(rows)])
    order = columns["open_ms"].argsort(kind="stable")
    ordered = {name: column[order] for name, column in columns.items()}
    return Woven(Candles(symbol=longer.symbol, timeframe=longer.timeframe, **ordered), spans[order])


def _told(longer: Candles, shorter: Candles) -> tuple[NDArray[np.intp], NDArray[np.int8]]:
    """At which shorter candle each longer one begins, and what these tell of it."""
    span, count = shorter.timeframe.millis, longer.timeframe.millis // shorter.timeframe.millis
    known = np.full(len(longer), Told.GAPS, dtype=np.int8)
    first = shorter.open_ms.searchsorted(longer.open_ms)
    last = first + count - 1
    inside = np.flatnonzero(last < len(shorter))
    breaks = np.append(0, np.cumsum(np.diff(shorter.open_ms) != span))
    begins, ends = first[inside], last[inside]
    whole = (shorter.open_ms[begins] == longer.open_ms[inside]) & (breaks[begins] == breaks[ends])
    rows, begins, ends = inside[whole], begins[whole], ends[whole]
    if len(rows):
        parts = begins[:, None] + np.arange(count)
        same = (
            _alike(shorter.open[begins], longer.open[rows])
            & _alike(shorter.high[parts].max(axis=1), longer.high[rows])
            & _alike(shorter.low[parts].min(axis=1), longer.low[rows])
            & _alike(shorter.close[ends], longer.close[rows])
        )
        known[rows] = np.where(same, Told.ALL, Told.ANOTHER)
    return first, known


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isclose(one, other, rtol=_ALIKE, atol=0.0)
