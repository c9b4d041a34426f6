from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.data.feeds import FileFeed, GeneratedFeed
from engine.data.files import write_candles
from engine.domain.errors import DataError, NoData
from engine.domain.market import Market, Timeframe
from engine.domain.orders import Ack, OrderRequest, OrderState, OrderStatus, OrderType, Side
from engine.exchanges.paper import PaperExchange
from engine.simulation.fills import FillModel
from engine.simulation.generator import CHUNK, GeneratedMarket, MarketGenerator
from tests.fakes.data import real_file
from tests.fakes.feed import BTC, START, HandClock, hand_candles, hand_feed

ROWS = [(10, 14, 8, 12, 1), (15, 16, 11, 12, 2), None, (12, 13, 12, 13, 3)]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def generated(seed: int = 1) -> GeneratedFeed:
    recipe = GeneratedMarket(market=BTC, start_price=60_000, volatility=0.7)
    return GeneratedFeed(MarketGenerator(markets=[recipe], timeframe=Timeframe.H1, seed=seed, start=START))


def test_at_the_end_of_a_candle_the_price_is_the_next_open_or_the_close() -> None:
    feed = hand_feed(ROWS)
    assert [feed.price("BTC/USDT", at(minute)) for minute in (0, 20, 60, 120, 240)] == [10, 8, 15, 12, 13]


def test_there_is_no_price_in_a_gap_or_outside_the_data() -> None:
    for minute in (-1, 121, 179, 241):
        with pytest.raises(NoData, match="no price"):
            hand_feed(ROWS).price("BTC/USDT", at(minute))


def test_prices_are_on_tick() -> None:
    feed = hand_feed([(10, 10.1, 10, 10.1, 1)])
    assert feed.price("BTC/USDT", at(21)) == Decimal("10.00")
    assert all(price % BTC.tick == 0 for _, price in feed.path("BTC/USDT", at(0), at(60)))


def test_a_market_it_does_not_have_is_no_data() -> None:
    for feed in (hand_feed(ROWS), generated()):
        with pytest.raises(NoData, match="DOGE/USDT"):
            feed.price("DOGE/USDT", START)
        with pytest.raises(NoData, match="DOGE/USDT"):
            feed.path("DOGE/USDT", START, at(60))
        with pytest.raises(NoData, match="none of 1m"):
            feed.candles("BTC/USDT", Timeframe.M1, START, 10)


def test_a_file_feed_reads_files_and_guesses_the_steps_of_markets(tmp_path: Path) -> None:
    bitcoin, ether = tmp_path / "BTCUSDT-1h.parquet", tmp_path / "ETHUSDT-4h.csv"
    write_candles(bitcoin, hand_candles([(20_000, 20_001, 19_999, 20_000, 1)] * 5))
    write_candles(ether, hand_candles([(1_500, 1_501, 1_499, 1_500, 1)] * 2, "ETH/USDT", Timeframe.H4, at(-240)))
    feed = FileFeed.load([bitcoin, ether], {"BTC/USDT": BTC})
    assert feed.markets == {"BTC/USDT": BTC, "ETH/USDT": Market.around("ETH/USDT", 1499, 1501)}
    assert (feed.timeframe, feed.span) == (Timeframe.H1, (at(-240), at(5 * 60)))
    assert len(feed.candles("ETH/USDT", Timeframe.H4, at(200), 10)) == 1


CRASH = [(close * 1.2, close * 1.3, close * 0.7, close, 1e6 / close) for close in (80, 8, 0.8, 0.08, 0.008, 2e-4, 3e-5)]


