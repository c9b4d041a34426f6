"""From observe to the ruling on a long watchlist: what a market and close cost, and how long a close takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bot.engine import build_engine
from bot.markets import source
from config.loader import load
from engine.data.files import write_candles
from engine.domain.market import Book, Candles, Market, Timeframe, to_millis
from engine.flow.cycle import run_cycles
from engine.flow.services import CycleServices
from engine.ports import MarketData
from engine.store.database import nowhere
from engine.store.location import url_of
from engine.timing.clocks import MarketClock
from tests.fakes.database import new_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
M15 = Timeframe.M15
END = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 520
"""So many that there are 500 candles of the longest timeframe, and the day that is traded."""
CONTEXT = {"name": "trend", "strategy": "momentum", "timeframe": "15m", "higher": ["1h", "4h", "1d"]}
CPU_AIM, CLOSE_AIM = 0.5, 1.0
"""Milliseconds of CPU a market and close, averaged over a day; seconds for one close of all."""
Tell = Callable[[str, float, str, str], None]


def write_market(folder: Path, number: int) -> tuple[str, Path]:
    """A market's quarters of an hour, from a seed."""
    chance, count = np.random.default_rng(number), DAYS * 96
    closes = 100 * np.exp(chance.normal(0, 0.002, count + 1).cumsum())
    candles = Candles(
        symbol=f"C{number:03}/USDT",
        timeframe=M15,
        open_ms=to_millis(END) - DAYS * Timeframe.D1.millis + np.arange(count, dtype=np.int64) * M15.millis,
        open=closes[:-1],
        high=np.maximum(closes[:-1], closes[1:]) * 1.001,
        low=np.minimum(closes[:-1], closes[1:]) * 0.999,
        close=closes[1:],
        volume=chance.uniform(10_000, 20_000, count),
    )
    path = folder / f"C{number:03}USDT-15m.parquet"
    write_candles(path, candles)
    return candles.symbol, path


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of closes: what each took on the wall's clock, and of the processor, in seconds; and what was decided."""

    seconds: list[float]
    used: list[float]
    decided: int


@dataclass(frozen=True, kw_only=True)
class AsLive:
    """A replay's markets; candles come as a venue's do: by themselves, not as a part of a series that is known."""

    replayed: MarketData

    def market(self, symbol: str) -> Market:
        return self.replayed.market(symbol)

    async def book(self, symbol: str) -> Book:
        return await self.replayed.book(symbol)

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        return replace(await self.replayed.candles(symbol, timeframe, limit, until))


def as_live(services: CycleServices) -> CycleServices:
    market_data = {venue: AsLive(replayed=each) for venue, each in services.market_data.items()}
    return replace(services, candles=replace(services.candles, market_data=market_data))


async def a_day(folder: Path, count: int, *, live: bool) -> Day:
    markets = dict(write_market(folder, number) for number in range(count))
    begin = END - timedelta(days=1)
    asked = {
        "database": {"url": url_of(new_file(folder))},
        "replay": {"data": [str(path) for path in markets.values()], "start": begin.isoformat()},
        "contexts": [{**CONTEXT, "markets": list(markets)}],
        "ai": {"enabled": False},
        "sentiment": {"enabled": False},
        "derivatives": {"source": "none"},
    }
    settings = load("demo", None, asked, {}, folder).settings
    engine = await build_engine(settings, source(settings), nowhere)
    assert isinstance(engine.clock, MarketClock)
    services = as_live(engine.services) if live else engine.services
    seconds, used, decided = list[float](), list[float](), 0
    try:
        for close in range(97):
            at = begin + close * M15.duration
            engine.clock.move_to(at)
            before, cpu = time.perf_counter(), time.process_time()
            records = await run_cycles(services, list(engine.market.contexts), at)
            used.append(time.process_time() - cpu)
            seconds.append(time.perf_counter() - before)
            decided += sum(len(record.decisions) for record in records)
    finally:
        for venue in engine.venues.values():
            venue.close()
        await engine.store.close()
    return Day(seconds=seconds, used=used, decided=decided)


@pytest.mark.parametrize(("count", "live"), [(20, False), (100, False), (20, True), (100, True)])
def test_a_day_of_closes_of_a_watchlist(
    benchmark: BenchmarkFixture,
    tmp_path: Path,
    count: int,
    live: bool,  # noqa: FBT001 - a table
    tell: Tell,
) -> None:
    """In a replay all candles of a market are read at its first close; live what has closed is read at each."""
    day = benchmark.pedantic(lambda: asyncio.run(a_day(tmp_path, count, live=live)), rounds=1)
    assert day.decided >= 97 * count  # a market that is held has a decision about its exit too
    each = 1000 * sum(day.used[1:]) / (96 * count)
    markets = f"{count} markets {'live' if live else 'replayed'}"
    tell(f"{markets} x 4 timeframes: CPU a market and close", each, "ms", f"<= {CPU_AIM}")
    tell(f"{markets}: the longest close of a day", 1000 * max(day.seconds[1:]), "ms", f"<= {1000 * CLOSE_AIM:.0f}")
    tell(f"{markets}: the first close after the start", 1000 * day.seconds[0], "ms", "")
