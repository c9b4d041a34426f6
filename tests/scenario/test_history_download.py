"""``bot data download`` as it is typed, against a venue that counts what it is asked as Binance does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.data.downloading import WORKERS
from engine.data.files import check_file
from engine.data.history import extent, history_files
from tests.fakes.command_line import begin, bot
from tests.fakes.exchange import KLINES, WEIGHT_LIMIT, FakeExchange, Symbol, listening

WATCHLIST = 200
HOURS = 999
PAGES = 4
"""What 15m candles of so many hours are, at a thousand a page."""
FRAMES = "1h,4h,1d"


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        fake.weight_limit = WEIGHT_LIMIT
        yield fake


def told(fake: FakeExchange) -> dict[str, str]:
    return {"BOT_EXCHANGES__BINANCE__API_URL": fake.url}


async def run(fake: FakeExchange, folder: Path, *words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(lambda: bot(folder, *words, **told(fake)))
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
async def test_history_is_downloaded_listed_checked_and_read_by_a_backtest(fake: FakeExchange, tmp_path: Path) -> None:
    since = f"{datetime.now(UTC) - timedelta(days=60):%Y-%m-%d}"
    code, out, err = await run(fake, tmp_path, "data", "download", "eth/usdt", "--timeframes", FRAMES, "--since", since)
    assert code == 0, err
    assert "3 series from binance" in out
    code, out, _ = await run(fake, tmp_path, "data", "list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["binance", "ETH/USDT", "1d"], ["binance", "ETH/USDT", "1h"], ["binance", "ETH/USDT", "4h"],
    ]  # fmt: skip
    code, out, _ = await run(fake, tmp_path, "data", "check")
    assert (code, out.count(" candles, ")) == (0, 3), out
    file = "var/candles/binance/ETHUSDT-1h.parquet"
    code, out, err = await run(fake, tmp_path, "backtest", "--data", file, "--strategy", "sma_cross")
    assert code == 0, err
    assert "ETH/USDT" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["BTC/USTD"], "Did you mean BTC/USDT?"),
        (["*/EUR"], "binance trades no market like */EUR"),
        (["BTC/USDT", "--timeframes", "2h"], "'2h' is no timeframe"),
        (["BTC/USDT", "--venue", "binanse"], "Did you mean binance?"),
    ],
)
async def test_what_there_is_not_is_refused_with_what_there_is(
    fake: FakeExchange, tmp_path: Path, words: list[str], said: str
) -> None:
    code, _, err = await run(fake, tmp_path, "data", "download", *words)
    assert (code, said in err) == (2, True), err
    assert KLINES not in fake.asked()


class Quick(Symbol):
    """A market of which every candle is the same: it costs next to nothing to tell."""

    def kline(self, opens: int, span: int, now: int) -> list[Any]:  # noqa: ARG002 - it is always whole
        return [opens, "10.0", "11.0", "9.0", "10.5", "7.0", opens + span - 1, "70.0", 100, "0", "0", "0"]


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_hundred_markets_keep_within_half_of_the_limits_and_go_on_after_a_kill(tmp_path: Path) -> None:
    symbols = [Quick(base=f"C{number:03}", price=lambda _: 10.0) for number in range(WATCHLIST)]
    since = f"{datetime.now(UTC) - timedelta(hours=HOURS):%Y-%m-%dT%H:%M:%S}"
    words = ("data", "download", "*/USDT", "--timeframes", "15m,1h,4h,1d", "--since", since, "--share", "0.5")
    folder = tmp_path / "var/candles"
    async with listening(symbols) as fake:
        fake.weight_limit = WEIGHT_LIMIT
        first = begin(tmp_path, tmp_path / "out", tmp_path / "err", *words, **told(fake))
        while len(list(history_files(folder))) < WATCHLIST:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
        os.kill(first.pid or 0, signal.SIGKILL)
        await asyncio.to_thread(first.join)
        held = {file.path for file in history_files(folder)}
        before = fake.asked()[KLINES]
        second = begin(tmp_path, tmp_path / "out", tmp_path / "err", *words, **told(fake))
        await asyncio.to_thread(second.join)
        assert second.exitcode == 0, (tmp_path / "err").read_text()
    pages, files = fake.asked()[KLINES], list(history_files(folder))
    print(  # noqa: T201 - the figures
        f"{before} pages and {len(held)} series before the kill, {pages} pages in all; weight in a minute"
        f" {fake.heaviest(60)}, in ten seconds {fake.heaviest(10)}"
    )
    assert fake.refusals == 0
    assert fake.heaviest(10) <= WEIGHT_LIMIT / 6 / 2 * 1.2
    assert len(files) == 4 * WATCHLIST
    assert {(len(check_file(file.path).findings), extent(file.path, file.timeframe).missing) for file in files} == {
        (0, 0)
    }
    a_kill_costs = WORKERS * PAGES
    assert pages <= WATCHLIST * (PAGES + 3) + a_kill_costs + len(held)  # and the candles that have closed meanwhile
