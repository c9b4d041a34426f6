"""What was said of the markets in the past, by dated rows: for replays. Nothing is known before it was published."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from engine.domain.sentiment import KeptText, Reading, SentimentData
from engine.ports import Clock
from engine.sentiment.assembling import SentimentTerms, sentiment_of

Row = TypeVar("Row")

NEWS, FEAR_GREED = "news", "fear_greed"
"""The sources that there is a history of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a time a source has something of.

    Attributes:
        source: As the settings call it.
        first, last: Its first and last row of all.
        days: The part of the days of the time with a row, in [0, 1].
    """

    source: str
    first: datetime
    last: datetime
    days: float


@dataclass(frozen=True, kw_only=True)
class SentimentHistory:
    """Texts and figures of the past, each of the moment at which it was known.

    Attributes:
        texts, readings: Oldest first.
        terms: How they are weighed.
    """

    texts: Sequence[KeptText]
    readings: Sequence[Reading]
    terms: SentimentTerms

    def of(self, symbol: str, now: datetime) -> SentimentData:
        """What was known of a market at a moment."""
        texts = _within(self.texts, self._text_times, now - self.terms.window, now)
        readings = _within(self.readings, self._reading_times, now - self.terms.figure_age, now)
        return sentiment_of(symbol, texts, readings, self.terms, now)

    def by(self, clock: Clock) -> Callable[[str], Awaitable[SentimentData]]:
        """Tells what is known at the time of a clock."""

        async def analyze(symbol: str) -> SentimentData:
            return self.of(symbol, clock.now())

        return analyze

    def coverage(self, symbol: str, begins: datetime, ends: datetime) -> tuple[Coverage, ...]:
        """How much of a time each source has something of, that counts for a market; a source with nothing is left out.

        Args:
            symbol: The market: a text is about its base, a figure about all of them.
            begins: When the time begins.
            ends: Its end, which is left out.
        """
        base = symbol.partition("/")[0]
        own = [each.known_at for each in self.texts if base in each.scored.coins]
        found = ((FEAR_GREED, list(self._reading_times)), (NEWS, own))
        return tuple(
            Coverage(source=name, first=times[0], last=times[-1], days=_share(times, begins, ends))
            for name, times in found
            if times
        )

    @cached_property
    def _text_times(self) -> Sequence[datetime]:
        return [each.known_at for each in self.texts]

    @cached_property
    def _reading_times(self) -> Sequence[datetime]:
        return [each.known_at for each in self.readings]


def _within(rows: Sequence[Row], times: Sequence[datetime], after: datetime, until: datetime) -> Sequence[Row]:
    return rows[bisect_right(times, after - timedelta.resolution) : bisect_right(times, until)]


def _share(times: Sequence[datetime], begins: datetime, ends: datetime) -> float:
    """The part of the days of a time on which anything was known."""
    wanted = _days(begins, ends - timedelta.resolution)
    return len(wanted & {at.date() for at in times}) / len(wanted)


def _days(first: datetime, last: datetime) -> set[date]:
    return {first.date() + timedelta(days=number) for number in range((last.date() - first.date()).days + 1)}
