"""From many voices to what is left of one proposal: only ever less of it, never more. Pure.

The lowest confidence along the way holds. Any veto stands: nobody can outvote it. Where the supervisor has spoken, its
share holds in place of the others', but for that of risk, which nobody overrules; where it has not, the strictest does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.decisions import Opinion, Verdict, spoken
from engine.domain.predictions import Trend, TrendOutlook

RISK = "risk"
"""The member whose share nobody overrules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """What is left of a proposal.

    Attributes:
        against: Who is against it, and why; nothing is entered then.
        share: How much of the trade may be made, in (0, 1].
        stop: Where its stop is at the lowest, in the quote currency; ``None`` where that is left to the strategy.
        confidence: The lowest that anybody has in it; 1 where nobody has said.
    """

    against: tuple[str, ...] = ()
    share: float = 1.0
    stop: Decimal | None = None
    confidence: float = 1.0


class DecisionFusionEngine:
    """Fuses what was predicted and what was said."""

    def fuse(self, outlook: TrendOutlook | None, opinions: Sequence[Opinion]) -> Fused:
        """What a prediction and opinions leave of a proposal; who abstains has no part in it."""
        heard = [opinion for opinion in opinions if opinion.verdict is not Verdict.ABSTAIN]
        sizing = _who_sizes(heard)
        return Fused(
            against=tuple(_told(opinion) for opinion in heard if opinion.verdict is Verdict.VETO),
            share=min((opinion.share for opinion in sizing), default=1.0),
            stop=max((opinion.stop for opinion in sizing if opinion.stop is not None), default=None),
            confidence=min((*(opinion.confidence for opinion in heard), _of(outlook))),
        )


FUSION = DecisionFusionEngine()


def _of(outlook: TrendOutlook | None) -> float:
    """The confidence in a rise that a prediction has, where its own was measured; 1 where it was not."""
    if outlook is None or outlook.confidence is None:
        return 1.0
    match outlook.direction:
        case Trend.BULLISH:
            return outlook.confidence
        case Trend.BEARISH:
            return 1 - outlook.confidence
        case Trend.NEUTRAL:
            return 1.0


def _who_sizes(heard: Sequence[Opinion]) -> Sequence[Opinion]:
    """Whose shares hold."""
    last = [opinion for opinion in heard if opinion.last_word]
    return [*last, *(opinion for opinion in heard if opinion.agent == RISK)] if last else heard


def _told(opinion: Opinion) -> str:
    return f"{spoken(opinion.agent)}: {'; '.join(opinion.reasons) or 'against it'}"
