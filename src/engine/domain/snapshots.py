"""What is seen of one market, as a strategy is shown it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.domain.decisions import Frame, Input, Issue, QualityReport
from engine.domain.insights import NO_INSIGHT, Insight
from engine.domain.market import Book, Market, Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSnapshot:
    """What was seen of one market at one closed candle. Without usable data there are no frames.

    Attributes:
        candle_at: When the candle closed.
        inputs: What was seen, each with its age.
        market_context: What was known beside, and nothing is decided on; each with its age.
        insight: What research has found out about it of late.
    """

    candle_at: datetime
    market: Market
    frames: Mapping[Timeframe, Frame]
    quality: QualityReport
    inputs: tuple[Input, ...]
    book: Book | None
    market_context: tuple[Input, ...] = ()
    insight: Insight = NO_INSIGHT

    def distrusted(self, reason: str) -> MarketSnapshot:
        """The same without anything that could be traded on."""
        refused = (Issue(kind="changed", detail=reason), *self.quality.refused)
        return replace(self, frames={}, quality=replace(self.quality, refused=refused))
