"""The data-quality gate: what it lets through, mends and refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.quality import DataQualityMonitor, QualityLimits, check
from engine.domain.decisions import QualityReport
from engine.domain.market import Candles, Timeframe, from_millis
from tests.fakes.series import around, candles, real, walk

LIMITS = QualityLimits()
COUNT = 120
PRICES = ("open", "high", "low", "close")
SEEDS = st.integers(0, 2**32 - 1)
ROWS = st.integers(COUNT - LIMITS.window + 1, COUNT - 1)


def taken(series: Candles, rows: np.ndarray) -> Candles:
    """The rows in the order given."""
    columns = {name: getattr(series, name)[rows] for name in ("open_ms", *PRICES, "volume")}
    return replace(series, **columns)


def with_value(series: Candles, column: str, row: int, value: float) -> Candles:
    """The candles with one value changed."""
    changed = getattr(series, column).copy()
    changed[row] = value
    return replace(series, **{column: changed})


def refused(series: Candles, *, age: timedelta = timedelta(0), limits: QualityLimits = LIMITS) -> set[str]:
    """The kinds of what is refused when looked at so long after the newest close."""
    now = from_millis(int(series.open_ms.max())) + series.timeframe.duration + age
    return {issue.kind for issue in check(series, now, limits)[1].refused}


def caught(series: Candles, row: int) -> set[str]:
    """What is found wrong with one candle: refused where it is the newest, left out where it is not."""
    mended, report = check(series, series.closed_at, LIMITS)
    if row == len(series) - 1:
        return {issue.kind for issue in report.refused}
    assert report.usable
    assert series.open_ms[row] not in mended.open_ms
    assert len(mended) == len(series) - 1
    return {issue.kind for issue in report.repaired} - {"gap"}


def same(left: Candles, right: Candles) -> bool:
    columns = ("open_ms", *PRICES, "volume")
    return all(np.array_equal(getattr(left, c), getattr(right, c), equal_nan=True) for c in columns)


@given(SEEDS, st.floats(0.0001, 0.02), st.sampled_from(list(Timeframe)))
def test_a_valid_series_passes_untouched(seed: int, sigma: float, timeframe: Timeframe) -> None:
    series = walk(seed, COUNT, sigma=sigma, timeframe=timeframe)
    mended, report = check(series, series.closed_at, LIMITS)
    assert report.usable
    assert report.repaired == ()
    assert same(mended, series)


@given(SEEDS, st.integers(0, COUNT - 1))
def test_order_and_exact_duplicates_are_mended_and_told(seed: int, repeated: int) -> None:
    series = walk(seed, COUNT)
    messy = taken(series, np.append(np.arange(COUNT), repeated)[::-1])
    mended, report = check(messy, series.closed_at, LIMITS)
    assert report.usable
    assert {issue.kind for issue in report.repaired} == {"order", "duplicate"}
    assert same(mended, series)


@given(seed=SEEDS, newest_first=st.booleans())
def test_the_open_candle_is_left_out_whichever_end_it_comes_at(*, seed: int, newest_first: bool) -> None:
    series = walk(seed, COUNT)
    before_last = series.slice(0, COUNT - 1)
    given_ = taken(series, np.arange(COUNT)[::-1]) if newest_first else series
    mended, report = check(given_, before_last.closed_at + timedelta(minutes=5), LIMITS)
    assert report.usable
    assert "unclosed" in {issue.kind for issue in report.repaired}
    assert same(mended, before_last)


@given(
    SEEDS, st.sampled_from((*PRICES, "volume")), st.integers(0, COUNT - 1), st.sampled_from([np.nan, np.inf, -np.inf])
)
def test_what_is_no_number_is_caught(seed: int, column: str, row: int, value: float) -> None:
    assert "not a number" in caught(with_value(walk(seed, COUNT), column, row, value), row)


@given(SEEDS, st.sampled_from(PRICES), st.integers(0, COUNT - 1), st.sampled_from([0.0, -1.0]))
def test_a_price_that_is_not_positive_is_caught(seed: int, column: str, row: int, value: float) -> None:
    assert "not positive" in caught(with_value(walk(seed, COUNT), column, row, value), row)


@given(SEEDS, st.integers(0, COUNT - 1))
def test_a_negative_volume_is_caught_and_none_is_not(seed: int, row: int) -> None:
    assert "not positive" in caught(with_value(walk(seed, COUNT), "volume", row, -1.0), row)
    assert refused(with_value(walk(seed, COUNT), "volume", row, 0.0)) == set()


@given(SEEDS, st.integers(0, COUNT - 1), st.sampled_from(["open", "close"]), st.sampled_from([0.9, 1.1]))
def test_a_price_outside_its_own_range_is_caught(seed: int, row: int, column: str, factor: float) -> None:
    series = walk(seed, COUNT)
    limit = (series.low if factor < 1 else series.high)[row]
    assert "range" in caught(with_value(series, column, row, limit * factor), row)


@given(SEEDS, st.integers(0, COUNT - 1))
def test_a_high_below_the_low_is_caught(seed: int, row: int) -> None:
    series = walk(seed, COUNT)
    assert "range" in caught(with_value(series, "high", row, series.low[row] * 0.99), row)


def test_a_price_outside_its_range_by_rounding_is_no_fault() -> None:
    series = walk(1, COUNT)
    assert refused(with_value(series, "close", 60, series.high[60] * (1 + 1e-12))) == set()


@given(SEEDS, st.integers(0, COUNT - 1), st.sampled_from((*PRICES, "volume")))
def test_two_different_candles_of_one_time_are_refused(seed: int, row: int, column: str) -> None:
    series = walk(seed, COUNT)
    doubled = taken(series, np.sort(np.append(np.arange(COUNT), row)))
    contradicting = with_value(doubled, column, row, getattr(doubled, column)[row] * 1.0001)
    _, report = check(contradicting, contradicting.closed_at, LIMITS)
    found = {issue.kind for issue in (*report.refused, *report.repaired)}
    assert {"conflict", "range"} & found, "one of the two may be impossible by itself"


@given(SEEDS, st.integers(1, 20), st.integers(COUNT - LIMITS.window, COUNT - 22))
def test_too_many_missing_candles_are_refused_and_few_are_not(seed: int, missing: int, first: int) -> None:
    series = walk(seed, COUNT, sigma=0.001)
    with_gap = taken(series, np.delete(np.arange(COUNT), slice(first + 1, first + 1 + missing)))
    assert refused(with_gap) == ({"gap"} if missing > LIMITS.max_missing else set())


def test_a_gap_before_the_window_is_no_fault() -> None:
    series = walk(1, COUNT)
    assert refused(taken(series, np.delete(np.arange(COUNT), slice(5, 25)))) == set()


def test_candles_off_the_grid_are_refused() -> None:
    series = walk(1, COUNT)
    shifted = series.open_ms.copy()
    shifted[60:] += 60_000
    assert "grid" in refused(replace(series, open_ms=shifted))


@pytest.mark.parametrize(("hours", "kinds"), [(0, set()), (2, set()), (2.01, {"stale"}), (90, {"stale"})])
def test_candles_that_are_too_old_are_refused(hours: float, kinds: set[str]) -> None:
    assert refused(walk(1, COUNT), age=timedelta(hours=hours)) == kinds


def test_a_candle_that_has_not_begun_is_refused() -> None:
    series = walk(1, COUNT)
    now = series.slice(0, COUNT - 3).closed_at
    _, report = check(series, now, LIMITS)
    assert {issue.kind for issue in report.refused} == {"future"}


@pytest.mark.parametrize("count", [0, 1, LIMITS.min_candles - 1])
def test_too_few_candles_are_refused(count: int) -> None:
    series = walk(1, COUNT)
    _, report = check(series.slice(0, count), series.closed_at, LIMITS)
    assert {issue.kind for issue in report.refused} == {"too few"}


def move_close(factor: float) -> Callable[[Candles, int], Candles]:
    """A bad close: the candle's range follows it."""

    def change(series: Candles, row: int) -> Candles:
        tick = series.close[row] * factor
        changed = with_value(series, "close", row, tick)
        changed = with_value(changed, "high", row, max(series.high[row], tick))
        return with_value(changed, "low", row, min(series.low[row], tick))

    return change


