"""What a series of returns says of risk: value at risk, what lies beyond it, volatility and correlation. Pure numpy.

Returns are simple ones, one a candle, oldest first, as fractions: 0.01 is a gain of 1 %. Losses are told as positive
fractions. ``None`` is the answer where there are too few returns for one, or where any of them is no number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.domain.market import Floats

CONFIDENCE = 0.95
NORMAL_95 = NormalDist().inv_cdf(CONFIDENCE)
"""How many standard deviations 95 % of normal returns are above: 1.645."""
_LEAST_FOR_MOMENTS = 20
"""Skewness and kurtosis of fewer returns are noise."""
_LEAST_FOR_PAIRS = 3
_NORMAL = NormalDist()
_FAR = _NORMAL.inv_cdf(1e-4)
"""The normal quantile of one candle in ten thousand."""
_FLAT = 1e-24
"""The part of a sum of squares that rounding alone makes."""


def simple_returns(close: Floats) -> Floats:
    """The change from each close to the next as a fraction of it: one fewer than there are closes."""
    return close[1:] / close[:-1] - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VaRCalculator:
    """Value at risk: the loss of one candle that is exceeded in 1 - ``confidence`` of them at most.

    Attributes:
        confidence: Above 0.5 and below 1.
    """

    confidence: float = CONFIDENCE

    def historical(self, returns: Floats) -> float | None:
        """Minus the empirical quantile: the return of rank ceil(n * (1 - confidence)) from the worst.

        The left inverse of the empirical distribution (McNeil, Frey and Embrechts, Quantitative Risk Management, 2015,
        2.3). Without one whole return in the tail (20 at 95 %) there is no answer.
        """
        tail = _tail(returns, self.confidence)
        return None if tail is None else -float(tail[0][-1])

    def cornish_fisher(self, returns: Floats) -> float | None:
        """-(mean + deviation * w), w = z + (z^2 - 1) S/6 + (z^3 - 3z) K/24 - (2z^3 - 5z) S^2/36.

        z is the normal quantile at 1 - confidence, S the skewness and K the excess kurtosis of the returns (E. Cornish
        and R. Fisher, Moments and Cumulants in the Specification of Distributions, 1938; L. Favre and J. Galeano,
        Mean-Modified Value-at-Risk Optimization with Hedge Funds, 2002). Where the tail of the expansion is no
        distribution (see ``_is_monotone``) there is no answer.
        """
        found = moments(returns)
        if found is None:
            return None
        mean, deviation, skew, excess = found
        z = _NORMAL.inv_cdf(1 - self.confidence)
        if not _is_monotone(z, skew, excess):
            return None
        w = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
        return -(mean + deviation * w)


@dataclass(frozen=True, slots=True, kw_only=True)
class CVaRCalculator:
    """Conditional value at risk (expected shortfall): the mean loss of the worst 1 - ``confidence`` of the candles.

    Attributes:
        confidence: Above 0.5 and below 1.
    """

    confidence: float = CONFIDENCE

    def historical(self, returns: Floats) -> float | None:
        """The mean loss of the worst n * (1 - confidence) returns, the last of which counts in part.

        C. Acerbi and D. Tasche, On the Coherence of Expected Shortfall, 2002.
        """
        tail = _tail(returns, self.confidence)
        if tail is None:
            return None
        worst, count = tail
        last = count - (len(worst) - 1)
        return -(float(worst[:-1].sum()) + last * float(worst[-1])) / count

    def cornish_fisher(self, returns: Floats) -> float | None:
        """The mean of ``VaRCalculator.cornish_fisher`` over the tail, in closed form.

        -(mean - deviation * phi(z) / (1 - confidence) * (1 + z S/6 + (z^2 - 1) K/24 - (2z^2 - 1) S^2/36)), with the
        normal density phi (D. Maillard, A User's Guide to the Cornish Fisher Expansion, 2012).
        """
        found = moments(returns)
        if found is None:
            return None
        mean, deviation, skew, excess = found
        z = _NORMAL.inv_cdf(1 - self.confidence)
        if not _is_monotone(z, skew, excess):
            return None
        shape = 1 + z * skew / 6 + (z**2 - 1) * excess / 24 - (2 * z**2 - 1) * skew**2 / 36
        return -(mean - deviation * _NORMAL.pdf(z) / (1 - self.confidence) * shape)


def realised_volatility(returns: Floats, candles_a_day: float) -> float | None:
    """The volatility of a day: sqrt(mean of squared log returns * candles a day), as a fraction.

    Realised variance is the sum of squared log returns, whose mean counts as zero (T. Andersen and T. Bollerslev,
    Answering the Skeptics, 1998); scaled to a day by the square root of time.
    """
    if not len(returns):
        return None
    logs = np.log1p(returns)
    square = float(np.dot(logs, logs))
    return math.sqrt(square / len(logs) * candles_a_day) if math.isfinite(square) else None


def correlation(left: Floats, right: Floats) -> float | None:
    """Pearson's correlation of the returns of the same candles; ``None`` where one of them never moved.

    sum(x * y) / sqrt(sum(x^2) * sum(y^2)) of what is off the means (K. Pearson, Regression, Heredity and Panmixia,
    1896).

    Raises:
        ValueError: They are not of equally many candles.
    """
    if len(left) != len(right):
        raise ValueError(f"There are {len(left)} and {len(right)} returns; pairs are needed.")
    if len(left) < _LEAST_FOR_PAIRS:
        return None
    x, y = left - left.mean(), right - right.mean()
    of_x, of_y = float(np.dot(x, x)), float(np.dot(y, y))
    if not (of_x > _FLAT * float(np.dot(left, left)) and of_y > _FLAT * float(np.dot(right, right))):
        return None
    found = float(np.dot(x, y)) / math.sqrt(of_x) / math.sqrt(of_y)
    return max(-1.0, min(1.0, found)) if math.isfinite(found) else None


def fall_from_highest(returns: Floats) -> float:
    """How far a price is below the highest close of some candles, the one before them included, as a fraction.

    The drawdown over a rolling window: 1 - p / max(p) (M. Magdon-Ismail and A. Atiya, Maximum Drawdown, 2004).
    """
    path = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    return max(0.0, 1.0 - float(path[-1] / path.max()))


def _tail(returns: Floats, confidence: float) -> tuple[Floats, float] | None:
    """The worst returns, worst first, the last of them in part; and how many there are, a fraction."""
    count = round(len(returns) * (1 - confidence), 9)  # 20 * (1 - 0.95) is 1
    if count < 1 or not np.isfinite(returns).all():
        return None
    return np.sort(returns)[: math.ceil(count)], count


def moments(returns: Floats) -> tuple[float, float, float, float] | None:
    """Mean, standard deviation, skewness and excess kurtosis, as of a whole population."""
    if len(returns) < _LEAST_FOR_MOMENTS or not np.isfinite(returns).all():
        return None
    mean = float(returns.mean())
    off = returns - mean
    variance = float(np.dot(off, off)) / len(off)
    if not variance > _FLAT * float(np.dot(returns, returns)) / len(off):
        return mean, 0.0, 0.0, 0.0
    deviation = math.sqrt(variance)
    scaled = off / deviation
    squared = scaled * scaled
    return mean, deviation, float(np.dot(squared, scaled)) / len(off), float(np.dot(squared, squared)) / len(off) - 3.0


def _is_monotone(z: float, skew: float, excess: float) -> bool:
    """Whether the expansion rises from ``_FAR`` up to a normal quantile: else worse returns would be likelier than bad.

    Its slope is a x^2 + b x + c with a = K/8 - S^2/6, b = S/3, c = 1 - K/8 + 5 S^2/36 (Maillard 2012, who asks it of
    all x; the tail, as far as it has any weight, is all that is used here).
    """
    a, b, c = excess / 8 - skew**2 / 6, skew / 3, 1 - excess / 8 + 5 * skew**2 / 36
    far = min(_FAR, z)
    turns = (-b / (2 * a),) if a > 0 and far < -b / (2 * a) < z else ()
    return all(a * x**2 + b * x + c >= 0 for x in (far, z, *turns))
