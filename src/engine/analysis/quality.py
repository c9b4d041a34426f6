"""The data-quality gate: what candles must be before anything is decided by them.

Mended, and reported: order, exact duplicates, the candle that is still open; a bad candle that is not the newest is
left out as if it were missing. Refused: everything that would have to be guessed.

A violent move is no fault. A crash is borne by volume, or comes among candles that are as wild, or stays. A bad tick
comes out of a quiet market on ordinary volume and is gone with the next candle; while it is the newest there is none
to ask, and it is refused until there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.series_changes import ChangeLimits, changes
from engine.analysis.soundness import Soundness
from engine.domain.decisions import Issue, QualityReport
from engine.domain.figures import plain
from engine.domain.market import Candles, from_millis, to_millis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Floats, Timeframe

    Marks = NDArray[np.bool_]
    Rows = NDArray[np.intp]
    Faults = list[tuple[str, Marks]]

_ROUNDING = 1e-9
"""How far, as a fraction, a price may lie outside the candle's range by floating point alone."""
_MAD_TO_SIGMA = 1.4826
"""Makes the median absolute deviation estimate the standard deviation of a normal distribution (Rousseeuw 1993)."""
_TAKEN_BACK = 0.5
_WORTH_IT = 2
"""From how many times a window on a series is looked through as a whole."""
_VOLUME_HISTORY = 24
_RANGE_HISTORY = 6
_SPIKE = "spike"
_WORDS = {
    "not a number": "holds something that is no number",
    "not positive": "has a price that is not positive, or a negative volume",
    "range": "leaves its own high and low",
    _SPIKE: "looks like a bad tick",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """What is still good enough.

    Attributes:
        min_candles: Fewest closed candles.
        window: The newest candles in which gaps and spikes are looked for.
        max_missing: Most candles that may be missing within the window.
        max_age_candles: Greatest age of the newest close, in candles of its timeframe; a healthy feed is below 1.
        max_move: Size from which a move is looked at, as a log return; smaller ones are never spikes.
        spike_sigmas: Size of a spike, in robust standard deviations of the log returns.
        spike_ranges: Size of a spike, in mean high-low ranges of the six candles before it.
        confirming_volume: Volume that makes a move real, in medians of the 24 candles before it.
        max_factor: From which factor on, between two closes, it is the price of something else.
        gone_for: How long candles are missing before what comes then counts as something else.
        idle_for: How long nothing is traded before nobody is taken to be left.
    """

    min_candles: int = 50
    window: int = 50
    max_missing: int = 3
    max_age_candles: float = 2.0
    max_move: float = 0.10
    spike_sigmas: float = 10.0
    spike_ranges: float = 3.0
    confirming_volume: float = 2.0
    max_factor: float = 500.0
    gone_for: timedelta = timedelta(days=7)
    idle_for: timedelta = timedelta(days=1)

    @property
    def least_change(self) -> float:
        """The log return up to which nothing is to be said of a move."""
        return min(self.max_move, math.log(self.max_factor) * (1 - _ROUNDING))

    @property
    def changes(self) -> ChangeLimits:
        """From where on a series has changed its nature."""
        return ChangeLimits(factor=self.max_factor, gone_for=self.gone_for, idle_for=self.idle_for)


def nobody_confirms(_: Candles) -> bool:
    """Of a market that only its candles tell of."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQualityMonitor:
    """The gate with its limits.

    Attributes:
        confirms: Whether something beside the candles, such as the order book of now, says that the newest close is
            where the market stands.
    """

    limits: QualityLimits = QualityLimits()
    confirms: Callable[[Candles], bool] = nobody_confirms
    _known: dict[tuple[str, Timeframe], _Checked] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sound: dict[tuple[str, Timeframe], tuple[Candles, Soundness]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def check(self, candles: Candles, now: datetime) -> tuple[Candles, QualityReport]:
        """Mend what can be mended and say what cannot; see ``check``. The same candles are looked through once."""
        known = self._known.get((candles.symbol, candles.timeframe))
        if known is None or not known.candles.is_same_part(candles) or now < known.now:
            known = _Checked(candles=candles, now=now, result=self._looked_through(candles, now))
            self._known[candles.symbol, candles.timeframe] = known
        mended, report = known.result
        if now == known.now:
            return known.result
        if report.repaired or report.refused or report.changes:
            return self._check(candles, now)
        return self._aged(mended, now)

    def _looked_through(self, candles: Candles, now: datetime) -> tuple[Candles, QualityReport]:
        """As ``check``, which finds nothing in a part of a longer series that is sound there."""
        whole, start = candles.within or (candles, 0)
        if not len(candles) or len(whole) < _WORTH_IT * len(candles) or candles.closed_at > now:
            return self._check(candles, now)
        if not self._soundness(whole).holds(start, start + len(candles)):
            return self._check(candles, now)
        return self._aged(candles, now)

    def _check(self, candles: Candles, now: datetime) -> tuple[Candles, QualityReport]:
        found = check(candles, now, self.limits)
        if any(issue.kind == _SPIKE for issue in found[1].refused) and self.confirms(found[0]):
            return check(candles, now, self.limits, confirmed=True)
        return found

    def sound_ahead(self, candles: Candles) -> int:
        """How many candles follow in the same series before one with which they have to be looked through again.

        For candles that were found good: until then nothing is to be said of them but their age.
        """
        whole, start = candles.within or (candles, 0)
        # Spikes are looked for among moves from the candle before the newest ones on.
        return self._soundness(whole).ahead(start, start + len(candles), self.limits.window + 1)

    def _soundness(self, whole: Candles) -> Soundness:
        key = whole.symbol, whole.timeframe
        known = self._sound.get(key)
        if known is None or known[0] is not whole:
            known = self._sound[key] = whole, Soundness(whole, self.limits.least_change)
        return known[1]

    def _aged(self, candles: Candles, now: datetime) -> tuple[Candles, QualityReport]:
        """What is to be said of good candles, of which none is missing: only their age changes."""
        refused = _too_few(candles, self.limits) or _too_old(candles, now, self.limits)
        return candles, QualityReport(refused=tuple(refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What some candles were found to be at a time."""

    candles: Candles
    now: datetime
    result: tuple[Candles, QualityReport]


def check(
    candles: Candles, now: datetime, limits: QualityLimits, *, confirmed: bool = False
) -> tuple[Candles, QualityReport]:
    """Mend what can be mended and say what cannot.

    Args:
        candles: As they came.
        now: What had closed by then is looked at.
        limits: What is good enough.
        confirmed: Whether the newest close is known to be where the market stands.

    Returns:
        The mended candles, closed at ``now`` and oldest first, from where they last became those of something else; and
        the report: they may be used if it is ``usable``.
    """
    mended, repaired = _mend(candles, now)
    refused = _future(candles, now)
    for find in (_impossible, partial(_spikes, confirmed=confirmed)):
        mended, old, new = _without(mended, find(mended, limits))
        repaired += old
        refused += new
        if refused:
            break
    mended, changed = (mended, ()) if refused else changes(mended, limits.changes)
    times, gaps = _times(mended, now, limits)
    return mended, QualityReport(repaired=(*repaired, *gaps), refused=(*refused, *times), changes=changed)


def bad_ticks(candles: Candles, limits: QualityLimits) -> Rows:
    """The candles that look like bad ticks wherever they stand in a series that is over; its newest cannot be told.

    Args:
        candles: In order, with values that a market can have.
        limits: What is good enough.
    """
    found = _spikes(candles, replace(limits, window=len(candles)), confirmed=True)
    return np.flatnonzero(found[0][1]) if found else np.empty(0, dtype=np.intp)


def _without(candles: Candles, faults: Faults) -> tuple[Candles, list[Issue], list[Issue]]:
    """Leave out the candles with faults, as if they were missing; a newest one with a fault is refused.

    Returns:
        What is left, what was left out, and what is refused.
    """
    told = [(marks, Issue(kind=kind, detail=f"{_times_of(candles, marks)} {_WORDS[kind]}")) for kind, marks in faults]
    refused = [issue for marks, issue in told if marks[-1]]
    if not told or refused:
        return candles, [], refused
    return candles.take(~np.any([marks for marks, _ in told], axis=0)), [issue for _, issue in told], []


def _mend(candles: Candles, now: datetime) -> tuple[Candles, list[Issue]]:
    repaired = []
    steps = np.diff(candles.open_ms)
    if (steps < 0).any():
        candles = candles.take(np.argsort(candles.open_ms, kind="stable"))
        repaired.append(Issue(kind="order", detail="candles did not come oldest first; sorted"))
    closed = candles.closed(now)
    if len(closed) < len(candles):
        repaired.append(Issue(kind="unclosed", detail="the newest candle is still open; left out"))
    if (steps > 0).all():
        return closed, repaired
    repeated = _repeated(closed)
    if repeated.any():
        repaired.append(Issue(kind="duplicate", detail=f"{_times_of(closed, repeated)} came more than once; merged"))
        closed = closed.take(~repeated)
    return closed, repaired


def _repeated(candles: Candles) -> Marks:
    """Rows that are the row before them once more, to the last digit."""
    same = np.zeros(len(candles), dtype=np.bool_)
    same[1:] = np.diff(candles.open_ms) == 0
    for column in (candles.open, candles.high, candles.low, candles.close, candles.volume):
        same[1:] &= column[1:] == column[:-1]
    return same


def _future(candles: Candles, now: datetime) -> list[Issue]:
    """Refuse candles that open after the one that is open now: a clock or a feed is wrong."""
    ahead = candles.open_ms > to_millis(now) + candles.timeframe.millis
    return [Issue(kind="future", detail=f"{_times_of(candles, ahead)} has not begun yet")] if ahead.any() else []


def _times(candles: Candles, now: datetime, limits: QualityLimits) -> tuple[list[Issue], list[Issue]]:
    """Refuse candles that are too few, too old, off the grid, contradictory, or with too many missing.

    Returns:
        What is refused, and what is missing but can be borne.
    """
    if few := _too_few(candles, limits):
        return few, []
    refused = _too_old(candles, now, limits)
    millis = candles.timeframe.millis
    steps = np.diff(candles.open_ms)
    if not steps.all():
        marks = np.insert(steps == 0, 0, values=False)
        refused.append(Issue(kind="conflict", detail=f"{_times_of(candles, marks)} came with different values"))
    if (steps % millis).any():
        refused.append(Issue(kind="grid", detail=f"candles do not begin {candles.timeframe} apart"))
    recent = candles.open_ms[-limits.window :]
    missing = int(recent[-1] - recent[0]) // millis + 1 - len(recent)
    if missing > limits.max_missing:
        detail = f"{missing} of the newest {limits.window} candles missing, at most {limits.max_missing}"
        return [*refused, Issue(kind="gap", detail=detail)], []
    return refused, [
        Issue(kind="gap", detail=f"missing among the newest {limits.window}: {missing}")
    ] if missing > 0 else []


def _too_few(candles: Candles, limits: QualityLimits) -> list[Issue]:
    if len(candles) >= max(1, limits.min_candles):
        return []
    return [Issue(kind="too few", detail=f"{len(candles)} closed candles, needs {limits.min_candles}")]


def _too_old(candles: Candles, now: datetime, limits: QualityLimits) -> list[Issue]:
    age = (to_millis(now) - int(candles.open_ms[-1])) / candles.timeframe.millis - 1
    if age <= limits.max_age_candles:
        return []
    detail = f"the newest close is {age:.1f} candles old, at most {plain(limits.max_age_candles, 6)}"
    return [Issue(kind="stale", detail=detail)]


def _impossible(candles: Candles, limits: QualityLimits) -> Faults:
    """Candles with values that no market can have."""
    del limits
    high, low = candles.high, candles.low
    inner_high, inner_low = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    faults = [
        ("not a number", ~np.isfinite(candles.open + high + low + candles.close + candles.volume)),
        ("not positive", (np.minimum(inner_low, np.minimum(low, high)) <= 0) | (candles.volume < 0)),
        ("range", (inner_high > high * (1 + _ROUNDING)) | (inner_low < low * (1 - _ROUNDING)) | (low > high)),
    ]
    return [(kind, marks) for kind, marks in faults if marks.any()]


def _spikes(candles: Candles, limits: QualityLimits, *, confirmed: bool) -> Faults:
    """Bad ticks among the newest candles; most of the time nothing moved enough to look closer.

    That the newest close is confirmed says nothing of how far that candle reached beyond it.
    """
    recent = candles.tail(limits.window + 1)
    bodies, wicks = np.diff(np.log(recent.close)), _overshoot(recent)
    moves = np.maximum(np.abs(bodies), wicks)
    if not (moves > limits.max_move).any():
        return []
    every_body = np.diff(np.log(candles.close))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(every_body - np.median(every_body))))
    first = len(candles) - len(moves)
    marks = np.zeros(len(candles), dtype=np.bool_)
    for step in np.flatnonzero(moves > max(limits.max_move, limits.spike_sigmas * sigma)):
        stays = confirmed and step + 1 == len(bodies)
        gone = wicks[step] > abs(bodies[step]) or (not stays and _is_taken_back(bodies, int(step)))
        marks[first + step] = gone and _is_out_of_the_blue(candles, first + int(step), float(moves[step]), limits)
    return [(_SPIKE, marks)] if marks.any() else []


