"""What a Sharpe ratio is worth after so many trials: the best of many looks good by chance. Pure.

D. Bailey and M. López de Prado, The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and
Non-Normality, Journal of Portfolio Management 40(5), 2014.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from engine.backtest.returns import DAYS_A_YEAR
from engine.backtest.trials import Trial
from engine.risk.metrics import moments

if TYPE_CHECKING:
    from engine.domain.market import Floats

_NORMAL = NormalDist()
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How many trials there were, and the variance of their Sharpe ratios of a year."""

    count: int
    variance: float

    @property
    def expected_best(self) -> float:
        """The Sharpe ratio of a year that the best of them has by chance alone.

        sqrt(V) * ((1 - g) * z(1 - 1/N) + g * z(1 - 1/(N e))), with the normal quantile z and Euler's constant g; 0 for
        a single one.
        """
        if self.count < 2:  # noqa: PLR2004 - one was not chosen among others
            return 0.0
        most = _NORMAL.inv_cdf(1 - 1 / self.count)
        further = _NORMAL.inv_cdf(1 - 1 / (self.count * math.e))
        return math.sqrt(self.variance) * ((1 - _EULER) * most + _EULER * further)


def tried_with(own: Trial, trials: Iterable[Trial]) -> Tried:
    """What was tried on the same markets in a time that overlaps, the trial itself among it.

    What was repeated exactly counts once, and what was stopped and gone on with by its last row. Trials that are much
    alike count in full: that is on the careful side.
    """
    known = [own]
    for each in _whole((*trials, own)):
        if _is_alike(each, own) and not any(each.repeats(other) for other in known):
            known.append(each)
    return Tried(count=sum(each.count for each in known), variance=_variance(known))


def deflated_sharpe(returns: Floats, tried: Tried) -> float | None:
    """How likely it is that the true Sharpe ratio is above what the best of the trials has by chance alone.

    Phi((S - S0) * sqrt(T - 1) / sqrt(1 - skewness * S + (kurtosis - 1) / 4 * S^2)), with S of a day. Above 0.95 it is
    believed.

    Args:
        returns: Of days, at least 20.
        tried: What was tried until this was found.

    Returns:
        ``None`` for too few returns, for what never moves, and where the formula does not hold.
    """
    known = moments(returns)
    if known is None or not known[1] > 0:
        return None
    mean, deviation, skew, excess = known
    own = mean / deviation
    square = 1 - skew * own + (excess + 2) / 4 * own**2
    if not square > 0:
        return None
    by_chance = tried.expected_best / math.sqrt(DAYS_A_YEAR)
    return _NORMAL.cdf((own - by_chance) * math.sqrt((len(returns) - 1) / square))


def _whole(trials: Sequence[Trial]) -> Iterator[Trial]:
    """Those that no later row counts as well."""
    last = {each.part_of: each for each in trials}
    return (each for each in trials if not each.part_of or each is last[each.part_of])


def _is_alike(one: Trial, other: Trial) -> bool:
    same_time = one.begins < other.ends and other.begins < one.ends
    return same_time and not set(one.symbols).isdisjoint(other.symbols)


def _variance(trials: list[Trial]) -> float:
    """Of the Sharpe ratios of all: within each sweep, and between them."""
    known = [(each.count, each.mean, each.variance) for each in trials if each.mean is not None]
    count = sum(number for number, _, _ in known)
    if count < 2:  # noqa: PLR2004 - one has no variance
        return 0.0
    mean = sum(number * own for number, own, _ in known) / count
    squares = sum((number - 1) * variance + number * (own - mean) ** 2 for number, own, variance in known)
    return squares / (count - 1)
