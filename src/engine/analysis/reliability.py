"""How well confidences foretell what comes: the Brier score, and the reliability diagram as numbers. Pure.

Brier score: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78
(1950). Its part that is miscalibration: A. H. Murphy, "A new vector partition of the probability score", Journal of
Applied Meteorology 12 (1973), over bins of equal width. It is as exact as these are narrow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean

from engine.domain.outcomes import Grade, Outcome, Reliability, ReliabilityBin

BINS = 5
"""Into how many ranges of equal width confidences are put."""


def reliability(outcomes: Sequence[Outcome]) -> Reliability | None:
    """How well the confidences of some trades foretold which were won; ``None`` without any."""
    if not outcomes:
        return None
    share = fmean(each.won for each in outcomes)
    bins = tuple(_bin(own) for _, own in sorted(_in_ranges(outcomes).items()))
    return Reliability(
        trades=len(outcomes),
        brier=fmean((each.confidence - each.won) ** 2 for each in outcomes),
        base=share * (1 - share),
        miscalibration=sum(each.trades * (each.said - each.won) ** 2 for each in bins) / len(outcomes),
        bins=bins,
    )


def grades(outcomes: Iterable[Outcome]) -> tuple[Grade, ...]:
    """The same by strategy and timeframe, the one with the most trades first."""
    grouped: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for each in outcomes:
        grouped[each.strategy, each.timeframe].append(each)
    found = [
        Grade(strategy=strategy, timeframe=timeframe, found=graded)
        for (strategy, timeframe), own in grouped.items()
        if (graded := reliability(own)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (-each.found.trades, each.strategy, each.timeframe)))


def _in_ranges(outcomes: Iterable[Outcome]) -> dict[int, list[Outcome]]:
    found: dict[int, list[Outcome]] = defaultdict(list)
    for each in outcomes:
        found[min(int(each.confidence * BINS), BINS - 1)].append(each)
    return found


def _bin(own: Sequence[Outcome]) -> ReliabilityBin:
    return ReliabilityBin(
        said=fmean(each.confidence for each in own), won=fmean(each.won for each in own), trades=len(own)
    )