def move_wick(column: str, factor: float) -> Callable[[Candles, int], Candles]:
    """A bad high or low: open and close stay."""
    return lambda series, row: with_value(series, column, row, getattr(series, column)[row] * factor)


TICKS = {
    "close up": move_close(1.4),
    "close down": move_close(0.6),
    "high": move_wick("high", 1.4),
    "low": move_wick("low", 0.6),
    "a digit too many": move_close(10.0),
}


@given(SEEDS, ROWS, st.sampled_from(sorted(TICKS)))
def test_a_bad_tick_on_ordinary_volume_is_caught(seed: int, row: int, tick: str) -> None:
    assert caught(TICKS[tick](walk(seed, COUNT), row), row) == {"spike"}


@given(SEEDS, ROWS, st.sampled_from(sorted(TICKS)))
def test_the_same_move_borne_by_volume_is_real(seed: int, row: int, tick: str) -> None:
    moved = TICKS[tick](walk(seed, COUNT), row)
    assert refused(with_value(moved, "volume", row, 500.0)) == set()


@given(SEEDS, st.integers(COUNT - LIMITS.window + 1, COUNT - 2), st.floats(0.5, 0.8))
def test_a_fall_that_stays_is_real_once_the_next_candle_has_closed(seed: int, row: int, factor: float) -> None:
    series = walk(seed, COUNT)
    after = np.where(np.arange(COUNT) >= row, factor, 1.0)
    fallen = replace(series, **{column: getattr(series, column) * after for column in PRICES})
    opens = fallen.open.copy()
    opens[row] = series.open[row]
    fallen = replace(fallen, open=opens, high=np.maximum(fallen.high, opens))
    assert refused(fallen) == set()
    assert refused(fallen.slice(0, row + 1)) == {"spike"}


