"""Times, steps of a market, candles, books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import DataError
from engine.domain.market import Book, Candles, Level, Market, Timeframe, from_millis, to_millis
from tests.fakes.feed import BTC, START, hand_candles

AWARE = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them bare
THREE = hand_candles([(100, 101, 99, 100, 10), (100, 103, 100, 102, 20), (102, 102, 98, 99, 30)])


@given(AWARE)
def test_milliseconds_are_exact_and_round_down(at: datetime):
    back = from_millis(to_millis(at))
    assert back == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert back.tzinfo is UTC


def test_a_moment_has_the_same_milliseconds_in_every_time_zone():
    elsewhere = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert to_millis(elsewhere) == to_millis(START) == 1_704_067_200_000


@given(AWARE, st.sampled_from(Timeframe))
def test_a_boundary_is_at_or_before_and_less_than_a_candle_away(at: datetime, timeframe: Timeframe):
    floor = timeframe.floor(at)
    assert floor <= at < floor + timeframe.duration
    assert timeframe.floor(floor) == floor


def test_days_begin_at_midnight_and_weeks_on_monday():
    friday = datetime(2024, 3, 1, 13, 37, tzinfo=UTC)
    assert Timeframe.D1.floor(friday) == datetime(2024, 3, 1, tzinfo=UTC)
    assert Timeframe.W1.floor(friday) == datetime(2024, 2, 26, tzinfo=UTC)
    assert Timeframe.H4.floor(friday) == datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_timeframes_say_how_long_they_last():
    assert [timeframe.millis // 60_000 for timeframe in Timeframe] == [1, 5, 15, 30, 60, 240, 1440, 10080]


@given(st.decimals("0", "1000", places=8))
def test_whole_lots_never_make_more_than_was_asked_for(quantity: Decimal):
    lots = BTC.lots(quantity)
    assert BTC.quantity(lots) <= quantity < BTC.quantity(lots + 1)
    assert BTC.lots(BTC.quantity(lots)) == lots


@pytest.mark.parametrize(
    ("tick", "value", "told"),
    [
        ("0.01", 54948.9, "54948.90"),
        ("0.01", 54000.0, "54000.00"),
        ("0.001", 132.67, "132.670"),
        ("10", 5400.0, "5400"),
    ],
)
def test_a_price_has_every_decimal_of_the_tick(tick: str, value: float, told: str):
    assert str(Market(symbol="BTC/USDT", tick=Decimal(tick)).price(value)) == told


@given(st.decimals("0.01", "1000000", places=6))
def test_a_price_is_on_the_tick_and_the_nearest_there_is(value: Decimal):
    price = BTC.price(value)
    assert price % BTC.tick == 0
    assert abs(price - value) <= BTC.tick / 2


def test_prices_are_made_of_floats_as_they_are_written():
    assert BTC.price(0.1 + 0.2) == Decimal("0.30")
    assert BTC.price(np.float64(100.015)) == Decimal("100.02")
    assert BTC.price(100.025) == Decimal("100.02")  # half goes to the even tick


@pytest.mark.parametrize("value", [0.004, 1e-9, 0.0, -1.0, float("nan"), float("inf"), Decimal("0.001")])
def test_a_price_is_never_nothing(value: float | Decimal):
    with pytest.raises(DataError, match=r"BTC/USDT: .* is no price in steps of 0.01"):
        BTC.price(value)


@given(st.floats(1e-12, 1e8), st.floats(1, 1e8))
def test_a_market_of_which_only_the_prices_are_known_gets_steps_that_hold_over_all_of_them(lowest: float, rise: float):
    highest = min(lowest * rise, 1e8)
    market = Market.around("X/USDT", lowest, highest)
    for price in (lowest, highest):
        assert abs(float(market.price(price)) / price - 1) < 1e-5
    assert market.tick <= Decimal("0.01")
    assert market.lot * Decimal(str(highest)) <= 1
    assert market.lots(Decimal(10) ** 12) * market.lot == Decimal(10) ** 12


@given(st.lists(st.floats(1e-9, 1e8), min_size=4, max_size=4).map(sorted))
def test_what_was_bought_and_protected_by_the_steps_of_a_part_is_whole_by_those_of_the_whole(prices: list[float]):
    lowest, low, high, highest = prices
    part, whole = Market.around("X/USDT", low, high), Market.around("X/USDT", lowest, highest)
    assert part.lot % whole.lot == 0
    assert part.tick % whole.tick == 0


@pytest.mark.parametrize(
    ("lowest", "highest", "lot", "tick"),
    [
        (60_000, 60_000, "0.00001", "0.1"),
        (100, 100, "0.001", "0.001"),
        (0.00002, 80, "0.01", "1E-10"),
        (8e-7, 9e-7, "1", "1E-12"),
        (1e-15, 1e-15, "1", "1E-20"),
    ],
)
def test_steps_suit_the_lowest_and_the_highest_price(lowest: float, highest: float, lot: str, tick: str):
    market = Market.around("X/USDT", lowest, highest)
    assert market.lot == Decimal(lot)
    assert market.tick == min(Decimal(tick), Decimal("0.01"))


@pytest.mark.parametrize(
    ("symbol", "lowest", "highest", "lot", "least"),
    [
        ("BTC/USDT", 60_000, 60_000, "0.00001", "10"),
        ("ETH/BTC", 0.03, 0.08, "0.0001", "0.0001"),
        ("XRP/ETH", 0.0002, 0.0004, "0.1", "0.001"),
        ("BTC/JPY", 9_000_000, 9_500_000, "0.00001", "1000"),
    ],
)
def test_the_steps_and_the_least_order_of_a_file_suit_what_it_is_priced_in(symbol, lowest, highest, lot, least):
    """Seen: a lot of ETH/BTC was a whole ether, and the least order ten bitcoin."""
    market = Market.around(symbol, lowest, highest)
    assert (market.lot, market.min_notional) == (Decimal(lot), Decimal(least))
    assert Market(symbol=symbol, min_notional=Decimal(0)).min_notional == 0


def test_a_symbol_names_both_currencies():
    assert (BTC.base, BTC.quote) == ("BTC", "USDT")


def test_only_closed_candles_count_and_one_that_closes_now_does():
    assert len(THREE.closed(START + timedelta(minutes=119))) == 1
    assert len(THREE.closed(START + timedelta(minutes=120))) == 2
    assert len(THREE.closed(START)) == 0
    assert THREE.closed_at == START + timedelta(hours=3)


def test_no_candles_close_never():
    with pytest.raises(DataError, match="BTC/USDT 1h: there are no candles"):
        _ = THREE.slice(0, 0).closed_at


def test_the_newest_candles_are_the_last_ones():
    assert THREE.tail(2).close.tolist() == [102, 99]
    assert len(THREE.tail(9)) == 3
    assert len(THREE.tail(0)) == 0


def test_candles_are_joined_to_the_series_that_they_were_cut_from():
    whole = THREE.slice(0, 1).joined(THREE.slice(1, 3))
    for name in ("open_ms", "open", "high", "low", "close", "volume"):
        assert getattr(whole, name).tolist() == getattr(THREE, name).tolist()
    assert (whole.symbol, whole.timeframe, whole.within) == (THREE.symbol, THREE.timeframe, None)
    assert not whole.close.flags.writeable


def test_candles_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        THREE.close[0] = 1


def test_columns_of_different_lengths_are_no_candles():
    columns = {name: np.ones(2) for name in ("open", "high", "low", "close")}
    with pytest.raises(DataError, match="different lengths"):
        Candles(symbol="X/Y", timeframe=Timeframe.H1, open_ms=np.ones(2, dtype=np.int64), volume=np.ones(3), **columns)


def test_a_frame_is_indexed_by_opening_times():
    frame = THREE.frame()
    assert frame.index[1].to_pydatetime() == START + timedelta(hours=1)
    assert frame.loc[frame.index[1]].tolist() == [100, 103, 100, 102, 20]


def test_a_book_knows_its_best_prices():
    book = Book(
        symbol="BTC/USDT",
        at=START,
        bids=(Level(price=Decimal(99), quantity=Decimal(1)), Level(price=Decimal(98), quantity=Decimal(2))),
        asks=(Level(price=Decimal(102), quantity=Decimal(1)),),
    )
    assert (book.bid, book.ask, book.mid) == (Decimal(99), Decimal(102), Decimal("100.5"))
