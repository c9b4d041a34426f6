"""Conditions read well and do not hold where something is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.decisions import Condition, Frame, TechnicalSignals
from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from engine.strategies.sight import Sight
from tests.fakes.columns import columns
from tests.fakes.series import walk


def sight(*, patterns: Mapping[str, int] | None = None, **readings: float) -> Sight:
    """One row of readings."""
    candles, read = walk(1, 1, timeframe=Timeframe.H4), columns({"close": 100.0} | readings, patterns=patterns)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    signals = TechnicalSignals(symbol="BTC/USDT", timeframe=Timeframe.H4, at=at, close=100.0)
    return Sight(frames={Timeframe.H4: Frame(candles=candles, columns=read, signals=signals)}, timeframe=Timeframe.H4)


def above(name: str, what: str, value: float, limit: float) -> Condition:
    return look.above(name, what, np.array([value]), limit).at(0)


def below(name: str, what: str, value: float, limit: float) -> Condition:
    return look.below(name, what, np.array([value]), limit).at(0)


def between(name: str, what: str, value: float, low: float, high: float) -> Condition:
    return look.between(name, what, np.array([value]), low, high).at(0)


def near_support(support: float, atr: float = 2.0) -> Condition:
    return look.near_support(sight(support=support, atr=atr), 1.0).at(0)


def test_a_limit_is_told_with_the_reading() -> None:
    condition = below("RSI low", "RSI", 34.2, 35.0)
    assert condition.holds
    assert condition.detail == "RSI 34.20, wants below 35.00"
    assert not above("RSI high", "RSI", 34.2, 35.0).holds


@pytest.mark.parametrize(
    ("condition", "detail"),
    [
        (above("a", "volume ratio", 1.0004, 1.0), "volume ratio 1.0004, wants above 1.0000"),
        (below("a", "RSI", 34.996, 35.0), "RSI 34.996, wants below 35.000"),
        (above("a", "close", 0.05123, 0.0498), "close 0.05123, wants above 0.0498"),
        (above("a", "close", 0.05123, 0.05119), "close 0.05123, wants above 0.05119"),
        (between("a", "RSI", 49.998, 50, 70), "RSI 49.998, wants 50 to 70"),
        (above("a", "width", 1 + 1e-14, 1.0), "width just above 1.00, wants above 1.00"),
        (below("a", "width", 1 + 1e-14, 1.0), "width just above 1.00, wants below 1.00"),
        (above("a", "width", 1 - 1e-14, 1.0), "width just below 1.00, wants above 1.00"),
        (above("a", "width", 1.0, 1.0), "width 1.00, wants above 1.00"),
        (
            near_support(97.92),
            "support 97.92 is 1.04 ATR below, wants at most 1",
        ),
    ],
)
def test_rounding_never_hides_on_which_side_of_the_limit_a_reading_is(condition: Condition, detail: str) -> None:
    assert condition.detail == detail


@given(value=st.floats(1e-6, 1e6), limit=st.floats(1e-6, 1e6))
def test_readings_read_alike_only_where_hardly_anything_is_between_them(value: float, limit: float) -> None:
    reads, wanted = look.distinctly(value, limit)
    assert (reads != wanted) or value == pytest.approx(limit, rel=1e-9, abs=1e-12)


@given(st.floats(-1e12, 1e12))
def test_no_reading_has_an_exponent(value: float) -> None:
    assert "e" not in look.number(value).lower()
    assert "e" not in "".join(look.distinctly(value, value * 1.0000001, 0.0)).lower()


def test_the_close_of_a_tiny_market_is_told_in_plain_digits() -> None:
    tiny = sight(close=8.306e-07, ma_20=8.2e-07, ma_50=8.1e-07, atr=1e-9, support=8.301e-07)
    (trend,) = look.uptrends(tiny, [Timeframe.H4])
    assert trend.detail(0) == "close 0.0000008306 and MA20 0.00000082 > MA50 0.00000081: yes"
    near = look.near_support(tiny, 1.0)
    assert near.detail(0) == "support 0.0000008301 is 0.5 ATR below, wants at most 1"
    assert between("a", "x", 1.0, 1e-7, 2e-5).detail == "x 1.00, wants 0.0000001 to 0.00002"


def test_a_reading_on_the_limit_is_neither_above_nor_below() -> None:
    assert not above("a", "x", 1.0, 1.0).holds
    assert not below("a", "x", 1.0, 1.0).holds


def test_a_range_includes_its_ends() -> None:
    assert [between("RSI", "RSI", value, 50, 70).holds for value in (49.9, 50.0, 70.0, 70.1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "condition",
    [
        above("a", "RSI", np.nan, 1.0),
        below("a", "RSI", 1.0, np.nan),
        between("a", "RSI", np.nan, 50, 70),
    ],
)
def test_what_is_not_known_does_not_hold_and_says_so(condition: Condition) -> None:
    assert not condition.holds
    assert "RSI is not known yet" in condition.detail


@pytest.mark.parametrize(
    ("close", "ma_20", "up", "not_down"),
    [(110, 105, True, True), (110, 95, False, True), (90, 105, False, True), (90, 95, False, False)],
)
def test_a_trend_is_read_off_the_close_and_two_means(*, close: float, ma_20: float, up: bool, not_down: bool) -> None:
    seen = sight(close=float(close), ma_20=float(ma_20), ma_50=100.0)
    assert [c.at(0).holds for c in look.uptrends(seen, [Timeframe.H4])] == [up]
    assert [c.at(0).holds for c in look.no_downtrends(seen, [Timeframe.H4])] == [not_down]


def test_the_nearest_timeframe_counts_most() -> None:
    weights = [c.weight for c in look.uptrends(sight(), [Timeframe.H4, Timeframe.D1])]
    assert weights == [1.0, 0.5]


def test_a_bullish_candle_next_to_a_bearish_one_says_nothing() -> None:
    assert look.bullish_pattern(sight(patterns={"hammer": 1})).at(0).holds
    both = look.bullish_pattern(sight(patterns={"hammer": 1, "shooting star": -1})).at(0)
    assert (both.holds, both.detail) == (False, "bullish hammer, bearish shooting star")
    assert look.bullish_pattern(sight()).at(0).detail == "no pattern"


def test_a_support_counts_within_reach() -> None:
    near = near_support(99.0)
    assert near.holds
    assert near.detail == "support 99.00 is 0.5 ATR below, wants at most 1"
    assert not near_support(97.0).holds
    assert not near_support(np.nan).holds
    assert near_support(99.0, atr=0.0).detail == "no support known below the price"


def test_numbers_read_well_at_every_size() -> None:
    assert [look.number(value) for value in (29435.12, 1.5, 0.0000512, 0.0)] == [
        "29,435.12",
        "1.50",
        "0.0000512",
        "0.00",
    ]


@pytest.mark.parametrize(
    ("condition", "name", "holds", "detail"),
    [
        ({"column": "ADX_14", "above": 25}, "ADX_14 above 25", True, "ADX_14 30.00, wants above 25.00"),
        ({"column": "ADX_14", "above": 10, "below": 20}, "ADX_14 above 10 and below 20", False,
         "ADX_14 30.00, wants above 10.00; ADX_14 30.00, wants below 20.00"),
        ({"column": "close", "above": "ma_50"}, "close above ma_50", True, "close 100.00, wants above 90.00"),
        ({"column": "DMP_14", "above": "ADX_14"}, "DMP_14 above ADX_14", False, "DMP_14 is not known yet"),
        ({"column": "rsi", "below": 9, "timeframe": Timeframe.D1}, "rsi below 9 on 1d", False, "rsi is not known yet"),
    ],
)  # fmt: skip
def test_a_condition_of_ones_own_reads_any_column(condition, name, holds, detail) -> None:
    found = look.ColumnCondition(**condition).look(sight(ma_50=90.0, ADX_14=30.0)).at(0)
    assert (found.name, found.holds, found.detail) == (name, holds, detail)
