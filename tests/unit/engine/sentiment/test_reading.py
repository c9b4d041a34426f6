"""Texts are read once, by whom they are about, the newest first; what is foreign, old or not to be believed is not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from engine.domain.sentiment import SourceText
from engine.sentiment.matching import Matcher
from engine.sentiment.reading import TextReader

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


class Length:
    """Scores by length, and writes down what it was shown."""

    name = "length"
    trouble = ""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        self.shown.extend(texts)
        return tuple(len(text) / 1_000 if "?" not in text else None for text in texts)


def text(title: str, minutes: float = 5, body: str = "") -> SourceText:
    return SourceText(source="news", title=title, body=body, at=NOW - timedelta(minutes=minutes))


def reader(scorer: Length, most: int = 100) -> TextReader:
    return TextReader(matcher=Matcher(), scorer=scorer, oldest=timedelta(days=1), most=most)


async def test_texts_are_cleaned_matched_and_scored_the_newest_first() -> None:
    scorer = Length()
    read = await reader(scorer).read(
        [text("Solana falls", 9), text("<b>ADA</b> price\u202e up", 3, "More on it.")], NOW
    )
    assert [(each.text.title, set(each.coins)) for each in read] == [
        ("ADA price up", {"ADA"}),
        ("Solana falls", {"SOL"}),
    ]
    assert scorer.shown == ["ADA price up More on it.", "Solana falls"]
    assert [each.score for each in read] == [0.024, 0.012]


async def test_who_has_no_opinion_mentions_all_the_same() -> None:
    (read,) = await reader(Length()).read([text("Why did Solana fall?")], NOW)
    assert (read.score, read.coins) == (None, {"SOL"})


async def test_what_is_foreign_old_from_the_future_twice_or_about_no_coin_is_not_shown_to_the_scorer() -> None:
    scorer = Length()
    await reader(scorer).read(
        [
            text("Der Bitcoin steigt und die Anleger sind froh"),
            text("Bitcoin rises", 24 * 60 + 1),
            text("Bitcoin falls", -11),
            text("Stocks rise"),
            text("Bitcoin is up 5%, a little ahead of our clock", -9),
            text("Litecoin gains, says nobody", 4),
            text("LITECOIN gains, says nobody!", 5),
        ],
        NOW,
    )
    assert scorer.shown == ["Bitcoin is up 5%, a little ahead of our clock", "LITECOIN gains, says nobody!"]


async def test_of_fifty_thousand_only_the_newest_are_read_and_the_loop_goes_on() -> None:
    scorer = Length()
    many = [text(f"Bitcoin story number {number} of {number * 7}", number / 100) for number in range(50_000)]
    where = set[int]()

    class Seen(Matcher):
        def about(self, text: SourceText) -> frozenset[str]:
            where.add(threading.get_ident())
            return super().about(text)

    slow = TextReader(matcher=Seen(), scorer=scorer, oldest=timedelta(days=1), most=20)
    reading = asyncio.create_task(slow.read(many, NOW))
    await asyncio.sleep(0)
    assert not reading.done()
    assert len(await reading) == len(scorer.shown) == 20
    assert where
    assert threading.get_ident() not in where


async def test_nothing_is_read_of_nothing() -> None:
    assert await reader(Length()).read([], NOW) == ()
