"""What texts come to for one coin: fresh ones count more, few count little, and topics are what several speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.sentiment import ScoredText, SentimentPart, SourceText
from engine.sentiment.summary import DOUBT, headlines_of, mentions_of, part_of, topics_of

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
HALF = timedelta(hours=6)


def scored(title: str, score: float | None = 0.5, hours: float = 0.0, coins: str = "SOL") -> ScoredText:
    text = SourceText(source="news", title=title, url="https://a.b", at=NOW - timedelta(hours=hours))
    return ScoredText(text=text, coins=frozenset(coins.split()), score=score)


def part(*texts: ScoredText) -> SentimentPart:
    found = part_of("news", texts, weight=2.5, now=NOW, half_life=HALF)
    assert found is not None
    return found


def test_one_text_is_no_mood_and_many_are() -> None:
    assert part(scored("a", 0.9)).score == pytest.approx(0.9 / (1 + DOUBT))
    assert part(*[scored("a", 0.9)] * 98).score == pytest.approx(0.9 * 98 / 100)


def test_a_text_counts_half_after_its_half_life() -> None:
    mixed = part(scored("good", 1.0, hours=12), scored("bad", -0.5, hours=6))
    assert mixed.score == pytest.approx((0.25 - 0.25) / (0.75 + DOUBT))
    assert mixed == SentimentPart(source="news", score=0.0, count=2, weight=2.5, at=NOW - timedelta(hours=6))
    assert part(scored("a", hours=-0.1)).score == part(scored("a")).score


def test_without_a_score_there_is_no_part() -> None:
    assert part_of("news", [scored("a", None)], weight=1, now=NOW, half_life=HALF) is None
    assert part_of("news", [], weight=1, now=NOW, half_life=HALF) is None
    assert part(scored("a", None), scored("b")).count == 1


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 10_000)), min_size=1, max_size=20))
def test_a_part_is_never_beyond_its_texts(texts: list[tuple[float, float]]) -> None:
    score = part(*(scored("a", score, hours) for score, hours in texts)).score
    assert min(0.0, *(each for each, _ in texts)) <= score <= max(0.0, *(each for each, _ in texts))


def test_mentions_are_counted_by_source() -> None:
    news, crowd = [scored("a"), scored("b", coins="BTC SOL"), scored("c", coins="BTC")], [scored("d", None)]
    assert mentions_of({"news": news, "reddit": crowd, "x": []}, "SOL") == {"news": 2, "reddit": 1, "x": 0}


def test_headlines_are_the_newest_with_a_score() -> None:
    texts = [scored("old", -0.5, 9), scored("new", 0.25, 1), scored("mute", None), scored("middle", 0.5, 4)]
    assert [(each.title, each.score) for each in headlines_of(texts, 2)] == [("new", 0.25), ("middle", 0.5)]


def test_topics_are_what_several_texts_speak_of() -> None:
    texts = [
        scored("Solana ETF approval is near, says the SEC"),
        scored("SEC chair on Solana's ETF approval"),
        scored("Outage of the Solana network: validators restart"),
        scored("Validators vote after outage"),
        scored("The ETF approval may be late"),
    ]
    told = {topic.words: topic.count for topic in topics_of(texts, "SOL")}
    assert told == {"etf approval": 3, "outage": 2, "sec": 2, "validators": 2}
    assert topics_of(texts[:1], "SOL") == ()
    assert [topic.words for topic in topics_of(texts, "SOL", 1)] == ["etf approval"]
