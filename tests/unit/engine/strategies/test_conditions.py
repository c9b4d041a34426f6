"""Conditions read well and do not hold where something is missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.decisions import Frame, Pattern, TechnicalSignals
from engine.domain.market import Timeframe
from engine.strategies import conditions as look
from tests.fakes.series import walk


def signals(**readings: object) -> TechnicalSignals:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    return TechnicalSignals(**{"symbol": "BTC/USDT", "timeframe": Timeframe.H4, "at": at, "close": 100.0} | readings)


def frame(**readings: object) -> dict[Timeframe, Frame]:
    return {Timeframe.H4: Frame(candles=walk(1, 1, timeframe=Timeframe.H4), signals=signals(**readings))}


def test_a_limit_is_told_with_the_reading() -> None:
    condition = look.below("RSI low", "RSI", 34.2, 35.0)
    assert condition.holds
    assert condition.detail == "RSI 34.20, wants below 35.00"
    assert not look.above("RSI high", "RSI", 34.2, 35.0).holds


@pytest.mark.parametrize(
    ("condition", "detail"),
    [
        (look.above("a", "volume ratio", 1.0004, 1.0), "volume ratio 1.0004, wants above 1.0000"),
        (look.below("a", "RSI", 34.996, 35.0), "RSI 34.996, wants below 35.000"),
        (look.above("a", "close", 0.05123, 0.0498), "close 0.05123, wants above 0.0498"),
        (look.above("a", "close", 0.05123, 0.05119), "close 0.05123, wants above 0.05119"),
        (look.between("a", "RSI", 49.998, 50, 70), "RSI 49.998, wants 50 to 70"),
        (look.above("a", "width", 1 + 1e-14, 1.0), "width just above 1.00, wants above 1.00"),
        (look.below("a", "width", 1 + 1e-14, 1.0), "width just above 1.00, wants below 1.00"),
        (look.above("a", "width", 1 - 1e-14, 1.0), "width just below 1.00, wants above 1.00"),
        (look.above("a", "width", 1.0, 1.0), "width 1.00, wants above 1.00"),
        (
            look.near_support(signals(supports=(97.92,), atr=2.0), 1.0),
            "support 97.92 is 1.04 ATR below, wants at most 1",
        ),
    ],
)
def test_rounding_never_hides_on_which_side_of_the_limit_a_reading_is(condition: look.Condition, detail: str) -> None:
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
    tiny = frame(close=8.306e-07, ma_20=8.2e-07, ma_50=8.1e-07, atr=1e-9, supports=(8.301e-07,))
    (trend,) = look.uptrends(tiny, [Timeframe.H4])
    assert trend.detail == "close 0.0000008306 and MA20 0.00000082 > MA50 0.00000081: yes"
    near = look.near_support(tiny[Timeframe.H4].signals, 1.0)
    assert near.detail == "support 0.0000008301 is 0.5 ATR below, wants at most 1"
    assert look.between("a", "x", 1.0, 1e-7, 2e-5).detail == "x 1.00, wants 0.0000001 to 0.00002"


def test_a_reading_on_the_limit_is_neither_above_nor_below() -> None:
    assert not look.above("a", "x", 1.0, 1.0).holds
    assert not look.below("a", "x", 1.0, 1.0).holds


def test_a_range_includes_its_ends() -> None:
    assert [look.between("RSI", "RSI", value, 50, 70).holds for value in (49.9, 50.0, 70.0, 70.1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "condition",
    [
        look.above("a", "RSI", None, 1.0),
        look.below("a", "RSI", 1.0, None),
        look.between("a", "RSI", None, 50, 70),
    ],
)
def test_what_is_not_known_does_not_hold_and_says_so(condition: look.Condition) -> None:
    assert not condition.holds
    assert "RSI is not known yet" in condition.detail


@pytest.mark.parametrize(
    ("close", "ma_20", "up", "not_down"),
    [(110, 105, True, True), (110, 95, False, True), (90, 105, False, True), (90, 95, False, False)],
)
def test_a_trend_is_read_off_the_close_and_two_means(*, close: float, ma_20: float, up: bool, not_down: bool) -> None:
    frames = frame(close=float(close), ma_20=float(ma_20), ma_50=100.0)
    assert [c.holds for c in look.uptrends(frames, [Timeframe.H4])] == [up]
    assert [c.holds for c in look.no_downtrends(frames, [Timeframe.H4])] == [not_down]


def test_the_nearest_timeframe_counts_most() -> None:
    weights = [c.weight for c in look.uptrends({}, [Timeframe.H4, Timeframe.D1])]
    assert weights == [1.0, 0.5]


def test_a_bullish_candle_next_to_a_bearish_one_says_nothing() -> None:
    hammer, star = Pattern(name="hammer", bullish=True), Pattern(name="shooting star", bullish=False)
    assert look.bullish_pattern(signals(patterns=(hammer,))).holds
    assert not look.bullish_pattern(signals(patterns=(hammer, star))).holds
    assert look.bullish_pattern(signals()).detail == "no pattern"


def test_a_support_counts_within_reach() -> None:
    near = look.near_support(signals(supports=(99.0,), atr=2.0), 1.0)
    assert near.holds
    assert near.detail == "support 99.00 is 0.5 ATR below, wants at most 1"
    assert not look.near_support(signals(supports=(97.0,), atr=2.0), 1.0).holds
    assert not look.near_support(signals(atr=2.0), 1.0).holds


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
    frames = frame(ma_50=90.0, extra={"ADX_14": 30.0})
    found = look.ColumnCondition(**condition).look(frames, Timeframe.H4)
    assert (found.name, found.holds, found.detail) == (name, holds, detail)
