"""What a confidence is worth, by what earlier trades with such a confidence came to. Pure.

Isotonic regression by pool adjacent violators (M. Ayer et al., "An empirical distribution function for sampling with
incomplete information", Annals of Mathematical Statistics 26, 1955; for confidences: B. Zadrozny and C. Elkan, KDD
2002): the best fit that never falls while the confidence rises. Between two confidences it is interpolated.
Each block of pooled trades has a Wilson score interval (E. B. Wilson, Journal of the American Statistical Association
22, 1927), which holds for few trades and shares near 0 and 1 as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from engine.domain.outcomes import Calibrated, Outcome

MIN_OUTCOMES = 150
"""Below so many trades a confidence stands as it is: too little is known to correct it."""
_Z = 1.959963984540054
"""The normal quantile of a 95 % interval."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The share of trades that were won, by their confidence.

    Attributes:
        confidences: The distinct ones, rising.
        shares: What of each was won, as fitted; ``low`` and ``high`` are the ends of its interval.
        outcomes: How many trades it rests on.
    """

    confidences: Floats
    shares: Floats
    low: Floats
    high: Floats
    outcomes: int

    def of(self, confidence: float, max_width: float) -> Calibrated:
        """What a confidence is worth; outside of those that are known, what the nearest of them is."""
        value, low, high = (
            float(np.interp(confidence, self.confidences, each)) for each in (self.shares, self.low, self.high)
        )
        return Calibrated(
            measured=confidence,
            value=value,
            low=low,
            high=high,
            outcomes=self.outcomes,
            is_wide=high - low > max_width,
        )


def calibrate(outcomes: Sequence[Outcome]) -> Calibration | None:
    """The calibration that closed trades give; ``None`` below ``MIN_OUTCOMES`` of them: a confidence stands then."""
    if len(outcomes) < MIN_OUTCOMES:
        return None
    said = np.array([each.confidence for each in outcomes])
    confidences, which = np.unique(said, return_inverse=True)
    trades = np.bincount(which).astype(np.float64)
    won = np.bincount(which, weights=[each.won for each in outcomes])
    sizes = pooled(won.astype(np.float64), trades)
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    of_block, in_block = np.add.reduceat(won, begins), np.add.reduceat(trades, begins)
    bounds = np.array([wilson(w, n) for w, n in zip(of_block, in_block, strict=True)])
    return Calibration(
        confidences=confidences,
        shares=np.repeat(of_block / in_block, sizes),
        low=np.repeat(bounds[:, 0], sizes),
        high=np.repeat(bounds[:, 1], sizes),
        outcomes=len(outcomes),
    )


def pooled(won: Floats, trades: Floats) -> list[int]:
    """How many neighbours are pooled into each block, so that the shares of the blocks rise.

    Args:
        won: How many trades of each confidence were won, by rising confidence.
        trades: How many there are of each.
    """
    blocks: list[tuple[float, float, int]] = []
    for own, count in zip(won, trades, strict=True):
        blocks.append((float(own), float(count), 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    return [size for _, _, size in blocks]


def wilson(won: float, trades: float) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share.

    Args:
        won: How many were won.
        trades: Of how many, above 0.
    """
    share, square = won / trades, _Z**2
    middle = share + square / (2 * trades)
    half = _Z * sqrt(share * (1 - share) / trades + square / (4 * trades**2))
    whole = 1 + square / trades
    return max(0.0, min(share, (middle - half) / whole)), min(1.0, max(share, (middle + half) / whole))
