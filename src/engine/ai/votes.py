"""How sure a member of a panel is: as far as its answers agree, and its provider tells. Pure.

What a model says of its own confidence counts nothing. Where it is asked several times, the share of its answers that
say the same is its confidence (self-consistency: Wang et al. 2022, arXiv:2203.11171); where its provider tells the
probability of the word that is the verdict, that is. Of both the lower holds; with neither it is 1: not measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import fmean

from engine.domain.decisions import Opinion, Verdict
from engine.domain.predictions import Trend, TrendPrediction

_STRICTER = {Verdict.APPROVE: 0, Verdict.ABSTAIN: 1, Verdict.VETO: 2}
"""Of verdicts that equally many have, which one holds."""


def agreed(votes: Sequence[Opinion], asked: int) -> Opinion:
    """One opinion of the votes of a member: that of most, and of those who share it the strictest terms.

    Args:
        votes: Those that came and were believed, at least one; each with the confidence that its provider told.
        asked: How many were asked for: what did not come, or was not believed, agrees with nobody.
    """
    counted = Counter(vote.verdict for vote in votes)
    verdict = max(counted, key=lambda each: (counted[each], _STRICTER[each]))
    same = [vote for vote in votes if vote.verdict is verdict]
    strictest = min(same, key=lambda vote: vote.share)
    told = fmean(vote.confidence for vote in same)
    return replace(
        strictest,
        stop=max((vote.stop for vote in same if vote.stop is not None), default=None),
        confidence=1.0 if verdict is Verdict.ABSTAIN else min(told, len(same) / asked),
        cost=sum((vote.cost for vote in votes), Decimal(0)),
    )


def agreed_trend(votes: Sequence[TrendPrediction], asked: int) -> TrendPrediction:
    """One prediction of several of the same: the direction of most, neutral where as many say another.

    Its move, and its reasons, are those of the smallest move of that direction.

    Args:
        votes: Those that came and were believed, at least one; each with the probability that its provider told.
        asked: How many were asked for: what did not come, or was not believed, agrees with nobody.
    """
    counted = Counter(vote.direction for vote in votes)
    direction = max(counted, key=lambda each: (counted[each], each is Trend.NEUTRAL))
    if list(counted.values()).count(counted[direction]) > 1:
        direction = Trend.NEUTRAL
    same = [vote for vote in votes if vote.direction is direction]
    shown = min(same or votes, key=lambda vote: abs(vote.expected_move))
    told = [vote.confidence for vote in same if vote.confidence is not None]
    confidence = min(len(same) / asked, fmean(told)) if told else len(same) / asked
    if not same:
        return replace(shown, direction=direction, expected_move=0.0, confidence=0.0)
    return replace(shown, confidence=confidence)
