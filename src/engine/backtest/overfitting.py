"""How likely it is that what a sweep found best is no better than the rest once it is traded. Pure numpy.

Combinatorially symmetric cross-validation: D. Bailey, J. Borwein, M. López de Prado and Q. Zhu, The Probability of
Backtest Overfitting, Journal of Computational Finance 20(4), 2017.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.domain.market import Floats

PARTS = 16
_AT_ONCE = 1_000
"""How many ways are reckoned together: a sweep of thousands still fits into memory."""
_LEAST_OF_A_PART = 2
_FLAT = 1e-20
"""The variance that rounding alone makes."""


def probability_of_overfitting(returns: Floats, parts: int = PARTS) -> float | None:
    """The part of all ways to split time in halves in which the best of one half is below the median of the other.

    0.5 is what choosing at random comes to; above it choosing is harmful. The best has the highest Sharpe ratio.

    Args:
        returns: ``float64[n, k]``, of the same n days for each of k combinations.
        parts: Into how many equal parts time is cut, an even number.

    Returns:
        ``None`` for fewer than two combinations, or fewer than two days in a part.
    """
    days, count = returns.shape
    if count < 2 or days < parts * _LEAST_OF_A_PART:  # noqa: PLR2004 - there is nothing to choose from one
        return None
    pieces = np.array_split(returns - returns.mean(), parts)  # near 0, squares lose no digits
    sums = np.array([piece.sum(axis=0) for piece in pieces])
    squares = np.array([(piece**2).sum(axis=0) for piece in pieces])
    lengths = np.array([len(piece) for piece in pieces])
    halves = _halves(parts)
    below = 0.0
    for begin in range(0, len(halves), _AT_ONCE):
        inside = halves[begin : begin + _AT_ONCE]
        chosen = _sharpes(inside, sums, squares, lengths, returns.mean()).argmax(axis=1)
        outside = _sharpes(1 - inside, sums, squares, lengths, returns.mean())
        own = outside[np.arange(len(inside)), chosen][:, None]
        worse, better = (outside < own).sum(axis=1), (outside > own).sum(axis=1)
        below += float((worse < better).sum() + 0.5 * (worse == better).sum())  # the median itself is neither
    return below / len(halves)


def _halves(parts: int) -> Floats:
    """Every way to take half of the parts, a row each: 1 for what is taken."""
    found = np.zeros((math.comb(parts, parts // 2), parts))
    for row, taken in enumerate(combinations(range(parts), parts // 2)):
        found[row, list(taken)] = 1.0
    return found


def _sharpes(taken: Floats, sums: Floats, squares: Floats, lengths: Floats, off: float) -> Floats:
    """The Sharpe ratio of each combination over what is taken; 0 for one that does not move there."""
    count = (taken @ lengths)[:, None]
    mean = taken @ sums / count
    variance = np.maximum(taken @ squares / count - mean**2, 0.0)
    still = variance <= _FLAT * (mean + off) ** 2 + _FLAT
    found: Floats = np.where(still, 0.0, (mean + off) / np.sqrt(np.where(still, 1.0, variance)))
    return found
