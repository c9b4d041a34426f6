from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Candles, Timeframe, from_millis, to_millis
from engine.simulation.path import Crossing, first_crossing, points_over_gap, price_at, sound, turning_points
from tests.fakes.feed import BTC, START, Row, hand_candles

ORIGIN = to_millis(START)
MINUTE = 60_000


def path(candles: Candles, after: int, until: int) -> list[tuple[int, float]]:
    """The turning points between two minutes."""
    points = turning_points(candles, ORIGIN + after * MINUTE, ORIGIN + until * MINUTE)
    return [((at - ORIGIN) // MINUTE, price) for at, price in points]


def test_a_candle_that_rises_goes_to_its_low_first() -> None:
    assert path(hand_candles([(10, 14, 8, 12, 1)]), -1, 60) == [(0, 10), (20, 8), (40, 14), (60, 12)]


def test_a_candle_that_falls_goes_to_its_high_first() -> None:
    assert path(hand_candles([(12, 14, 8, 10, 1)]), -1, 60) == [(0, 12), (20, 14), (40, 8), (60, 10)]


def test_a_candle_that_opens_where_the_last_one_closed_is_no_new_point() -> None:
    assert path(hand_candles([(10, 14, 8, 12, 1), (12, 13, 11, 12, 1)]), 41, 80) == [(60, 12), (80, 11)]


def test_a_candle_that_opens_elsewhere_is_a_jump() -> None:
    assert path(hand_candles([(10, 14, 8, 12, 1), (15, 16, 11, 12, 1)]), 41, 60) == [(60, 12), (60, 15)]


def test_missing_candles_are_a_jump_where_the_price_resumes() -> None:
    candles = hand_candles([(10, 14, 8, 12, 1), None, (15, 16, 11, 12, 1)])
    assert path(candles, 41, 119) == [(60, 12)]
    assert path(candles, 60, 120) == [(120, 12), (120, 15)]


def test_the_price_lies_on_straight_lines_between_the_points() -> None:
    candles = hand_candles([(10, 14, 8, 12, 1), (15, 16, 11, 12, 1)])
    minutes = {-1: None, 0: 10, 10: 9, 20: 8, 30: 11, 40: 14, 50: 13, 60: 15, 120: 12, 121: None}
    assert {m: price_at(candles, ORIGIN + m * MINUTE) for m in minutes} == minutes


def test_there_is_no_price_while_candles_are_missing() -> None:
    candles = hand_candles([(10, 14, 8, 12, 1), None, (15, 16, 11, 12, 1)])
    assert [price_at(candles, ORIGIN + m * MINUTE) for m in (60, 61, 119, 120)] == [12, None, None, 15]


@pytest.mark.parametrize("bad", [(10, np.nan, 8, 12, 1), (10, 14, -8, 12, 1), (10, 11, 8, 12, 1), (10, 14, 8, 7, 1)])
def test_a_candle_that_cannot_be_has_no_path(bad: Row) -> None:
    candles = hand_candles([(10, 14, 8, 12, 1), bad, (12, 13, 11, 12, 1)])
    assert (len(candles), len(sound(candles))) == (3, 2)


prices = st.integers(50, 150)
rows = st.lists(st.none() | st.lists(prices, min_size=4, max_size=4), min_size=1, max_size=12)


def made(drawn: list[list[int] | None]) -> Candles:
    kept = [(p[0], max(p), min(p), p[1], 1.0) if p else None for p in drawn]
    return hand_candles([(100, 100, 100, 100, 1), *kept])


@given(rows, st.integers(0, 700), st.integers(0, 700), st.integers(0, 700))
def test_a_path_in_two_parts_is_the_path_in_one(drawn: list[list[int] | None], a: int, b: int, c: int) -> None:
    candles = made(drawn)
    a, b, c = sorted((a, b, c))
    assert path(candles, a, b) + path(candles, b, c) == path(candles, a, c)


@given(rows, st.integers(0, 720))
def test_the_last_turning_point_at_a_moment_is_the_price_then(drawn: list[list[int] | None], minute: int) -> None:
    candles = made(drawn)
    at = [price for when, price in path(candles, minute - 1, minute) if when == minute]
    price = price_at(candles, ORIGIN + minute * MINUTE)
    assert not at or at[-1] == price


@given(rows)
def test_a_path_reaches_every_high_and_low_and_nothing_beyond(drawn: list[list[int] | None]) -> None:
    candles = made(drawn)
    reached = [price for _, price in path(candles, -1, 10_000)]
    assert {*candles.high, *candles.low} <= set(reached)
    assert (min(reached), max(reached)) == (candles.low.min(), candles.high.max())


def at(minute: float) -> object:
    return START + timedelta(minutes=minute)


def points(*known: tuple[int, int]) -> list:
    return [(from_millis(ORIGIN + minute * MINUTE), Decimal(price)) for minute, price in known]


def test_a_crossing_lies_where_the_line_meets_the_price() -> None:
    found = first_crossing(points((0, 100), (20, 80), (40, 120)), Decimal(95), Decimal(110))
    assert found == Crossing(at=at(5), price=Decimal(95), fell=True)
    found = first_crossing(points((0, 100), (20, 96), (40, 120)), Decimal(95), Decimal(108))
    assert found == Crossing(at=at(30), price=Decimal(108), fell=False)


def test_a_jump_crosses_at_the_price_it_lands_on() -> None:
    found = first_crossing(points((0, 100), (20, 100), (20, 80)), Decimal(95), Decimal(110))
    assert found == Crossing(at=at(20), price=Decimal(80), fell=True)


def test_a_price_that_is_touched_is_crossed() -> None:
    assert first_crossing(points((0, 100), (20, 95)), Decimal(95), Decimal(110)) is not None
    assert first_crossing(points((0, 110)), Decimal(95), Decimal(110)) is not None
    assert first_crossing(points((0, 100), (20, 96), (40, 109)), Decimal(95), Decimal(110)) is None
    assert first_crossing([], Decimal(95), Decimal(110)) is None


def test_numpy_prices_are_quoted_like_plain_ones() -> None:
    assert BTC.price(np.float64(100.006)) == BTC.price(100.006) == Decimal("100.01")


SECOND = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GAP: tuple[Row, ...] = ((100, 103, 97, 101, 1), (101, 102, 94, 99, 1), (99, 105, 98, 104, 1))
"""Three minutes; the path through each of them goes over its extremes."""


def over_gap(
    after: int, until: int, before: float | None = None, rows: tuple[Row | None, ...] = GAP
) -> list[tuple[float, float]]:
    """The points of a gap between two seconds, over minutes from the origin."""
    candles = hand_candles(rows, timeframe=Timeframe.M1)
    found = points_over_gap(candles, ORIGIN + after * SECOND, ORIGIN + until * SECOND, before)
    return [((at - ORIGIN) / SECOND, price) for at, price in found]


def test_over_a_gap_the_path_leads_through_every_extreme() -> None:
    assert over_gap(0, 180) == [
        (0, 100), (20, 97), (40, 103), (60, 101),
        (60, 101), (60, 101), (80, 102), (100, 94), (120, 99),
        (120, 99), (120, 99), (140, 98), (160, 105), (180, 104),
    ]  # fmt: skip


def test_what_was_seen_before_a_gap_and_missing_candles_are_jumps() -> None:
    assert over_gap(-60, 60, before=110)[:2] == [(0, 110), (0, 100)]
    missing = over_gap(0, 180, rows=(GAP[0], None, (90, 91, 89, 90, 1)))
    assert missing[3:6] == [(60, 101), (120, 101), (120, 90)]


def test_the_candle_in_which_a_gap_begins_counts_with_its_low_and_not_with_its_high() -> None:
    assert over_gap(30, 60, before=100) == [(45, 97), (60, 101)]
    assert over_gap(30, 60) == [(30.001, 100), (45, 97), (60, 101)]


def test_the_candle_in_which_a_gap_ends_counts_as_far_as_it_has_gone() -> None:
    assert over_gap(60, 150, before=101)[6:] == [(120, 99), (130, 98), (140, 105), (150, 104)]


def test_a_gap_within_one_candle_has_its_low() -> None:
    assert over_gap(70, 110, before=101) == [(90, 94), (110, 99)]


@given(rows, st.integers(0, 700), st.integers(1, 700))
def test_no_low_of_a_gap_is_left_out(drawn: list[list[int] | None], after: int, length: int) -> None:
    candles = made(drawn)
    begin, end = ORIGIN + after * MINUTE, ORIGIN + (after + length) * MINUTE
    points = list(points_over_gap(candles, begin, end, None))
    concerned = (candles.open_ms > begin - candles.timeframe.millis) & (candles.open_ms < end)
    assert min((price for _, price in points), default=None) == min(candles.low[concerned], default=None)
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    assert all(begin <= at <= end for at, _ in points)


def over_trades(*trades: tuple[float, float], before: float = 100.0) -> list[tuple[float, float]]:
    """The points of a path along trades, each at its second, within the first minute."""
    candles = hand_candles(((100, 110, 80, 90, 1),), timeframe=Timeframe.M1)
    told = [(ORIGIN + int(at * SECOND), price) for at, price in trades]
    found = points_over_gap(candles, ORIGIN + SECOND, ORIGIN + 60 * SECOND, before, told)
    return [((at - ORIGIN) / SECOND, price) for at, price in found]


def test_between_two_trades_a_fall_is_a_jump_and_a_rise_a_line() -> None:
    assert over_trades((2.75, 101), (3, 90), (4, 95)) == [(2.75, 101), (3, 101), (3, 90), (4, 95)]
    assert over_trades((2, 91)) == [(2, 100), (2, 91)]


def test_a_stop_that_the_price_jumped_over_fills_where_somebody_traded() -> None:
    points = [(EPOCH + timedelta(seconds=at), Decimal(str(price))) for at, price in over_trades((2.75, 101), (3, 90))]
    crossing = first_crossing(points, Decimal(99), Decimal(200))
    assert crossing is not None
    assert (crossing.price, crossing.at) == (Decimal("90.0"), EPOCH + timedelta(seconds=3))


@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(50, 150)), min_size=1), st.integers(60, 99))
def test_it_fills_at_the_first_trade_that_was_as_low_as_the_stop(trades: list[tuple[int, int]], stop: int) -> None:
    told = sorted((at / 1000 + 1, float(price)) for at, price in trades)
    points = [(EPOCH + timedelta(seconds=at), Decimal(str(price))) for at, price in over_trades(*told)]
    crossing = first_crossing(points, Decimal(stop), Decimal(10_000))
    low = next((price for _, price in told if price <= stop), None)
    assert (crossing.price if crossing else None) == (Decimal(str(low)) if low is not None else None)
