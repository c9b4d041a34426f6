"""What people and indices think of a coin: the parts, one a source, and what they come to together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

MARKET_CAP, DOMINANCE, OPEN_INTEREST = "market_cap", "dominance", "open_interest"
"""Figures that take no side: what coins are worth in US dollars, a coin's share of that, and what futures hold."""


_NEUTRAL = 50


def fear_greed_score(value: float) -> float:
    """What a value of the Fear & Greed index says, in [-1, 1]: 0 is extreme fear, 100 extreme greed."""
    return (value - _NEUTRAL) / _NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """A text as a source gives it, not to be trusted: a headline, a post, a comment.

    Attributes:
        source: Who gave it, as the settings call it, e.g. ``news`` or ``reddit``.
        title: Its first line; a comment has all of its text here.
        body: What follows, where there is more.
        url: Where people can read it; empty where nowhere.
        at: When it was published.
    """

    source: str
    title: str
    body: str = ""
    url: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredText:
    """A text that was read.

    Attributes:
        coins: The tickers of the coins it is about.
        score: In [-1, 1]; ``None`` where the scorer has no opinion: it is a mention all the same.
    """

    text: SourceText
    coins: frozenset[str]
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReading:
    """What an index says of the whole market.

    Attributes:
        source: As the settings call it.
        score: In [-1, 1]; below 0 is bearish.
        at: When it was so.
    """

    source: str
    score: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFigure:
    """A figure of the whole market, where ``subject`` is empty, or of one market; it takes no side.

    Attributes:
        name: What it is, e.g. ``market_cap``.
        at: When it was so.
    """

    name: str
    subject: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptText:
    """A text as it was read when it came.

    Attributes:
        scored: What it said; it is never dated after it was known.
        fingerprint: What it has in common with its copies from that source.
        known_at: When it was known here.
    """

    scored: ScoredText
    fingerprint: str
    known_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return self.scored.text.source, self.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number as it came: of the whole market, where ``subject`` is empty, or of one market.

    Attributes:
        value: As its source has it.
        score: What it says, in [-1, 1]; ``None`` where it takes no side.
    """

    source: str
    subject: str
    at: datetime
    known_at: datetime
    value: float
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentPart:
    """What one source says of a coin.

    Attributes:
        source: As the settings call it.
        score: In [-1, 1]; below 0 is bearish.
        count: Of how many texts or readings.
        weight: What it counts beside the other parts, over 0.
        at: When the newest of them was so.

    Raises:
        ValueError: A number is out of its range, or no number at all.
    """

    source: str
    score: float
    count: int
    weight: float
    at: datetime

    def __post_init__(self) -> None:
        if not -1 <= self.score <= 1:
            raise ValueError(f"a score is in [-1, 1], not {self.score}")
        if not (0 < self.weight < math.inf):
            raise ValueError(f"a weight is over 0 and finite, not {self.weight}")
        if self.count < 1:
            raise ValueError(f"a part is of one text or more, not of {self.count}")

    def age(self, now: datetime) -> timedelta:
        """How old the newest of it is."""
        return now - self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A text that tells of a coin, with its score in [-1, 1]."""

    title: str
    source: str
    url: str
    at: datetime
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Words that many texts have, and how many have them."""

    words: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentData:
    """What is known of the sentiment on a coin.

    Attributes:
        symbol: The market that was asked about.
        at: When it was put together.
        parts: One a source; a source that says nothing has none.
        mentions: How many texts speak of the coin, by source.
        trending: What these texts have in common, the most frequent first.
        headlines: The newest of what was said, the newest first.
        figures: The newest figures of the market, and of all of them, that take no side.
    """

    symbol: str
    at: datetime
    parts: tuple[SentimentPart, ...]
    mentions: Mapping[str, int]
    trending: tuple[Topic, ...]
    headlines: tuple[Headline, ...]
    figures: tuple[Reading, ...] = ()

    def aggregate(self) -> float | None:
        """All parts together, in [-1, 1], each by its share; ``None`` where there is none."""
        shares = self.shares()
        if not shares:
            return None
        together = math.fsum(part.score * share for part, share in zip(self.parts, shares, strict=True))
        return max(-1.0, min(1.0, together))

    def shares(self) -> tuple[float, ...]:
        """What each part counts, together 1: what a missing source would count is divided among the others."""
        largest = max((part.weight for part in self.parts), default=1.0)
        weights = [part.weight / largest for part in self.parts]
        whole = math.fsum(weights)
        return tuple(weight / whole for weight in weights)

    def part(self, source: str) -> SentimentPart | None:
        """What one source says; ``None`` where it says nothing."""
        return next((part for part in self.parts if part.source == source), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAge:
    """How a source is.

    Attributes:
        read_at: When it was read last; ``None`` where it never was.
        wrong: Why it could not be read when it was asked last; empty where it could.
    """

    source: str
    read_at: datetime | None
    wrong: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentView:
    """What people are shown of a market.

    Attributes:
        troubles: The sources that could not be read when they were asked last, each with its reason.
        is_made_up: Whether nobody said any of it.
    """

    data: SentimentData
    troubles: tuple[tuple[str, str], ...]
    is_made_up: bool = False