@pytest.mark.parametrize("factor", [0.5, 1.7])
def test_a_move_that_the_order_book_confirms_is_no_bad_tick_but_a_wick_is_not_confirmed_by_it(factor: float) -> None:
    quiet = walk(5, COUNT)
    moved = with_value(quiet, "close", -1, float(quiet.close[-1]) * factor)
    moved = replace(moved, high=np.maximum(moved.high, moved.close), low=np.minimum(moved.low, moved.close))
    wick = with_value(quiet, "low", -1, float(quiet.low[-1]) / 2)
    asked: list[float] = []

    def book(candles: Candles) -> bool:
        asked.append(float(candles.close[-1]))
        return True

    for series, alone, beside in ((moved, {"spike"}, set[str]()), (wick, {"spike"}, {"spike"})):
        for monitor, kinds in ((DataQualityMonitor(), alone), (DataQualityMonitor(confirms=book), beside)):
            _, report = monitor.check(series, series.closed_at)
            assert {issue.kind for issue in report.refused} == kinds
    assert asked == [moved.close[-1], wick.close[-1]]


def test_a_small_move_is_never_a_spike() -> None:
    flat = np.full(COUNT, 100.0)
    flat[80] = 109.0
    series = candles(opens=flat, highs=flat, lows=flat, closes=flat, volumes=np.full(COUNT, 70.0))
    assert refused(series) == set()


CRASHES = {
    "BTCUSDT-1h": ["2018-10-15T06:00", "2020-03-12T10:00", "2020-03-12T23:00", "2020-03-13T02:00", "2021-05-19T13:00"],
    "ETHUSDT-1h": ["2020-03-13T04:00", "2021-05-19T12:00", "2021-09-07T15:00", "2022-05-11T12:00", "2022-06-13T14:00"],
}


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, times in CRASHES.items() for at in times])
def test_a_real_crash_is_no_bad_tick_then_or_later(name: str, at: str) -> None:
    history = real(name)
    row = int(np.searchsorted(history.open_ms, around(history, at).open_ms[-1]))
    for newest in range(row, row + 3):
        assert "spike" not in refused(history.slice(newest - 299, newest + 1))


@pytest.mark.parametrize("name", ["BTCUSDT-1h", "ETHUSDT-1h"])
def test_through_the_luna_crash_every_hour_passes(name: str) -> None:
    history = real(name)
    first = int(np.searchsorted(history.open_ms, around(history, "2022-05-05T00:00").open_ms[-1]))
    for row in range(first, first + 24 * 14):
        assert refused(history.slice(row - 299, row + 1)) == set()


