"""Filling a folder with history, through ccxt, from a venue on loopback."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.data.downloading import Downloader, Filled
from engine.data.files import check_file, read_candles, write_candles
from engine.data.history import HistoryFile, asked_of, extent, history_files
from engine.data.history_series import series_of
from engine.domain.errors import DataError
from engine.domain.market import Timeframe, to_millis
from engine.exchanges.ccxt.client import VenueClient
from engine.timing.clocks import WallClock
from tests.fakes import exchange
from tests.fakes.exchange import KLINES, FakeExchange, Fault, listening

H1, D1 = Timeframe.H1, Timeframe.D1
END = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        yield fake


@pytest.fixture
async def client(fake: FakeExchange) -> AsyncIterator[VenueClient]:
    made = VenueClient(
        exchange="binance", api_url=fake.url, answer_within=timedelta(seconds=20), clock=WallClock(), share=0.5
    )
    await made.open()
    await made.listings()
    fake.calls.clear()
    yield made
    await made.close()


def file_in(folder: Path, symbol: str = "BTC/USDT", timeframe: Timeframe = H1) -> HistoryFile:
    return HistoryFile(folder=folder, venue="binance", symbol=symbol, timeframe=timeframe)


async def fill(
    client: VenueClient,
    files: Sequence[HistoryFile],
    since: datetime | None,
    until: datetime = END,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Filled]:
    downloader = Downloader(source=client, is_stopped=is_stopped, on_done=lambda _: None, on_wait=lambda _: None)
    return await downloader.fill([series_of(file, since, until) for file in files])


def pages(fake: FakeExchange) -> int:
    return fake.asked()[KLINES]


async def test_a_series_is_whole_readable_by_backtests_and_private(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    file = file_in(tmp_path)
    (filled,) = await fill(client, [file], END - timedelta(hours=2500))
    assert (filled.new, filled.error, pages(fake)) == (2500, "", 3)
    held = read_candles(file.path)
    assert (len(held), held.closed_at) == (2500, END)
    assert check_file(file.path).findings == ()
    assert file.path == tmp_path / "binance" / "BTCUSDT-1h.parquet"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


async def test_only_what_is_not_held_is_asked_for_at_either_end(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    file = file_in(tmp_path)
    await fill(client, [file], END - timedelta(hours=100), END - timedelta(hours=50))
    first = read_candles(file.path)
    fake.calls.clear()
    await fill(client, [file], None)
    assert [int(query["startTime"]) for _, query in fake.calls] == [to_millis(END - timedelta(hours=50))]
    await fill(client, [file], END - timedelta(hours=1100))
    held = read_candles(file.path)
    assert (len(held), held.closed_at, pages(fake)) == (1100, END, 2)
    assert held.close[1000:1050].tolist() == first.close.tolist()
    await fill(client, [file], END - timedelta(hours=1100))
    assert pages(fake) == 2


async def test_a_market_that_began_later_is_not_searched_day_by_day_and_not_asked_again(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    fake.symbols["SOLUSDT"].born = to_millis(END - timedelta(hours=30))
    file = file_in(tmp_path, "SOL/USDT")
    await fill(client, [file], END - timedelta(days=2000))
    assert (extent(file.path, H1).rows, pages(fake)) == (30, 1)
    await fill(client, [file], END - timedelta(days=2000))
    assert pages(fake) == 1


async def test_a_market_that_is_gone_ends_in_one_more_question(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    old = to_millis(END - timedelta(hours=200))
    gone = Fault(change=lambda rows: [row for row in rows if row[0] < old])
    fake.fail(KLINES, gone, times=9)
    file = file_in(tmp_path)
    (filled,) = await fill(client, [file], END - timedelta(hours=300))
    assert (filled.new, filled.error, pages(fake)) == (100, "", 3)
    assert asked_of(file.path)[-1][1] == old


async def test_several_series_are_filled_and_one_that_fails_keeps_no_other(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    fake.symbols["ETHUSDT"].status = "BREAK"
    fake.fail(KLINES, exchange.DELISTED, symbol="ETHUSDT", times=50)
    wanted = [file_in(tmp_path, symbol, each) for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT") for each in (H1, D1)]
    found = await fill(client, wanted, END - timedelta(days=20))
    assert {(each.file.symbol, each.file.timeframe): each.new for each in found} == {
        ("BTC/USDT", H1): 480, ("BTC/USDT", D1): 20, ("ETH/USDT", H1): 0,
        ("ETH/USDT", D1): 0, ("SOL/USDT", H1): 480, ("SOL/USDT", D1): 20,
    }  # fmt: skip
    assert len(list(history_files(tmp_path))) == 4


async def test_who_stops_it_loses_nothing_and_goes_on_from_there(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    file, since = file_in(tmp_path), END - timedelta(hours=3000)
    await fill(client, [file], since, is_stopped=lambda: pages(fake) >= 2)
    assert len(read_candles(file.path)) == 2000
    assert not list(file.path.parent.glob(".*"))
    await fill(client, [file], since)
    assert (len(read_candles(file.path)), pages(fake)) == (3000, 3)


async def test_a_bad_page_is_asked_for_again_and_what_stays_bad_is_left_out(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    fake.fail(KLINES, exchange.NAN)
    (filled,) = await fill(client, [file_in(tmp_path)], END - timedelta(hours=100))
    assert (filled.new, filled.dropped, pages(fake)) == (100, 0, 2)
    fake.fail(KLINES, exchange.NAN, times=3)
    (filled,) = await fill(client, [file_in(tmp_path, "ETH/USDT")], END - timedelta(hours=1000))
    assert (filled.new, filled.dropped) == (999, 1)


async def test_pages_that_come_newest_first_or_twice_are_put_in_order(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    fake.fail(KLINES, Fault(change=lambda rows: [*rows[::-1], *rows[:3]]), times=2)
    await fill(client, [file_in(tmp_path)], END - timedelta(hours=1500))
    held = read_candles(file_in(tmp_path).path)
    assert (len(held), set(np.diff(held.open_ms))) == (1500, {H1.millis})


async def test_after_quiet_was_asked_for_nothing_is_asked_until_it_is_over(
    client: VenueClient, fake: FakeExchange, tmp_path: Path
) -> None:
    fake.fail(KLINES, exchange.too_fast(429, 1))
    said: list[str] = []
    downloader = Downloader(source=client, is_stopped=lambda: False, on_done=lambda _: None, on_wait=said.append)
    (filled,) = await downloader.fill([series_of(file_in(tmp_path), END - timedelta(hours=10), END)])
    assert (filled.new, pages(fake)) == (10, 2)
    assert "asked for quiet" in said[0]


async def test_a_file_of_somebody_elses_is_never_written_over(client: VenueClient, tmp_path: Path) -> None:
    file = file_in(tmp_path)
    await fill(client, [file], END - timedelta(hours=10))
    write_candles(file.path, read_candles(file.path))
    with pytest.raises(DataError, match="bot data download has not written it"):
        series_of(file, END - timedelta(hours=20), END)
