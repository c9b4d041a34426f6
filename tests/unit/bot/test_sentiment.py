"""Who is asked what is said of the markets, as the settings have it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.derivatives import derivatives_of
from bot.markets import source
from bot.sentiment import (
    has_sources,
    history_of,
    history_view,
    sentiment_jobs,
    sentiment_of_settings,
    sentiment_view,
)
from config.loader import load
from config.settings import Settings
from engine.data.files import write_candles
from engine.domain.errors import BadInput, ConfigError
from engine.sentiment.engine import SentimentEngine
from engine.store.database import Database
from engine.timing.clocks import MarketClock
from tests.fakes.database import new_database
from tests.fakes.feed import hand_feed
from tests.fakes.series import walk
from tests.fakes.text_rater import rating_manager

FEED = hand_feed(((100, 101, 99, 100, 10),) * 2)


def read(folder: Path, yaml: str = "", profile: str = "demo") -> Settings:
    file = folder / "my.yaml"
    file.write_text(f"extends: {profile}\n{yaml}")
    return load(None, file, {}, {}, folder).settings


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    await opened.close()


def demo(settings: Settings, store: Database) -> tuple[SentimentEngine, MarketClock]:
    market = source(settings)
    clock = MarketClock(market.start)
    derivatives = derivatives_of(settings, market.feed, clock)
    found = sentiment_of_settings(settings, market.feed, store, clock, derivatives, rating_manager())
    assert found is not None
    return found, clock


async def test_the_demo_has_a_made_up_mood_that_says_so_and_is_the_same_again(tmp_path: Path, store: Database) -> None:
    (first, clock), (again, later) = (demo(read(tmp_path), store) for _ in range(2))
    clock.move_to(clock.now() + timedelta(days=3, minutes=7))
    later.move_to(later.now() + timedelta(days=2))
    await again.view("ETH/USDT")  # who asked before changes nothing
    later.move_to(clock.now())
    view = await sentiment_view(first)("BTC")
    assert view == await again.view("BTC/USDT")
    assert (view.is_made_up, view.troubles) == (True, ())
    assert {part.source for part in view.data.parts} == {"made_up_news", "made_up_mood", "funding", "long_short"}
    assert view.data.headlines
    assert all(headline.at <= clock.now() for headline in view.data.headlines)


async def test_what_is_made_up_is_neither_kept_nor_asked_by_a_job(tmp_path: Path, store: Database) -> None:
    mood, clock = demo(read(tmp_path), store)
    await mood.view("BTC/USDT")
    assert sentiment_jobs(mood) == ()
    assert await store.read(lambda uow: uow.sentiment.texts(clock.now() - timedelta(days=9), clock.now())) == ()
    assert not has_sources(read(tmp_path))


def test_beside_candle_files_nothing_is_made_up(tmp_path: Path, store: Database) -> None:
    file = tmp_path / "BTCUSDT-1h.parquet"
    write_candles(file, walk(1, 400))
    mood, _ = demo(read(tmp_path, f"replay: {{data: [{file}]}}"), store)
    assert (mood.text_sources, mood.index_sources) == ((), ())


def test_profile_paper_asks_the_web_without_a_key(tmp_path: Path, store: Database) -> None:
    settings = read(tmp_path, profile="paper")
    clock = MarketClock(settings.market.start)
    nobody = derivatives_of(settings, FEED, clock)
    mood = sentiment_of_settings(settings, FEED, store, clock, nobody, rating_manager())
    assert mood is not None
    assert list(mood.every) == ["news", "fear_greed"]
    assert [job.name for job in sentiment_jobs(mood)] == ["sentiment"]
    assert has_sources(settings)


@pytest.mark.parametrize(("scorer", "name"), [("classifier", "classifier"), ("llm", "llm")])
def test_who_scores_is_as_the_settings_say(tmp_path: Path, store: Database, scorer: str, name: str) -> None:
    mood, _ = demo(read(tmp_path, f"sentiment: {{scorer: {scorer}}}"), store)
    assert mood.reader.scorer.name == name


async def test_where_nobody_is_asked_people_are_told_how_to(tmp_path: Path, store: Database) -> None:
    settings = read(tmp_path, "sentiment: {enabled: false}")
    clock = MarketClock(settings.market.start)
    off = sentiment_of_settings(settings, FEED, store, clock, derivatives_of(settings, FEED, clock), rating_manager())
    assert off is None
    assert sentiment_jobs(off) == ()


async def test_a_market_that_is_not_traded_is_told_with_those_that_are(tmp_path: Path, store: Database) -> None:
    mood, _ = demo(read(tmp_path), store)
    with pytest.raises(BadInput, match=r"DOGE is not traded here\. There are BTC/USDT, ETH/USDT, SOL/USDT"):
        await sentiment_view(mood)("DOGE")


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("news: {every: 30m}", "sentiment.news.every: must be at least 1h"),
        ("fear_greed: {every: 1m}", "sentiment.fear_greed.every: must be at least 5m"),
        ("x: {every: 10s}", "sentiment.x.every: must be at least 1m"),
        ("reddit: {every: 10s}", "sentiment.reddit.every: must be at least 1m"),
        ("market_caps: {every: 1m}", "sentiment.market_caps.every: must be at least 5m"),
        ("scorer: vader", "sentiment.scorer"),
    ],
)
def test_no_source_is_asked_oftener_than_it_bears(tmp_path: Path, yaml: str, problem: str) -> None:
    with pytest.raises(ConfigError) as failed:
        read(tmp_path, f"sentiment: {{{yaml}}}")
    assert problem in str(failed.value)


async def test_a_replay_is_told_what_was_said_in_its_time_and_people_see_it(tmp_path: Path):
    (tmp_path / "fear.csv").write_text("date,value\n2025-12-30,10\n2026-01-01,90\n")
    settings = load("demo", None, {"replay": {"sentiment": [str(tmp_path / "fear.csv")]}}, {}, tmp_path).settings
    history, clock = history_of(settings), MarketClock(datetime(2025, 12, 31, tzinfo=UTC))
    assert history is not None
    tell = history_view(history, source(settings), clock)
    assert [(each.source, each.score) for each in (await tell("BTC")).data.parts] == [("fear_greed", -0.8)]
    with pytest.raises(BadInput, match="DOGE is not traded here"):
        await tell("DOGE")
    clock.move_to(datetime(2026, 2, 1, tzinfo=UTC))
    assert (await tell("ETH")).troubles == (("history", "it has nothing of this time"),)
    assert history_of(load("demo", None, {}, {}, tmp_path).settings) is None
