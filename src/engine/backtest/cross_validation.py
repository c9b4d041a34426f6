"""What a sweep's choice comes to on time that it was not chosen on, in many ways through the same history. Pure numpy.

Combinatorial purged cross-validation: M. López de Prado, Advances in Financial Machine Learning, Wiley 2018, chapter
12. Time is cut into groups. For every way to take some of them out, the combination that was best in the rest is
traded in those. Each group is taken out several times, so the pieces make several paths through all of the time, none
of which was seen by what chose it. Parts of the rest next to what is taken out are left away, as a position may reach
over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Floats

GROUPS, OUT = 10, 2
"""Ten groups of which two are taken out: 45 ways, and nine paths."""
APART = 1
"""How many parts of time on each side of what is taken out are left away."""
_LEAST_OF_A_GROUP = 4
_FLAT = 1e-20
"""The variance that rounding alone makes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossValidation:
    """The Sharpe ratios of what was chosen.

    Attributes:
        paths: ``float64[p]``, of a year, of each path out of sample.
        inside: The mean of those that were chosen, of a year, where they were chosen.
    """

    paths: Floats
    inside: float

    @property
    def median(self) -> float:
        """The ratio in the middle."""
        return float(np.median(self.paths))

    @property
    def losing(self) -> float:
        """The part of the paths that is below 0."""
        return float((self.paths < 0).mean())


def cross_validated(
    returns: Floats, parts_a_year: float, *, groups: int = GROUPS, out: int = OUT, apart: int = APART
) -> CrossValidation | None:
    """Choose the combination with the highest Sharpe ratio in what is left of time, trade it in the rest, in every way.

    Args:
        returns: ``float64[n, k]``, of the same n parts of time for each of k combinations.
        parts_a_year: How many such parts a year has.
        groups: Into how many groups time is cut.
        out: How many of them are taken out at a time.
        apart: How many parts on each side of these are left away.

    Returns:
        ``None`` for fewer than two combinations, or fewer than four parts in a group.
    """
    count, known = returns.shape
    if known < 2 or count < groups * _LEAST_OF_A_GROUP:  # noqa: PLR2004 - there is nothing to choose from one
        return None
    group_of = np.repeat(np.arange(groups), [len(each) for each in np.array_split(np.arange(count), groups)])
    paths = np.empty((math.comb(groups - 1, out - 1), count))  # each group is taken out so often
    seen, inside = np.zeros(groups, dtype=np.int64), []
    for taken in combinations(range(groups), out):
        ratios = _sharpes(returns[left_over(group_of, taken, apart)])
        best = int(ratios.argmax())
        inside.append(ratios[best])
        for group in taken:
            rows = group_of == group
            paths[seen[group], rows] = returns[rows, best]
            seen[group] += 1
    year = np.sqrt(parts_a_year)
    return CrossValidation(paths=_sharpes(paths.T) * year, inside=float(np.mean(inside) * year))


def left_over(group_of: NDArray[np.int64], taken: tuple[int, ...], apart: int) -> NDArray[np.int64]:
    """The parts of time to choose on: those of no group that is taken out, nor next to one.

    Args:
        group_of: ``int64[n]``, the group of each part of time.
        taken: The groups that are taken out.
        apart: How many parts on each side of them are left away.
    """
    near = np.convolve(np.isin(group_of, taken), np.ones(2 * apart + 1), mode="same") > 0
    return np.flatnonzero(~near)


def _sharpes(returns: Floats) -> Floats:
    """Mean over sample standard deviation of each column; 0 for one that does not move."""
    mean, variance = returns.mean(axis=0), returns.var(axis=0, ddof=1)
    still = variance <= _FLAT * mean**2 + _FLAT
    found: Floats = np.where(still, 0.0, mean / np.sqrt(np.where(still, 1.0, variance)))
    return found
