"""What is said of a market, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.domain.sentiment import Reading
from handlers.cards import sentiment
from handlers.cards.lines import flowing
from tests.fakes.reports import NOON, sentiment_data, sentiment_view


def test_each_source_is_told_with_its_share_and_its_age():
    card = sentiment.card(sentiment_view())
    assert card.title == "Sentiment on BTC/USDT: +0.11, bullish"
    assert [(flowing(item.title), flowing(item.text)) for item in card.items] == [
        ("Fear greed -0.50 (25.00% of it)", "12 h ago"),
        ("News +0.31 (75.00% of it)", "12 texts, the newest 40 min ago"),
        ("Bitcoin ETF inflows surge <b>again</b>", "news, 40 min ago, +0.62"),
    ]
    assert [(name, flowing(value)) for name, value in card.fields] == [("Spoken of", "etf inflows (4), halving (2)")]


def test_where_nothing_is_known_it_says_so_and_why():
    wrong = ("fear_greed", "Fear & Greed answers nonsense.")
    card = sentiment.card(sentiment_view(wrong, parts=(), mentions={}, trending=(), headlines=()))
    assert card.title == "Sentiment on BTC/USDT: nothing is known"
    assert (card.items, card.fields) == ((), ())
    assert card.text == "Fear greed: Fear & Greed answers nonsense."


def test_figures_that_take_no_side_are_told_in_short_with_their_age():
    def figure(source: str, subject: str, value: float) -> Reading:
        at = NOON - timedelta(minutes=5)
        return Reading(source=source, subject=subject, at=at, known_at=NOON, value=value, score=None)

    figures = (
        figure("dominance", "BTC/USDT", 0.5712),
        figure("market_cap", "", 2.31e12),
        figure("market_cap", "BTC/USDT", 8.452e11),
        figure("open_interest", "BTC/USDT", 12_300.0),
    )
    fields = sentiment.card(sentiment_view(figures=figures, trending=())).fields
    assert [(name, flowing(value)) for name, value in fields] == [
        ("Dominance of BTC", "57.12%, 5 min ago"),
        ("Market cap of all coins", "$2.31 T, 5 min ago"),
        ("Market cap of BTC", "$845.20 B, 5 min ago"),
        ("Open interest", "12,300 BTC, 5 min ago"),
    ]


def test_what_is_made_up_is_said_to_be():
    told = sentiment.card(replace(sentiment_view(), is_made_up=True)).text
    assert told == "All of it is made up, as the prices are: nobody said any of this."


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "0.00"), (-0.001, "0.00"), (0.005, "+0.01"), (-1.0, "-1.00"), (0.994, "+0.99")]
)
def test_scores_have_their_sign(value: float, told: str):
    assert sentiment.score(value) == told


def test_a_long_headline_is_cut():
    (headline,) = sentiment_data().headlines
    long = type(headline)(title="x" * 500, source="news", url="", at=headline.at, score=0.0)
    card = sentiment.card(sentiment_view(headlines=(long,)))
    assert len(card.items[-1].title) == 140