def _overshoot(candles: Candles) -> Floats:
    """How far each candle but the first reached beyond its own close and the one before, as a log return."""
    before, after = candles.close[:-1], candles.close[1:]
    up = np.log(candles.high[1:] / np.maximum(before, after))
    down = np.log(np.minimum(before, after) / candles.low[1:])
    return np.maximum(up, down)


def _is_taken_back(bodies: Floats, step: int) -> bool:
    """Whether most of a close-to-close move was gone by the next close.

    The newest move is presumed to go, unless it only undoes the one before.
    """
    newest = step + 1 == len(bodies)
    return not _offset(bodies, step, by=step - 1) if newest else _offset(bodies, step, by=step + 1)


def _offset(bodies: Floats, step: int, *, by: int) -> bool:
    """Whether a neighbouring move the other way offsets at least half of this one."""
    return by >= 0 and bool(bodies[by] * bodies[step] < 0 and abs(bodies[by]) >= _TAKEN_BACK * abs(bodies[step]))


def _is_out_of_the_blue(candles: Candles, row: int, move: float, limits: QualityLimits) -> bool:
    """Whether a move came out of a quiet market and on ordinary volume."""
    usual_volume = float(np.median(candles.volume[max(0, row - _VOLUME_HISTORY) : row]))
    if usual_volume > 0 and candles.volume[row] >= limits.confirming_volume * usual_volume:
        return False
    before = slice(max(0, row - _RANGE_HISTORY), row)
    usual_range = float(np.mean(np.log(candles.high[before] / candles.low[before])))
    return move > limits.spike_ranges * usual_range


def _times_of(candles: Candles, marks: Marks) -> str:
    """The first of the marked candles, and how many more there are: ``2022-05-11 12:00 UTC and 2 more``."""
    rows = np.flatnonzero(marks)
    first = f"{from_millis(int(candles.open_ms[rows[0]])):%Y-%m-%d %H:%M} UTC"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"
