"""What is said of a market, as people read it."""

from __future__ import annotations

import pytest

from handlers.cards import sentiment
from handlers.cards.lines import flowing
from tests.fakes.reports import sentiment_data


def test_each_source_is_told_with_its_share_and_its_age():
    card = sentiment.card(sentiment_data(), ())
    assert card.title == "Sentiment on BTC/USDT: +0.11, bullish"
    assert [(flowing(item.title), flowing(item.text)) for item in card.items] == [
        ("Fear greed -0.50 (25.00% of it)", "12 h ago"),
        ("News +0.31 (75.00% of it)", "12 texts, the newest 40 min ago"),
        ("Bitcoin ETF inflows surge <b>again</b>", "news, 40 min ago, +0.62"),
    ]
    assert [(name, flowing(value)) for name, value in card.fields] == [("Spoken of", "etf inflows (4), halving (2)")]


def test_where_nothing_is_known_it_says_so_and_why():
    nothing = sentiment_data(parts=(), mentions={}, trending=(), headlines=())
    card = sentiment.card(nothing, (("fear_greed", "Fear & Greed answers nonsense."),))
    assert card.title == "Sentiment on BTC/USDT: nothing is known"
    assert (card.items, card.fields) == ((), ())
    assert card.text == "Fear greed: Fear & Greed answers nonsense."


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "0.00"), (-0.001, "0.00"), (0.005, "+0.01"), (-1.0, "-1.00"), (0.994, "+0.99")]
)
def test_scores_have_their_sign(value: float, told: str):
    assert sentiment.score(value) == told


def test_a_long_headline_is_cut():
    (headline,) = sentiment_data().headlines
    long = type(headline)(title="x" * 500, source="news", url="", at=headline.at, score=0.0)
    card = sentiment.card(sentiment_data(headlines=(long,)), ())
    assert len(card.items[-1].title) == 140
