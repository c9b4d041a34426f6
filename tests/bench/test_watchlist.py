"""From observe to the ruling on a long watchlist: what a market and close cost, and how long a close takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.engine import build_engine
from bot.markets import source
from config.loader import load
from engine.clocks import MarketClock
from engine.cycle import run_cycles
from engine.data.files import write_candles
from engine.domain.market import Candles, Timeframe, to_millis
from engine.store.database import nowhere
from engine.store.location import url_of
from tests.fakes.database import new_file

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


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [20, 100])
async def test_a_day_of_closes_of_a_watchlist(tmp_path: Path, count: int, tell: Tell) -> None:
    markets = dict(write_market(tmp_path, number) for number in range(count))
    begin = END - timedelta(days=1)
    asked = {
        "database": {"url": url_of(new_file(tmp_path))},
        "replay": {"data": [str(path) for path in markets.values()], "start": begin.isoformat()},
        "contexts": [{**CONTEXT, "markets": list(markets)}],
        "ai": {"enabled": False},
        "sentiment": {"enabled": False},
        "derivatives": {"source": "none"},
    }
    settings = load("demo", None, asked, {}, tmp_path).settings
    engine = await build_engine(settings, source(settings), nowhere)
    assert isinstance(engine.clock, MarketClock)
    try:
        contexts = list(engine.market.contexts)
        seconds: list[float] = []
        used: list[float] = []
        decided = 0
        for close in range(97):
            at = begin + close * M15.duration
            engine.clock.move_to(at)
            before, cpu = time.perf_counter(), time.process_time()
            records = await run_cycles(engine.services, contexts, at)
            used.append(time.process_time() - cpu)
            seconds.append(time.perf_counter() - before)
            decided += sum(len(record.decisions) for record in records)
    finally:
        for venue in engine.venues.values():
            venue.close()
        await engine.store.close()
    assert decided >= 97 * count  # a market that is held has a decision about its exit too
    each = 1000 * sum(used[1:]) / (96 * count)
    tell(f"{count} markets x 4 timeframes: CPU a market and close", each, "ms", f"<= {CPU_AIM}")
    tell(f"{count} markets: the longest close of a day", 1000 * max(seconds[1:]), "ms", f"<= {1000 * CLOSE_AIM:.0f}")
    tell(f"{count} markets: the first close after the start", 1000 * seconds[0], "ms", "")
