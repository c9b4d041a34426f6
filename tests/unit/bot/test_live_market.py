"""A real venue's market in the wiring, what the doctor sees of it, and the door in front of real orders."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import CHECKS, Case, Line, examine
from bot.live_market import quality_limits
from bot.markets import source
from bot.run_rules import demand
from config.loader import load
from config.settings import Settings
from engine.analysis.quality import DataQualityMonitor
from engine.data.live.feed import LiveFeed
from engine.domain.errors import ConfigError
from tests.fakes import exchange
from tests.fakes.exchange import INFO, FakeExchange, listening
from tests.fakes.feed import hand_candles
from tests.fakes.sections import sections


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        yield fake


def settings(folder: Path, profile: str = "paper", **changes: Any) -> Settings:
    here = {"BOT_DATABASE__URL": f"sqlite:///{folder}/greenlight.sqlite", "BOT_WEB__PORT": "0"}
    return load(profile, None, sections(**changes), here, folder).settings


async def recorded_venue(asked: Settings) -> Line:
    """What the doctor says of the venue; it has an event loop of its own."""
    case = Case(settings=asked, wall=lambda: datetime.now(UTC))
    check = [replace(check, needs=()) for check in CHECKS if check.name == "venue"]
    (line,) = await asyncio.to_thread(lambda: list(examine(case, check)))
    return line


def test_the_market_of_paper_is_the_venues_and_nothing_is_asked_of_it_yet(tmp_path: Path) -> None:
    found = source(settings(tmp_path))
    assert isinstance(found.feed, LiveFeed)
    assert (found.label, found.end) == ("binance, public data", None)
    assert list(found.feed.markets) == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    assert [each.name for each in found.contexts] == ["trend", "momentum", "reversion"]
    assert found.live is not None
    assert found.live.health == "ok"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exchanges": {"binance": {"enabled": False}, "binanse": {}}}, "Did you mean binance"),
        ({"replay__data": ["BTCUSDT-1h.parquet"]}, "replay.data: asks for a replay"),
        ({"contexts": []}, "No context trades anything"),
    ],
)
def test_a_venue_that_cannot_be_traded_on_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        source(settings(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"market__clock": "replay"}, "market.source: must be replay while market.clock is replay"),
        ({"market__source": "ccxd"}, "market.source"),
        ({"exchanges__binance__poll_every": "0.01s"}, "exchanges.binance.poll_every: must be between 0.2 s and 1m"),
        ({"exchanges__binance__answer_within": "1h"}, "exchanges.binance.answer_within: must be between 0.2 s and 1m"),
        ({"exchanges__binance__api_url": "ftp://x"}, "exchanges.binance.api_url"),
        ({"market__max_skew": "0"}, "market.max_skew"),
        ({"market__max_skew": "1.5"}, "market.max_skew"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(tmp_path, **changes)


def test_a_venue_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"exchanges: must have a venue that is on, e\.g\. binance: {}"):
        settings(tmp_path, "base", market__clock="wall", market__source="ccxt")


def test_paper_needs_nobodys_word_and_real_orders_do(tmp_path: Path) -> None:
    demand(settings(tmp_path))
    nobody = "nobody has agreed"
    for said, words in ((None, nobody), ("i understand", nobody), ("I understand", "must be set")):
        with pytest.raises(ConfigError, match=words):
            demand(settings(tmp_path, "prod", live_trading=said))
    with pytest.raises(ConfigError, match="live_trading: profile prod"):
        source(settings(tmp_path, "prod"))


async def test_the_doctor_asks_the_venue_for_its_markets(tmp_path: Path, fake: FakeExchange) -> None:
    line = await recorded_venue(settings(tmp_path, exchanges__binance__api_url=fake.url))
    assert (line.verdict, line.text) == (
        "ok",
        f"{fake.url} lists 3 markets, ours among them; its clock is within 5 s of ours",
    )
    assert {path for path, _ in fake.calls} == {INFO}


def test_the_doctor_has_nothing_to_ask_where_the_market_is_made_up(tmp_path: Path) -> None:
    (check,) = (check for check in CHECKS if check.name == "venue")
    assert [check.asked(settings(tmp_path, profile)) for profile in ("demo", "paper")] == [False, True]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("down", "cannot be reached"),
        ("html", "no JSON"),
        ("skew", "clock of .* and ours are 9. s apart.*Set this machine's clock"),
        ("timeless", "tell no time .*: nothing would be entered.*exchanges.binance.api_url"),
        ("halted", "has halted ETH/USDT"),
        ("unknown", "has no market SOL/USDT"),
    ],
)
async def test_the_doctor_says_what_is_wrong_with_the_venue(
    tmp_path: Path, fake: FakeExchange, case: str, words: str
) -> None:
    late = datetime.now(UTC) - timedelta(seconds=95)
    match case:
        case "down":
            await fake.stop()
        case "html":
            fake.fail(INFO, exchange.HTML)
        case "skew":
            fake.fail(INFO, exchange.Fault(headers={"Date": f"{late:%a, %d %b %Y %H:%M:%S GMT}"}))
        case "timeless":
            fake.date = ""
        case "halted":
            fake.symbols["ETHUSDT"].status = "BREAK"
        case _:
            del fake.symbols["SOLUSDT"]
    line = await recorded_venue(settings(tmp_path, exchanges__binance__api_url=fake.url))
    assert line.verdict == "wrong"
    assert line.remedy
    assert re.search(words, f"{line.text} {line.remedy}")


def test_at_a_real_venue_nothing_is_decided_on_a_bar_older_than_its_own_length(tmp_path: Path) -> None:
    paper, demo = quality_limits(settings(tmp_path)), quality_limits(settings(tmp_path, "demo"))
    candles = hand_candles([(10.0, 11.0, 9.0, 10.0, 5.0)] * 60)
    at, later = candles.closed_at, candles.closed_at + timedelta(hours=1)
    for limits, now, usable in ((paper, at, True), (paper, later, False), (demo, later, True)):
        assert DataQualityMonitor(limits=limits).check(candles, now)[1].usable is usable
    assert quality_limits(settings(tmp_path, quality__max_age_candles="0.5")).max_age_candles == 0.5
