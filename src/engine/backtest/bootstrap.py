"""How far figures would swing by chance alone, by resampling days and trades. arch is loaded when somebody asks.

Days and trades that follow one another are alike, so stretches of them are drawn, of a random length (the stationary
bootstrap: D. Politis and J. Romano, Journal of the American Statistical Association 89, 1994), as long on average as
their likeness asks for (A. Patton, D. Politis and H. White, Econometric Reviews 28, 2009). Few say little: ``None`` is
the answer where there are fewer than 20 of them, or all are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.arch_bootstrap import arch_bootstrap
from engine.backtest.returns import LEAST, sharpe

if TYPE_CHECKING:
    from arch.bootstrap import StationaryBootstrap

    from engine.domain.market import Floats

DRAWS = 1_000
SURE = 0.95
_LEFT_OUT = -1.0
"""In the place of NaN, what one of two has not: that is a difference too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where 95 of 100 resamples lie, from the lowest to the highest of the middle ones."""

    low: float
    high: float


def sharpe_interval(returns: Floats, rng: np.random.Generator) -> Interval | None:
    """The interval of the Sharpe ratio of a year.

    Args:
        returns: Of days, oldest first.
        rng: Where chance comes from.
    """
    return _interval(returns, lambda drawn: np.array([sharpe(drawn) or 0.0]), rng)


def win_rate_interval(nets: Floats, rng: np.random.Generator) -> Interval | None:
    """The interval of the part of trades that win.

    Args:
        nets: What each trade made, in the order in which they were closed.
        rng: Where chance comes from.
    """
    return _interval((nets > 0).astype(float), lambda drawn: np.array([drawn.mean()]), rng)


def interval(values: Floats, figure: Callable[[Floats], float], rng: np.random.Generator) -> Interval | None:
    """The interval of any figure.

    Args:
        values: ``float64[n]``, or ``float64[n, 2]`` of two: rows are drawn whole, so that both keep what is alike.
        figure: Reckons it from rows.
        rng: Where chance comes from.
    """
    return _interval(values, lambda drawn: np.array([figure(drawn)]), rng)


def seeds_interval(
    own: Floats, other: Floats, figure: Callable[[Floats, Floats], float], rng: np.random.Generator
) -> Interval | None:
    """The interval of a figure of what several seeds came to: days and seeds are both drawn anew each time.

    Args:
        own: ``float64[n, seeds, k]``, what each seed came to on each day of ``k`` paths.
        other: ``float64[n, k]``, what it is held against on the same days.
        figure: Reckons it from these.
        rng: Where chance comes from.
    """
    told = own.mean(axis=(1, 2)) - other.mean(axis=1)
    if len(told) < LEAST or not np.ptp(told) > 0:
        return None

    def of_drawn(days: Floats, beside: Floats) -> Floats:
        seeds = rng.integers(0, days.shape[1], days.shape[1])
        return np.array([figure(days[:, seeds], beside)])

    draws = arch_bootstrap().StationaryBootstrap(_block_length(told), own, other, seed=rng)
    return _middle(draws, of_drawn)


def superior_ability(returns: Floats, hold: Floats, rng: np.random.Generator) -> float | None:
    """How likely the best of some strategies beat holding by so much, were none of them any better.

    The consistent p-value of P. Hansen, A Test for Superior Predictive Ability, Journal of Business & Economic
    Statistics 23, 2005: below 0.05 the best of them is believed to be better.

    Args:
        returns: ``float64[n]`` of one strategy, or ``float64[n, k]`` of all that were tried.
        hold: ``float64[n]``, of the same days.
        rng: Where chance comes from.
    """
    columns = returns[:, None] if returns.ndim == 1 else returns
    ahead = columns - hold[:, None]
    columns = columns[:, np.ptp(ahead, axis=0) > 0] if len(hold) else columns[:, :0]
    if len(hold) < LEAST or not columns.shape[1]:
        return None
    length = _block_length(columns.mean(axis=1) - hold)
    test = arch_bootstrap().SPA(-hold, -columns, block_size=length, reps=DRAWS, bootstrap="stationary", seed=rng)
    test.compute()
    return float(test.pvalues["consistent"])


def _interval(values: Floats, figure: Callable[[Floats], Floats], rng: np.random.Generator) -> Interval | None:
    told = values if values.ndim == 1 else np.subtract(*np.nan_to_num(values[:, ::-1], nan=_LEFT_OUT).T)
    if len(values) < LEAST or not np.ptp(told) > 0:
        return None
    draws = arch_bootstrap().StationaryBootstrap(_block_length(told), values, seed=rng)
    return _middle(draws, figure)


def _middle(draws: StationaryBootstrap, figure: Callable[..., Floats]) -> Interval:
    """By percentiles; ``conf_int`` reckons the same, and loads scipy.stats for other intervals than this one."""
    tail = (1 - SURE) / 2
    low, high = np.quantile(draws.apply(figure, DRAWS), (tail, 1 - tail))
    return Interval(low=float(low), high=float(high))


def _block_length(values: Floats) -> int:
    """How many that follow one another are drawn together, on average."""
    length = float(arch_bootstrap().optimal_block_length(values)["stationary"].iloc[0])
    return max(1, round(length)) if np.isfinite(length) else 1
