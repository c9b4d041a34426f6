"""What an account's days say: growth, how much it swings, and how far it fell. Pure numpy.

A return is what a day has changed, as a fraction. A year has 365 days, for these markets never close, and money that
lies still earns nothing, so no rate is taken off. The first and the last return may be of a part of a day. ``None`` is
the answer where there is nothing to reckon with: too few days, or no movement at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.backtests import DailyEquity
from engine.domain.market import from_millis, to_millis
from engine.risk.metrics import CVaRCalculator, VaRCalculator, simple_returns

if TYPE_CHECKING:
    from engine.domain.market import Floats, Millis

DAYS_A_YEAR = 365
_DAY = timedelta(days=1)
_LEAST_FOR_A_YEAR = timedelta(days=30)
"""A shorter run says nothing about a year."""
LEAST = 20
"""Of fewer days or trades a ratio is noise: three that lost alike would have a Sharpe ratio of -40."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """What an account was worth at the beginning, at the end of each UTC day, and at the end of the run.

    Attributes:
        at_ms: Milliseconds since 1970, rising.
        equity: In the quote currency, above 0.
    """

    at_ms: Millis
    equity: Floats

    @property
    def returns(self) -> Floats:
        """The change of each day as a fraction: one fewer than there are points."""
        return simple_returns(self.equity)

    @property
    def drawdown(self) -> Floats:
        """How far each point is below the highest one up to then, as a fraction of that."""
        found: Floats = 1.0 - self.equity / np.maximum.accumulate(self.equity)
        return found


def curve_of(begins: datetime, cash: float, daily: DailyEquity) -> Curve:
    """The curve of an account that began with some cash; an end of the run that is one of a day is there once."""
    at = np.concatenate(([to_millis(begins)], daily.at_ms))
    kept = np.append(np.diff(at) > 0, True)
    return Curve(at_ms=at[kept], equity=np.concatenate(([cash], daily.equity))[kept])


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall below the highest value until then.

    Attributes:
        depth: As a fraction of that value.
        peak_at, lowest_at: From when to when it fell.
        recovered_at: When the value was there again; ``None`` where it never was.
    """

    depth: float
    peak_at: datetime
    lowest_at: datetime
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFigures:
    """What returns come to, as fractions.

    Attributes:
        days: How many returns there are.
        gain: Of the whole time.
        cagr: Of a year at the same pace; ``None`` for less than 30 days.
        volatility: The standard deviation of a year; it and the two below are ``None`` for less than 20 days.
        sharpe: The mean over the standard deviation, of a year.
        sortino: The mean over the deviation of losses alone, of a year.
        calmar: ``cagr`` over the deepest drawdown.
        drawdown: At the ends of days; ``None`` where it never fell.
        under_water: The longest time that it was below an earlier value.
        var, cvar: The loss of a day that is exceeded on one of twenty, and the mean of those days.
        best_day, worst_day: The largest changes.
    """

    days: int
    gain: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    drawdown: Drawdown | None
    under_water: timedelta
    var: float | None
    cvar: float | None
    best_day: float | None
    worst_day: float | None


def return_figures(curve: Curve) -> ReturnFigures:
    """The figures of a curve of at least two points."""
    returns, fallen = curve.returns, drawdown(curve)
    gain = float(curve.equity[-1] / curve.equity[0]) - 1.0
    cagr = _cagr(curve)
    return ReturnFigures(
        days=len(returns),
        gain=gain,
        cagr=cagr,
        volatility=volatility(returns),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=cagr / fallen.depth if cagr is not None and fallen else None,
        drawdown=fallen,
        under_water=_under_water(curve),
        var=VaRCalculator().historical(returns),
        cvar=CVaRCalculator().historical(returns),
        best_day=float(returns.max()) if len(returns) else None,
        worst_day=float(returns.min()) if len(returns) else None,
    )


def volatility(returns: Floats) -> float | None:
    """The standard deviation of a year: that of at least 20 days as a sample, times the root of the days of a year."""
    return float(returns.std(ddof=1)) * math.sqrt(DAYS_A_YEAR) if len(returns) >= LEAST else None


def sharpe(returns: Floats) -> float | None:
    """The Sharpe ratio of a year: mean over sample standard deviation, times the root of the days of a year.

    W. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1), 1994. ``None`` for less than 20 days, and for
    what never moves.
    """
    moves = len(returns) >= LEAST and np.ptp(returns) > 0
    return sharpe_of_ratio(float(returns.mean() / returns.std(ddof=1)) if moves else math.nan, len(returns))


def sharpe_of_ratio(ratio: float, days: int) -> float | None:
    """The same of what mean over deviation of so many days is; of no number there is none."""
    return ratio * math.sqrt(DAYS_A_YEAR) if days >= LEAST and math.isfinite(ratio) else None


def sortino(returns: Floats) -> float | None:
    """The Sortino ratio of a year: mean over the root of the mean square of losses, days of gains counting as 0.

    F. Sortino and R. van der Meer, Downside Risk, Journal of Portfolio Management 17(4), 1991, with a target of 0.
    ``None`` for less than 20 days, and where no day lost.
    """
    if len(returns) < LEAST:
        return None
    losses = np.minimum(returns, 0.0)
    downside = math.sqrt(float(np.dot(losses, losses)) / len(losses))
    return float(returns.mean()) / downside * math.sqrt(DAYS_A_YEAR) if downside > 0 else None


def drawdown(curve: Curve) -> Drawdown | None:
    """The deepest fall of a curve; the first of those that are as deep."""
    fallen = curve.drawdown
    lowest = int(fallen.argmax())
    if not fallen[lowest] > 0:
        return None
    peak = int(curve.equity[: lowest + 1].argmax())
    again = np.flatnonzero(curve.equity[lowest:] >= curve.equity[peak])
    return Drawdown(
        depth=float(fallen[lowest]),
        peak_at=from_millis(curve.at_ms[peak]),
        lowest_at=from_millis(curve.at_ms[lowest]),
        recovered_at=from_millis(curve.at_ms[lowest + int(again[0])]) if len(again) else None,
    )


def monthly(curve: Curve) -> dict[tuple[int, int], float]:
    """The change of each month, by year and month; the first and the last may be parts of one."""
    last = dict[tuple[int, int], int]()
    for row, at in enumerate(curve.at_ms[1:], start=1):
        day = from_millis(int(at) - 1)  # midnight ends the day before
        last[day.year, day.month] = row
    rows = [0, *last.values()]
    changes = curve.equity[rows[1:]] / curve.equity[rows[:-1]] - 1.0
    return dict(zip(last, map(float, changes), strict=True))


def _cagr(curve: Curve) -> float | None:
    length = timedelta(milliseconds=int(curve.at_ms[-1] - curve.at_ms[0]))
    if length < _LEAST_FOR_A_YEAR:
        return None
    return float((curve.equity[-1] / curve.equity[0]) ** (DAYS_A_YEAR * _DAY / length)) - 1.0


def _under_water(curve: Curve) -> timedelta:
    """The longest time from a highest value to the next one, or to the end."""
    at_peak = np.flatnonzero(curve.drawdown <= 0)
    ends = np.append(curve.at_ms[at_peak[1:]], curve.at_ms[-1])
    was_below = np.append(np.diff(at_peak) > 1, at_peak[-1] < len(curve.at_ms) - 1)
    lengths = (ends - curve.at_ms[at_peak])[was_below]
    return timedelta(milliseconds=int(lengths.max())) if len(lengths) else timedelta(0)
