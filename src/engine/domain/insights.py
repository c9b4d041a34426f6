"""What research has found out about a market of late: what is said of it, and what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.domain.decisions import Input
from engine.domain.predictions import Trend, TrendOutlook
from engine.domain.sentiment import SentimentData


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """What is known beside prices; each part is missing where nobody is asked about it.

    Attributes:
        sentiment: What is said.
        outlook: What is expected.
        outlook_before: What was expected at the close before; for strategies that trade on it alone.
    """

    sentiment: SentimentData | None = None
    outlook: TrendOutlook | None = None
    outlook_before: TrendOutlook | None = None

    def inputs(self, now: datetime) -> tuple[Input, ...]:
        """The parts as things that a decision is made from, each with its age."""
        found = []
        if self.sentiment is not None:
            found.append(_sentiment(self.sentiment, now))
        if self.outlook is not None:
            found.append(_outlook(self.outlook, now))
        return tuple(found)


NO_INSIGHT = Insight()


def _sentiment(data: SentimentData, now: datetime) -> Input:
    score = data.aggregate()
    if score is None:
        return Input(name="sentiment", age=None, detail="unknown: no source says anything")
    told = ", ".join(f"{part.source} {part.score:+.2f}" for part in data.parts)
    return Input(name="sentiment", age=now - max(part.at for part in data.parts), detail=f"{score:+.2f} ({told})")


def _outlook(outlook: TrendOutlook, now: datetime) -> Input:
    if not outlook.predictions:
        reasons = "; ".join(f"{timeframe}: {reason}" for timeframe, reason in outlook.missing)
        return Input(name="prediction", age=None, detail=f"unknown: {reasons or 'none was made'}")
    late = {timeframe for timeframe, _ in outlook.missing}
    scales = dict(outlook.scales)
    told = ", ".join(
        f"{each.timeframe} {each.direction}{' (late)' if each.timeframe in late else ''}"
        f"{f' at {scales[each.timeframe]:.0%} of its weight' if each.timeframe in scales else ''}"
        for each in outlook.predictions
    )
    own = f", asked by {outlook.predictions[0].prompt}" if outlook.predictions[0].prompt else ""
    move = "" if outlook.direction is Trend.NEUTRAL else f", {outlook.expected_move:+.1%}"
    return Input(name="prediction", age=outlook.age(now), detail=f"{outlook.direction}{move} ({told}{own})")