async def test_a_coin_that_falls_by_six_digits_has_prices_a_book_and_stops_that_fill_all_the_way(
    tmp_path: Path,
) -> None:
    file, symbol = tmp_path / "LUNAUSDT-1h.csv", "LUNA/USDT"
    write_candles(file, hand_candles([(80, 81, 79, 80, 1e6), *CRASH, (3e-5, 3e-5, 2e-5, 2e-5, 1e10)], symbol))
    feed, clock = FileFeed.load([file]), HandClock(60)
    venue = PaperExchange(
        file=tmp_path / "venue.db", feed=feed, clock=clock, model=FillModel(), balances={"USDT": Decimal(10_000)}
    )
    buy = OrderRequest(
        venue="paper", client_id="a", symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(10)
    )
    assert isinstance(await venue.submit(buy), Ack)
    stop = replace(
        buy,
        client_id="b",
        side=Side.SELL,
        type=OrderType.OCO,
        trigger_price=Decimal("0.000025"),
        limit_price=Decimal(200),
    )
    assert isinstance(await venue.submit(stop), Ack)
    for minutes in range(61, 9 * 60, 7):
        clock.to(minutes)
        assert feed.price(symbol, clock.now()) > 0
        book = await venue.book(symbol)
        assert 0 < book.bid < book.ask
        assert abs(float(book.mid / feed.price(symbol, clock.now())) - 1) < 0.001
    clock.to(9 * 60)
    assert feed.price(symbol, clock.now()) == Decimal("0.00002")
    sold = await venue.find(symbol, "b")
    assert isinstance(sold, OrderState)
    assert (sold.status, sold.filled) == (OrderStatus.FILLED, 10)
    assert all(0 < fill.price <= Decimal("0.000025") for fill in sold.fills)


def test_known_steps_that_cannot_tell_a_files_lowest_price_are_refused_with_its_row(tmp_path: Path) -> None:
    file = tmp_path / "BTCUSDT-1h.csv"
    write_candles(file, hand_candles([(2, 2, 1, 2, 1), (2, 2, 0.004, 2, 1)]))
    with pytest.raises(DataError, match=r"row 2 goes down to 0.004, which is less than the tick of 0.01. .*BTC/USDT"):
        FileFeed.load([file], {"BTC/USDT": BTC})
    assert FileFeed.load([file]).markets["BTC/USDT"].price(0.004) == Decimal("0.004")


def test_what_is_less_than_a_tick_is_no_price() -> None:
    with pytest.raises(NoData, match=r"no price in steps of 0.01"):
        hand_feed([(0.001, 0.001, 0.001, 0.001, 1)]).price("BTC/USDT", at(10))


def test_a_market_must_not_be_in_two_files(tmp_path: Path) -> None:
    files = [tmp_path / "BTCUSDT-1h.csv", tmp_path / "BTCUSDT-4h.csv"]
    for file, timeframe in zip(files, (Timeframe.H1, Timeframe.H4), strict=True):
        write_candles(file, hand_candles([(10, 12, 9, 11, 1)], timeframe=timeframe))
    with pytest.raises(DataError, match=r"BTCUSDT-1h.csv and .*BTCUSDT-4h.csv both hold BTC/USDT"):
        FileFeed.load(files)
    with pytest.raises(DataError, match="No candle file"):
        FileFeed.load([])


def test_a_generated_feed_goes_on_without_end_and_longer_candles_with_it() -> None:
    feed = generated()
    early = feed.candles("BTC/USDT", Timeframe.D1, at(60 * 48), 5)
    late = feed.candles("BTC/USDT", Timeframe.D1, START + 3 * CHUNK * timedelta(hours=1), 10_000)
    assert len(late) == 3 * CHUNK // 24
    assert late.close[:2].tolist() == early.close.tolist()


def test_a_generated_price_at_a_chunks_end_is_the_next_open() -> None:
    feed, end = generated(), START + CHUNK * timedelta(hours=1)
    following = feed.candles("BTC/USDT", Timeframe.H1, end + timedelta(hours=1), 1)
    assert feed.price("BTC/USDT", end) == Decimal(repr(float(following.open[0])))


def test_candles_of_now_are_a_view_on_what_is_known() -> None:
    feed = generated()
    first, second = (feed.candles("BTC/USDT", Timeframe.H4, at(60 * 100), 50) for _ in range(2))
    assert np.shares_memory(first.close, second.close)


def test_real_candles_are_read_and_resampled() -> None:
    hourly, daily = (FileFeed.load([real_file(f"candles/BTCUSDT-{length}.parquet")]) for length in ("1h", "1d"))
    now = datetime(2022, 6, 30, tzinfo=UTC)
    ours, theirs = (feed.candles("BTC/USDT", Timeframe.D1, now, 60) for feed in (hourly, daily))
    for name in ("open_ms", "open", "high", "low", "close"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist()
    assert np.allclose(ours.volume, theirs.volume)
