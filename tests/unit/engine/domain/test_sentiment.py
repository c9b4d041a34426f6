"""What parts of sentiment come to together: within their bounds, and by their weights, whoever is missing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.sentiment import SentimentData, SentimentPart

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
SCORES = st.floats(-1, 1)
WEIGHTS = st.floats(1e-300, 1e300)


def part(source: str, score: float, weight: float = 1.0) -> SentimentPart:
    return SentimentPart(source=source, score=score, count=3, weight=weight, at=NOW - timedelta(minutes=7))


def data(*parts: SentimentPart) -> SentimentData:
    return SentimentData(symbol="ADA/EUR", at=NOW, parts=parts, mentions={}, trending=(), headlines=())


PARTS = st.lists(st.builds(lambda score, weight: part("news", score, weight), SCORES, WEIGHTS), min_size=1, max_size=7)


def test_a_weighted_mean_of_what_there_is() -> None:
    news, crowd, index = part("news", 0.5, 3), part("reddit", -0.25, 1), part("fear_greed", -1.0, 4)
    assert data(news, crowd, index).aggregate() == pytest.approx((1.5 - 0.25 - 4) / 8)
    assert data(news, crowd).aggregate() == pytest.approx((1.5 - 0.25) / 4)
    assert data(news, crowd).shares() == (0.75, 0.25)


def test_nobody_says_anything_is_not_neutral() -> None:
    assert data().aggregate() is None
    assert data().shares() == ()
    assert data(part("news", 0.0)).aggregate() == 0.0


def test_the_part_of_a_source() -> None:
    news = part("news", 0.5)
    assert data(part("x", -0.5), news).part("news") is news
    assert data(news).part("reddit") is None
    assert news.age(NOW) == timedelta(minutes=7)


@given(PARTS)
def test_together_it_is_between_the_parts_and_the_shares_are_one(parts: list[SentimentPart]) -> None:
    together = data(*parts).aggregate()
    assert together is not None
    assert min(each.score for each in parts) - 1e-12 <= together <= max(each.score for each in parts) + 1e-12
    assert -1 <= together <= 1
    assert math.fsum(data(*parts).shares()) == pytest.approx(1)


@given(st.permutations([part("a", 0.3, 2), part("b", -0.7, 5), part("c", 1.0, 0.1)]))
def test_the_order_does_not_matter(parts: list[SentimentPart]) -> None:
    assert data(*parts).aggregate() == data(*sorted(parts, key=lambda each: each.source)).aggregate()


@pytest.mark.parametrize("score", [1.01, -1.5, math.nan, math.inf])
def test_no_score_out_of_its_range(score: float) -> None:
    with pytest.raises(ValueError, match="a score is in"):
        part("news", score)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_no_weight_out_of_its_range(weight: float) -> None:
    with pytest.raises(ValueError, match="a weight is over 0"):
        part("news", 0.1, weight)


def test_a_part_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="one text or more"):
        SentimentPart(source="news", score=0, count=0, weight=1, at=NOW)
