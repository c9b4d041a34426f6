"""Made-up news and mood: by the seed and the candles that have closed, and by nothing that comes later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from engine.domain.errors import SourceError
from engine.domain.sentiment import SourceText
from engine.sentiment.generated import GeneratedMood, GeneratedNews
from engine.sentiment.matching import Matcher
from engine.sentiment.scorers import classifier
from engine.simulation.mood import made_up_headline, made_up_index
from tests.fakes.feed import BTC, START, HandClock, Row, hand_feed

DAYS = 30


def rows(step: float, hours: int = DAYS * 24) -> list[Row]:
    """A price that moves by a share of itself each hour."""
    prices = [100 * (1 + step) ** hour for hour in range(hours + 1)]
    return [(a, max(a, b), min(a, b), b, 10) for a, b in pairwise(prices)]


def news(candles: Sequence[Row | None], hours: float = DAYS * 24, seed: int = 20) -> GeneratedNews:
    clock = HandClock(hours * 60)
    return GeneratedNews(
        feed=hand_feed(candles), clock=clock, symbols=(BTC.symbol,), seed=seed, window=timedelta(days=20)
    )


def mood(candles: Sequence[Row | None], hours: float = DAYS * 24) -> GeneratedMood:
    return GeneratedMood(feed=hand_feed(candles), clock=HandClock(hours * 60), symbols=(BTC.symbol,), seed=20)


def known_by(texts: Sequence[SourceText], at: datetime, since: datetime) -> set[SourceText]:
    return {text for text in texts if since < text.at <= at}


async def test_the_same_seed_writes_the_same_and_another_something_else() -> None:
    first, again, other = [await news(rows(0.001), seed=seed).texts() for seed in (20, 20, 21)]
    assert first == again != other
    assert len(first) > 50


async def test_nothing_of_the_future_changes_what_was_written() -> None:
    """At each hour the news of then is what is told of that time later, whatever prices do after it."""
    crash = rows(0.001)[: 24 * 15] + [(a, b, c, d / 2, e) for a, b, c, d, e in rows(-0.01)[24 * 15 :]]
    then = START + timedelta(days=15)
    found = [await news(candles, 15 * 24).texts() for candles in (rows(0.001), crash)]
    later = await news(rows(0.001)).texts()
    assert found[0] == found[1]
    assert known_by(found[0], then, START + timedelta(days=11)) == known_by(later, then, START + timedelta(days=11))


@pytest.mark.parametrize("minutes", [0.5, 17, 59.9])
async def test_no_headline_is_of_later_than_now(minutes: float) -> None:
    source = news(rows(0.001), 20 * 24 + minutes / 60)
    assert all(text.at <= source.clock.now() for text in await source.texts())


@pytest.mark.parametrize("step", [0.003, -0.003])
async def test_headlines_follow_the_price_and_are_read_as_ours_are(step: float) -> None:
    texts = await news(rows(step)).texts()
    assert {coin for text in texts for coin in Matcher().about(text)} == {"BTC"}
    scores = [score or 0.0 for score in await classifier().score([text.title for text in texts])]
    assert sum(scores) / len(scores) * step > 0


async def test_the_mood_is_of_the_day_and_follows_the_price() -> None:
    rising, falling = await mood(rows(0.002)).reading(), await mood(rows(-0.002)).reading()
    assert rising.score > 0.2 > -0.2 > falling.score
    assert await mood(rows(0.002), DAYS * 24 + 7).reading() == rising
    assert rising.at == START + timedelta(days=DAYS)


async def test_where_there_are_no_candles_nothing_is_written() -> None:
    few = rows(0.001, 2)
    assert await news(few, 2).texts() == ()
    with pytest.raises(SourceError, match="no candles"):
        await mood(few, -5).reading()


def test_what_is_made_up_stays_in_its_bounds() -> None:
    for number in range(200):
        hour = START + timedelta(hours=number)
        assert 0 <= made_up_index(3, hour, [(-1.0) ** number * number]) <= 100
        written = made_up_headline(3, "Bitcoin", hour, number / 100 - 1)
        assert written is None or 0 <= written.after < 3_600