@pytest.mark.parametrize("tick", sorted(TICKS))
def test_a_bad_tick_among_real_candles_is_refused(tick: str) -> None:
    series = around(real("BTCUSDT-1h"), "2022-06-05T12:00")
    assert refused(TICKS[tick](series, len(series) - 1)) == {"spike"}


def test_the_report_names_the_candle_in_words() -> None:
    series = with_value(walk(1, COUNT), "close", 100, float("nan"))
    _, report = DataQualityMonitor().check(series, series.closed_at)
    assert report.repaired[0].detail.startswith("2024-01-05 04:00 UTC ")


@given(
    st.integers(0, 99),
    st.sampled_from([0.002, 0.02, 0.06]),
    st.lists(
        st.tuples(
            st.integers(0, 899),
            st.sampled_from((*PRICES, "volume")),
            st.sampled_from([0.0, -1.0, 0.5, 2.0, 3e3, np.nan]),
        ),
        max_size=3,
    ),
    st.integers(0, 40),
    st.sampled_from([LIMITS, QualityLimits(max_move=20, max_factor=1.5), QualityLimits(min_candles=130, window=5)]),
)
def test_parts_of_a_series_are_judged_as_a_series_of_their_own(
    seed: int, sigma: float, faults: list[tuple[int, str, float]], missing: int, limits: QualityLimits
) -> None:
    """What is known of the series as a whole spares looking through each part, and changes nothing that is found."""
    series = walk(seed, 900, sigma=sigma)
    for row, column, factor in faults:
        series = with_value(series, column, row, getattr(series, column)[row] * factor)
    series = taken(series, np.r_[0:400, 400 + missing : 900])
    monitor = DataQualityMonitor(limits=limits)
    for stop in range(COUNT, len(series), 37):
        part = series.slice(stop - COUNT, stop)
        for now in (part.closed_at, part.closed_at + timedelta(hours=4), part.closed_at - timedelta(hours=1)):
            kept, report = monitor.check(part, now)
            expected, expected_report = check(part.cut(0, COUNT), now, limits)
            assert (report.repaired, report.refused, report.changes) == (
                expected_report.repaired,
                expected_report.refused,
                expected_report.changes,
            )
            assert same(kept, expected)


@given(st.integers(0, 99), st.floats(-3, 6), st.floats(-3, 6), st.integers(0, 20))
def test_a_monitor_that_has_seen_candles_before_judges_them_as_one_that_has_not(
    seed: int, before: float, age: float, missing: int
) -> None:
    series = walk(seed, 200)
    series = taken(series, np.r_[0 : 160 - missing, 160:200])
    then, now = (series.closed_at + timedelta(hours=hours) for hours in (before, age))
    monitor = DataQualityMonitor(limits=LIMITS)
    monitor.check(series, then)
    for _ in range(2):
        kept, report = monitor.check(series, now)
        expected, expected_report = check(series, now, LIMITS)
        assert report == expected_report
        assert same(kept, expected)


def test_good_candles_stay_good_as_long_as_they_need_not_be_looked_through_again() -> None:
    series = walk(4, 900, sigma=0.02)
    for row, factor in ((100, 0.8), (240, 1.3), (330, 2000.0), (331, 2000.0), (420, 0.9), (650, 1 / 1500)):
        for column in PRICES:
            series = with_value(series, column, row, getattr(series, column)[row] * factor)
    series = with_value(series, "volume", 500, 0.0)
    monitor, window, longest = DataQualityMonitor(), 120, 0
    good = {
        stop: check(part, part.closed_at, monitor.limits)[1] == QualityReport()
        for stop in range(window, len(series) + 1)
        for part in (series.cut(stop - window, stop),)
    }
    assert not all(good.values())
    for stop in (stop for stop, is_good in good.items() if is_good):
        ahead = monitor.sound_ahead(series.slice(stop - window, stop))
        assert all(good[stop + more] for more in range(ahead + 1))
        longest = max(longest, ahead)
    assert longest > window
    assert monitor.sound_ahead(series.slice(600, 660)) == 0  # a doubt is among the newest
    assert monitor.sound_ahead(series.slice(480, 570)) == 19  # until an older one would leave
