"""What texts that were read come to for one coin: a part a source, mentions, topics and headlines."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from engine.domain.sentiment import Headline, ScoredText, SentimentPart, Topic
from engine.sentiment.coins import COINS, Coin
from engine.sentiment.language import ENGLISH

DOUBT = 2.0
"""So many neutral texts of now are thought beside those that there are: one text alone is no mood."""
MOST_HEADLINES, MOST_TOPICS = 5, 5
_SHARED = 2
"""Texts that must have a topic's words."""
_WORD = re.compile(r"[^\W\d_][\w'\u2019]+")


def part_of(
    source: str, scored: Sequence[ScoredText], *, weight: float, now: datetime, half_life: timedelta
) -> SentimentPart | None:
    """What a source's texts on a coin come to; ``None`` where none of them has a score.

    A text counts half as much with every ``half_life`` of its age.
    """
    rated = [(each.text.at, each.score) for each in scored if each.score is not None]
    if not rated:
        return None
    fresh = [0.5 ** max((now - at) / half_life, 0.0) for at, _ in rated]
    together = math.fsum(count * score for count, (_, score) in zip(fresh, rated, strict=True))
    score = together / (math.fsum(fresh) + DOUBT)
    return SentimentPart(source=source, score=score, count=len(rated), weight=weight, at=max(at for at, _ in rated))


def mentions_of(by_source: Mapping[str, Sequence[ScoredText]], base: str) -> dict[str, int]:
    """How many texts of each source speak of a coin."""
    return {source: sum(base in each.coins for each in scored) for source, scored in by_source.items()}


def headlines_of(scored: Sequence[ScoredText], most: int = MOST_HEADLINES) -> tuple[Headline, ...]:
    """The newest texts that have a score, the newest first."""
    newest = sorted(scored, key=lambda each: each.text.at, reverse=True)
    told = [(each.text, each.score) for each in newest if each.score is not None]
    return tuple(
        Headline(title=text.title or text.body, source=text.source, url=text.url, at=text.at, score=score)
        for text, score in told[:most]
    )


def topics_of(scored: Sequence[ScoredText], base: str, most: int = MOST_TOPICS) -> tuple[Topic, ...]:
    """Words and pairs of words that more than one text on a coin has, the most frequent first.

    Small words and the coin's own names are no topics; a word is in one topic at most.
    """
    named = _own_names(base)
    texts = Counter[str]()
    for each in scored:
        texts.update(_phrases(each.text.title or each.text.body, named))
    found: list[Topic] = []
    taken = set[str]()
    often = sorted(texts.items(), key=lambda item: (-item[1] * len(item[0].split()), item[0]))
    for words, count in often:
        if count >= _SHARED and taken.isdisjoint(words.split()):
            taken.update(words.split())
            found.append(Topic(words=words, count=count))
    return tuple(sorted(found, key=lambda topic: -topic.count)[:most])


def _own_names(base: str) -> frozenset[str]:
    coin = COINS.get(base, Coin())
    return frozenset(word for name in (base.lower(), *coin.names, *coin.words) for word in name.split())


def _phrases(text: str, named: frozenset[str]) -> set[str]:
    words = [word.casefold().removesuffix("'s").removesuffix("\u2019s") for word in _WORD.findall(text)]
    telling = [word if word not in ENGLISH and word not in named else "" for word in words]
    pairs = (f"{first} {second}" for first, second in pairwise(telling) if first and second)
    return {word for word in telling if word} | set(pairs)
