"""What all that was said comes to for one market. Pure: the same rows and the same moment give the same answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.sentiment import KeptText, Reading, ScoredText, SentimentData, SentimentPart
from engine.sentiment.summary import headlines_of, mentions_of, part_of, topics_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentTerms:
    """How sources are weighed.

    Attributes:
        weights: Of each source, over 0; one without a weight is no part of the whole.
        window: How old a text may be.
        half_life: After how long a text counts half.
        figure_age: How old a figure may be.
    """

    weights: Mapping[str, float]
    window: timedelta
    half_life: timedelta
    figure_age: timedelta


def sentiment_of(
    symbol: str, texts: Sequence[KeptText], readings: Sequence[Reading], terms: SentimentTerms, now: datetime
) -> SentimentData:
    """What is known of a market at a moment.

    Args:
        symbol: The market; texts are about its base.
        texts: What was published, of any coin and age; what was known later than ``now`` is not looked at.
        readings: Figures of the whole market, and of any other.
        terms: How they are weighed.
        now: The moment.
    """
    base = symbol.partition("/")[0]
    known = sorted(texts, key=lambda each: (each.scored.text.at, each.key), reverse=True)
    told = [each.scored for each in known if _counts(each, base, terms, now)]
    by_source: defaultdict[str, list[ScoredText]] = defaultdict(list)
    for each in told:
        by_source[each.text.source].append(each)
    spoken = (
        part_of(source, found, weight=terms.weights[source], now=now, half_life=terms.half_life)
        for source, found in by_source.items()
        if source in terms.weights
    )
    figures = _newest(readings, symbol, terms, now)
    parts = [part for part in spoken if part is not None] + _scored(figures, terms)
    return SentimentData(
        symbol=symbol,
        at=now,
        parts=tuple(sorted(parts, key=lambda part: part.source)),
        mentions=mentions_of(by_source, base),
        trending=topics_of(told, base),
        headlines=headlines_of(told),
        figures=tuple(
            sorted((each for each in figures if each.score is None), key=lambda each: (each.source, each.subject))
        ),
    )


def _counts(kept: KeptText, base: str, terms: SentimentTerms, now: datetime) -> bool:
    at = kept.scored.text.at
    return base in kept.scored.coins and kept.known_at <= now and now - terms.window < at <= now


def _newest(readings: Iterable[Reading], symbol: str, terms: SentimentTerms, now: datetime) -> list[Reading]:
    """The newest figure of each source about the market, and about all of them, as far as it was known."""
    newest: dict[tuple[str, str], Reading] = {}
    for each in readings:
        if each.subject not in ("", symbol) or each.known_at > now or not now - terms.figure_age <= each.at <= now:
            continue
        key = (each.source, each.subject)
        if key not in newest or newest[key].at < each.at:
            newest[key] = each
    return list(newest.values())


def _scored(figures: Iterable[Reading], terms: SentimentTerms) -> list[SentimentPart]:
    """Those that take a side, as parts."""
    return [
        SentimentPart(source=each.source, score=each.score, count=1, weight=terms.weights[each.source], at=each.at)
        for each in figures
        if each.score is not None and each.source in terms.weights
    ]
