"""What research has found out, put together for a market: it is read from what is kept, and nobody is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from engine.domain.insights import NO_INSIGHT, Insight
from engine.domain.market import Listing
from engine.domain.predictions import TrendOutlook
from engine.domain.sentiment import SentimentData

AskSentiment = Callable[[str], Awaitable[SentimentData]]
AskOutlook = Callable[[Listing, str], Awaitable[TrendOutlook]]
"""Tells what is expected of a market, of those predictions that are made for a context."""
AskOutlookAt = Callable[[Listing, str, datetime], Awaitable[TrendOutlook]]


class NoInsights:
    """Nobody looks into anything."""

    async def of(self, listing: Listing, context: str, before: datetime | None = None) -> Insight:
        """Nothing."""
        del listing, context, before
        return NO_INSIGHT


NO_INSIGHTS = NoInsights()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInsights:
    """Reads what each part of research has kept.

    Attributes:
        sentiment: Tells what is said of a market; ``None`` where no source is asked.
        outlook: Tells what is expected of it; ``None`` where nothing is predicted.
        outlook_at: Tells what a decision at an earlier close knew of that.
    """

    sentiment: AskSentiment | None = None
    outlook: AskOutlook | None = None
    outlook_at: AskOutlookAt | None = None

    async def of(self, listing: Listing, context: str, before: datetime | None = None) -> Insight:
        """What is known of a market now, to a context; and what was expected at a close before, where one is given."""
        return Insight(
            sentiment=await self.sentiment(listing.symbol) if self.sentiment else None,
            outlook=await self.outlook(listing, context) if self.outlook else None,
            outlook_before=await self.outlook_at(listing, context, before) if self.outlook_at and before else None,
        )
