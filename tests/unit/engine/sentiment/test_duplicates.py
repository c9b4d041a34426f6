"""One story is one story, however many carry it, and two stories are two."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.sentiment import SourceText
from engine.sentiment.duplicates import ALIKE, distinct
from tests.fakes.data import real_file

AT = datetime(2026, 3, 4, tzinfo=UTC)


def told(*titles: str) -> list[SourceText]:
    """Texts, each a minute older than the one before."""
    return [
        SourceText(source="news", title=title, at=AT - timedelta(minutes=minute)) for minute, title in enumerate(titles)
    ]


def left(*titles: str) -> list[str]:
    return [text.title for text in distinct(told(*titles))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bitcoin hits $100K", "BITCOIN HITS $100k!"),
        ("SEC approves spot Solana ETF", "SEC approves spot Solana ETF https://t.co/abc"),
        ("Circle freezes the wallet of the Bitget hacker", "Circle freezes wallet of the Bitget hacker"),
        ("\uff22itcoin falls again today", "Bitcoin falls again today"),
        ("gm", "GM"),
    ],
)
def test_the_same_story_is_told_once_and_the_oldest_stays(first: str, second: str) -> None:
    assert left(first, second) == [second]
    assert left(second, first) == [first]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bitcoin falls 5%", "Bitcoin falls 7%"),
        ("Bitcoin rises", "Ether rises"),
        ("SEC approves spot Solana ETF", "SEC rejects spot XRP ETF"),
        ("SEC sues Kraken", "Kraken sues the SEC"),
        ("gm", "gn"),
    ],
)
def test_another_story_stays(first: str, second: str) -> None:
    assert left(first, second) == [first, second]


def test_what_says_nothing_goes_and_a_body_stands_in_for_a_title() -> None:
    assert left("", "🚀", "https://example.com") == []
    posts = [SourceText(source="reddit", title="", body=f"Why I sell {coin}", at=AT) for coin in ("ADA", "DOT", "ADA")]
    assert [text.body for text in distinct(posts)] == ["Why I sell ADA", "Why I sell DOT"]


WORDS = st.lists(st.sampled_from("btc eth up down moon sell now etf sec bank".split()), min_size=1, max_size=9)  # noqa: SIM905


@given(st.lists(WORDS, max_size=12))
def test_no_two_that_are_alike_stay_and_who_goes_is_like_one_that_stays(titles: list[list[str]]) -> None:
    texts = told(*(" ".join(words) for words in titles))
    kept = [frozenset(text.title.split()) for text in distinct(texts)]

    def alike(some: frozenset[str], other: frozenset[str]) -> bool:
        few = min(len(some), len(other)) < 4
        return some == other if few else len(some & other) >= ALIKE * len(some | other)

    assert not any(alike(some, other) for index, some in enumerate(kept) for other in kept[:index])
    assert all(any(alike(frozenset(text.title.split()), other) for other in kept) for text in texts)


def test_of_real_headlines_only_twins_go() -> None:
    with real_file("news/cryptonews_com_titles_unlabelled.csv").open(encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    kept = left(*titles)
    assert len(titles) * 0.97 < len(kept) <= len(titles)
    assert len(left(*titles, *titles)) == len(kept)
