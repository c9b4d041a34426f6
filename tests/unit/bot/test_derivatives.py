"""Who is asked what futures tell, as the settings have it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.derivatives import derivatives_of
from bot.doctor import CHECKS, Case, Line, Verdict, examine
from bot.markets import source
from config.loader import load
from config.settings import Settings
from engine.data.derivatives.binance import BinanceDerivatives
from engine.data.derivatives.generated import GeneratedDerivatives
from engine.data.derivatives.nobody import NoDerivatives
from engine.data.files import write_candles
from engine.domain.errors import ConfigError
from engine.timing.clocks import MarketClock, WallClock
from tests.fakes.exchange import PREMIUM, listening
from tests.fakes.feed import hand_feed
from tests.fakes.series import walk

FEED = hand_feed(((100, 101, 99, 100, 10),) * 2)


def read(folder: Path, yaml: str, profile: str) -> Settings:
    file = folder / "my.yaml"
    file.write_text(f"extends: {profile}\n{yaml}")
    return load(None, file, {}, {}, folder).settings


async def test_the_demo_makes_them_up_as_its_prices_are(tmp_path: Path):
    settings = read(tmp_path, "market: {seed: 3}", "demo")
    market = source(settings)
    readers = [derivatives_of(settings, market.feed, MarketClock(market.start)) for _ in range(2)]
    assert isinstance(readers[0], GeneratedDerivatives)
    first, again = [await each.funding("SOL/USDT") for each in readers]
    assert first == again
    assert first.at == market.start
    assert (await readers[0].funding("BTC/USDT")).rate != first.rate


def test_beside_candle_files_nothing_is_made_up(tmp_path: Path):
    file = tmp_path / "BTCUSDT-1h.parquet"
    write_candles(file, walk(1, 400))
    settings = read(tmp_path, f"replay: {{data: [{file}]}}", "demo")
    assert derivatives_of(settings, FEED, WallClock()) == NoDerivatives()


@pytest.mark.parametrize("profile", ["paper", "prod", "base"])
def test_nobody_is_asked_where_nobody_wants_it(tmp_path: Path, profile: str):
    assert derivatives_of(read(tmp_path, "", profile), FEED, WallClock()) == NoDerivatives()


async def test_a_venue_is_asked_where_the_settings_say(tmp_path: Path):
    async with listening() as venue:
        yaml = f"derivatives: {{source: binance, api_url: '{venue.url}/', answer_within: 3}}"
        reader = derivatives_of(read(tmp_path, yaml, "paper"), FEED, WallClock())
        assert isinstance(reader, BinanceDerivatives)
        await reader.funding("ETH/USDT")
        await reader.close()
        assert venue.calls == [(PREMIUM, {"symbol": "ETHUSDT"})]


async def futures_line(asked: Settings) -> Line | None:
    """What the doctor says of the futures; it has an event loop of its own."""
    case = Case(settings=asked, wall=lambda: datetime.now(UTC))
    check = [each for each in CHECKS if each.name == "futures"]
    return next(iter(await asyncio.to_thread(lambda: list(examine(case, check)))), None)


async def test_the_doctor_asks_for_the_futures_of_each_market(tmp_path: Path):
    markets = "contexts: [{name: a, strategy: momentum, markets: [ETH/USDT, SHIB/USDT]}]"
    async with listening() as venue:
        asked = read(tmp_path, f"derivatives: {{source: binance, api_url: '{venue.url}'}}\n{markets}", "paper")
        found = await futures_line(asked)
        assert found == Line(
            name="futures", verdict=Verdict.OK, text="futures of ETH/USDT; SHIB/USDT has none, /why says so"
        )
        await venue.stop()
        away = await futures_line(asked)
        assert away is not None
        assert (away.verdict, away.text) == (Verdict.WRONG, "binance futures cannot be reached (ConnectError).")
        assert "derivatives.api_url" in away.remedy
    assert await futures_line(read(tmp_path, "", "paper")) is None, "nobody is to be asked"


def test_beside_the_prices_of_a_venue_nothing_is_made_up(tmp_path: Path):
    settings = read(tmp_path, "derivatives: {source: generated}", "paper")
    assert derivatives_of(settings, FEED, WallClock()) == NoDerivatives()


def test_a_venue_that_tells_of_now_is_refused_beside_a_replay(tmp_path: Path):
    words = "my.yaml, line 2 and profile demo, line 20: derivatives.source: must not be a venue while"
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, "derivatives: {source: binance}", "demo")
