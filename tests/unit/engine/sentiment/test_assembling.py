"""What all that was said comes to for one market."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.sentiment import KeptText, Reading, ScoredText, SourceText
from engine.sentiment.assembling import SentimentTerms, sentiment_of
from engine.sentiment.summary import DOUBT

NOW = datetime(2026, 11, 30, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = SentimentTerms(
    weights={"news": 2.0, "reddit": 1.0, "fear_greed": 1.0, "funding": 3.0},
    window=48 * HOUR,
    half_life=6 * HOUR,
    figure_age=30 * HOUR,
)

FRESH = 0.5 ** (1 / 6)
"""What a text of an hour ago counts."""


def text(
    title: str = "up", *, hours: float = 1, score: float = 0.5, source: str = "news", coins: str = "BTC"
) -> KeptText:
    at = NOW - hours * HOUR
    said = SourceText(source=source, title=title, at=at)
    scored = ScoredText(text=said, coins=frozenset(coins.split()), score=score)
    return KeptText(scored=scored, fingerprint=f"{title} {hours}", known_at=at)


def reading(source: str, score: float | None, *, subject: str = "", hours: float = 1) -> Reading:
    at = NOW - hours * HOUR
    return Reading(source=source, subject=subject, at=at, known_at=at, value=0.0, score=score)


def test_nothing_said_is_nothing_known():
    found = sentiment_of("BTC/USDT", (), (), TERMS, NOW)
    assert (found.parts, found.aggregate(), found.headlines, found.mentions) == ((), None, (), {})


def test_each_source_is_a_part_and_they_are_weighed():
    found = sentiment_of(
        "BTC/USDT",
        (text(score=1.0), text(source="reddit", score=-1.0), text(score=-1.0, coins="ETH")),
        (
            reading("fear_greed", 0.0),
            reading("funding", 1.0, subject="BTC/USDT"),
            reading("funding", -1.0, subject="ETH/USDT"),
        ),
        TERMS,
        NOW,
    )
    one = FRESH / (FRESH + DOUBT)  # one text is no mood by itself
    assert {part.source: part.score for part in found.parts} == {
        "news": one, "reddit": -one, "fear_greed": 0.0, "funding": 1.0,
    }  # fmt: skip
    assert found.aggregate() == pytest.approx((2 * one - one + 0 + 3 * 1) / 7)
    assert found.mentions == {"news": 1, "reddit": 1}


def test_what_is_missing_leaves_its_weight_to_the_others():
    found = sentiment_of(
        "BTC/USDT", (text(score=0.4),), (reading("open_interest", None, subject="BTC/USDT"),), TERMS, NOW
    )
    assert [part.source for part in found.parts] == ["news"]
    assert found.aggregate() == found.parts[0].score == pytest.approx(0.4 * FRESH / (FRESH + DOUBT))


def test_a_text_a_half_life_older_counts_half():
    found = sentiment_of("BTC/USDT", (text("a", hours=1, score=1.0), text("b", hours=7, score=-0.5)), (), TERMS, NOW)
    (part,) = found.parts
    assert part.score == pytest.approx((FRESH - 0.25 * FRESH) / (1.5 * FRESH + DOUBT))
    assert (part.count, part.at) == (2, NOW - HOUR)


def test_what_is_too_old_or_not_known_yet_is_left_out():
    later = text("later", hours=1)
    unknown = replace(later, known_at=NOW + HOUR)
    texts = (text("old", hours=48), text("to come", hours=-1), unknown)
    readings = (reading("fear_greed", 1.0, hours=31), reading("funding", 1.0, hours=-1, subject="BTC/USDT"))
    assert sentiment_of("BTC/USDT", texts, readings, TERMS, NOW).parts == ()


def test_of_several_figures_the_newest_counts():
    readings = (
        reading("fear_greed", -1.0, hours=2),
        reading("fear_greed", 0.5, hours=1),
        reading("fear_greed", 1.0, hours=3),
    )
    (part,) = sentiment_of("SOL/EUR", (), readings, TERMS, NOW).parts
    assert part.score == 0.5


def test_headlines_are_the_newest_and_topics_what_several_have():
    titles = ["ETF inflows surge", "SEC sues again over ETF inflows", "Halving nears", "Miners capitulate", "x", "y"]
    texts = tuple(text(title, hours=hours) for hours, title in enumerate(titles, 1))
    found = sentiment_of("BTC/USDT", texts, (), TERMS, NOW)
    assert [each.title for each in found.headlines] == titles[:5]
    assert [(topic.words, topic.count) for topic in found.trending] == [("etf inflows", 2)]


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(-1, 1), st.sampled_from(["news", "reddit", "other"])), max_size=12),
    st.lists(st.tuples(st.sampled_from(["fear_greed", "funding"]), st.floats(-1, 1), st.floats(0, 60)), max_size=6),
)
def test_whatever_is_said_it_comes_to_a_number_in_range_and_does_not_depend_on_order(said, figures):
    texts = [text(str(n), hours=hours, score=score, source=source) for n, (hours, score, source) in enumerate(said)]
    readings = [reading(source, score, hours=hours + n / 1000) for n, (source, score, hours) in enumerate(figures)]
    found = sentiment_of("BTC/USDT", texts, readings, TERMS, NOW)
    assert found == sentiment_of("BTC/USDT", texts[::-1], readings[::-1], TERMS, NOW)
    whole = found.aggregate()
    assert whole is None if not found.parts else -1 <= whole <= 1
    assert {part.source for part in found.parts} <= TERMS.weights.keys()
