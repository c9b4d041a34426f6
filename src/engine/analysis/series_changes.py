"""Where a series of candles is no longer of what it was.

Another coin has come under the same name, its units were changed, it ended and began anew, or nobody trades it now.
Such a series is not bad: every candle of it may be right. But what was held before, and what was reckoned from it, is
worth nothing after, so people have to look at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.decisions import IDLE, SeriesChange
from engine.domain.figures import grouped
from engine.domain.market import Candles, from_millis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

_ROUNDING = 1e-9
"""How much, as a fraction, a move may seem less than it is by floating point alone."""
_FEWEST = 3
"""So many candles at least must be missing or idle, whatever their length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLimits:
    """From where on a series has changed.

    Attributes:
        factor: Of the price, from one close to the next.
        gone_for: How long candles are missing.
        idle_for: How long candles have no volume, up to the newest one.
    """

    factor: float
    gone_for: timedelta
    idle_for: timedelta


def changes(candles: Candles, limits: ChangeLimits) -> tuple[Candles, tuple[SeriesChange, ...]]:
    """The candles since a series last became another one, and everything that changed.

    Args:
        candles: In order, without bad ones.
        limits: From where on it has changed.
    """
    if not len(candles):
        return candles, ()
    jumps, gaps = _jumps(candles, limits), _gaps(candles, limits)
    found = (*_tell_gaps(candles, gaps), *_tell_jumps(candles, jumps), *_idle(candles, limits))
    start = max((int(rows[-1]) for rows in (jumps, gaps) if len(rows)), default=0)
    since = candles.cut(start, len(candles)) if start else candles
    return since, tuple(sorted(found, key=lambda change: change.at))


def everywhere(candles: Candles, limits: ChangeLimits) -> tuple[SeriesChange, ...]:
    """Everything that changed, as of ``changes``, and also where nothing was traded for long and is again since."""
    found = (*_been_idle(candles, limits), *changes(candles, limits)[1])
    return tuple(sorted(found, key=lambda change: change.at))


def _jumps(candles: Candles, limits: ChangeLimits) -> Rows:
    """The candles that close a factor away from the one before; one that the next candle undoes is a bad tick."""
    moves = np.diff(np.log(candles.close))
    big = np.abs(moves) >= np.log(limits.factor) * (1 - _ROUNDING)
    undone = np.zeros(len(moves), dtype=np.bool_)
    undone[:-1] = big[:-1] & big[1:] & (moves[:-1] * moves[1:] < 0)
    undone[1:] |= undone[:-1].copy()
    return np.flatnonzero(big & ~undone) + 1


def _gaps(candles: Candles, limits: ChangeLimits) -> Rows:
    missing = np.diff(candles.open_ms) - candles.timeframe.millis
    return np.flatnonzero(missing >= _millis(candles, limits.gone_for)) + 1


def _millis(candles: Candles, length: timedelta) -> int:
    return max(length // timedelta(milliseconds=1), _FEWEST * candles.timeframe.millis)


def _tell_jumps(candles: Candles, rows: Rows) -> Iterator[SeriesChange]:
    for row in rows:
        before, after = float(candles.close[row - 1]), float(candles.close[row])
        detail = (
            f"the price went from {grouped(before, 6)} to {grouped(after, 6)} within a candle, at {_time(candles, row)}"
        )
        yield _change("jump", candles, row, row, detail)


def _tell_gaps(candles: Candles, rows: Rows) -> Iterator[SeriesChange]:
    for row in rows:
        ended = from_millis(int(candles.open_ms[row - 1])) + candles.timeframe.duration
        detail = f"there was no candle from {ended:%Y-%m-%d %H:%M} UTC to {_time(candles, row)}"
        yield _change("gone", candles, row, row, detail)


def _idle(candles: Candles, limits: ChangeLimits) -> Iterator[SeriesChange]:
    """The candles up to the newest that traded nothing, where they are many: all that are known, or long enough."""
    traded = np.flatnonzero(candles.volume > 0)
    first = int(traded[-1]) + 1 if len(traded) else 0
    count = len(candles) - first
    enough = count * candles.timeframe.millis >= _millis(candles, limits.idle_for)
    if count >= _FEWEST and (enough or not first):
        detail = f"nothing has been traded since {_time(candles, first)}"
        yield _change(IDLE, candles, first, len(candles) - 1, detail)


def _been_idle(candles: Candles, limits: ChangeLimits) -> Iterator[SeriesChange]:
    """The candles that traded nothing for long enough, and after which something was traded."""
    edges = np.flatnonzero(np.diff(candles.volume <= 0, prepend=False, append=False)).reshape(-1, 2)
    for first, end in edges[edges[:, 1] < len(candles)]:
        if (end - first) * candles.timeframe.millis >= _millis(candles, limits.idle_for):
            detail = f"nothing was traded from {_time(candles, first)} to {_time(candles, end)}"
            yield _change(IDLE, candles, first, end - 1, detail)


def _change(kind: str, candles: Candles, first: np.intp | int, last: np.intp | int, detail: str) -> SeriesChange:
    at, until = (from_millis(int(candles.open_ms[row])) for row in (first, last))
    return SeriesChange(kind=kind, at=at, detail=detail, until=until + candles.timeframe.duration)


def _time(candles: Candles, row: int | np.intp) -> str:
    return f"{from_millis(int(candles.open_ms[row])):%Y-%m-%d %H:%M} UTC"
