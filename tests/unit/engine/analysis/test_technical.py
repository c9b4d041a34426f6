"""Technical signals: newest readings, flags, and never a look ahead."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.flags import Flag, channel_high, crossed_above, crossing
from engine.analysis.indicators import IndicatorSpec
from engine.analysis.technical import HISTORY, TechnicalAnalyzer
from engine.domain.decisions import TechnicalSignals
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe
from tests.fakes.examples import examples
from tests.fakes.series import around, candles, real, walk

ANALYZER = TechnicalAnalyzer()


def on(closes: np.ndarray, volumes: np.ndarray | None = None) -> TechnicalSignals:
    """Signals on candles without wicks that open where the last one closed."""
    opens = np.append(closes[0], closes[:-1])
    return ANALYZER.analyze(
        candles(
            opens=opens,
            highs=np.maximum(opens, closes),
            lows=np.minimum(opens, closes),
            closes=closes,
            volumes=np.full(len(closes), 70.0) if volumes is None else volumes,
        )
    )


def flat_with(*newest: float, count: int = 260) -> np.ndarray:
    """A market that swings a little around 100, then closes at these prices."""
    swings = 100 + 0.5 * np.sin(np.arange(count))
    return np.append(swings, newest)


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_later_candles_never_change_earlier_signals(seed: int, count: int) -> None:
    whole = walk(seed, 320, sigma=0.01)
    early = Candles(
        symbol=whole.symbol,
        timeframe=whole.timeframe,
        **{name: getattr(whole, name)[:count].copy() for name in ("open_ms", "open", "high", "low", "close", "volume")},
    )
    assert ANALYZER.analyze(whole.slice(0, count)) == ANALYZER.analyze(early)
    assert ANALYZER.analyze(early).at <= whole.closed_at


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_every_reading_is_a_number_or_none_and_flags_are_known(seed: int, count: int) -> None:
    signals = ANALYZER.analyze(walk(seed, count))
    readings = (signals.rsi, signals.macd, signals.ma_20, signals.ma_200, signals.atr, signals.volume_ratio)
    assert all(reading is None or np.isfinite(reading) for reading in readings)
    assert (signals.ma_200 is None) == (count < 200)
    assert set(signals.flags) <= set(Flag)


def test_readings_are_those_of_the_newest_candle() -> None:
    series = walk(7, 300)
    signals = ANALYZER.analyze(series)
    assert signals.close == series.close[-1]
    assert signals.at == series.closed_at
    assert signals.ma_20 == pytest.approx(series.close[-20:].mean())
    assert signals.ma_200 == pytest.approx(series.close[-200:].mean())


def test_no_candles_are_an_error_in_words() -> None:
    with pytest.raises(DataError):
        ANALYZER.analyze(walk(1, 0))


def test_a_sharp_fall_is_oversold_below_the_band_and_a_breakdown() -> None:
    flags = on(flat_with(98, 96, 93)).flags
    assert {Flag.RSI_OVERSOLD, Flag.CLOSE_BELOW_LOWER_BAND, Flag.BREAKDOWN, Flag.BELOW_MA_200} <= set(flags)
    assert not {Flag.RSI_OVERBOUGHT, Flag.BREAKOUT, Flag.ABOVE_MA_200} & set(flags)


def test_a_sharp_rise_is_overbought_above_the_band_and_a_breakout() -> None:
    flags = on(flat_with(102, 104, 107)).flags
    assert {Flag.RSI_OVERBOUGHT, Flag.CLOSE_ABOVE_UPPER_BAND, Flag.BREAKOUT, Flag.MACD_POSITIVE} <= set(flags)


def test_coming_back_into_the_bands_is_told_once() -> None:
    assert Flag.CLOSE_BACK_IN_BANDS not in on(flat_with(96)).flags
    assert Flag.CLOSE_BACK_IN_BANDS in on(flat_with(96, 99)).flags
    assert Flag.CLOSE_BACK_IN_BANDS not in on(flat_with(96, 99, 99.2)).flags


def test_crosses_hold_for_one_candle() -> None:
    closes = np.concatenate((np.linspace(130, 100, 120), np.linspace(100, 140, 60)))
    seen = [set(on(closes[:count]).flags) for count in range(100, len(closes) + 1)]
    for cross, state in ((Flag.GOLDEN_CROSS, Flag.UPTREND), (Flag.MACD_CROSSED_UP, Flag.MACD_ABOVE_SIGNAL)):
        assert sum(cross in flags for flags in seen) == 1
        assert sum(state in flags for flags in seen) > 5
    assert not any(Flag.DEATH_CROSS in flags for flags in seen)


def test_volume_well_above_its_mean_is_high() -> None:
    volumes = np.full(261, 70.0)
    volumes[-1] = 140.0
    assert Flag.HIGH_VOLUME in on(flat_with(100), volumes).flags
    assert Flag.HIGH_VOLUME not in on(flat_with(100)).flags


def test_bands_as_narrow_as_they_get_are_a_squeeze() -> None:
    calming = 100 + np.sin(np.arange(260)) * np.linspace(5, 0.5, 260)
    assert Flag.SQUEEZE in on(calming).flags
    assert Flag.SQUEEZE not in on(100 + np.sin(np.arange(260)) * np.linspace(0.5, 5, 260)).flags


def test_a_cross_needs_two_known_values() -> None:
    assert crossed_above(np.array([0.0, 1.0, 2.0, np.nan, 2.0]), 0.0).tolist() == [False, True, False, False, False]
    assert crossed_above(np.array([2.0]), 0.0).tolist() == [False]


def test_means_that_cross_do_so_by_more_than_rounding() -> None:
    slow = np.array([np.nan, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0])
    fast = np.array([11.0, 11.0, 10.0 * (1 - 1e-15), 10.0 * (1 + 1e-15), 10.0 * (1 + 1e-12), 11.0, 10.0 * (1 - 1e-12)])
    found = crossing(fast, slow)
    assert np.flatnonzero(found.rose).tolist() == [4]
    assert np.flatnonzero(found.below).tolist() == [6]


def test_means_are_compared_over_the_ends_of_what_is_compared_at_a_time() -> None:
    fast, slow = np.random.default_rng(3).uniform(9, 11, (2, 70_000))
    fast[:40], slow[:80] = np.nan, np.nan
    found = crossing(fast, slow)
    np.testing.assert_array_equal(found.rose, crossed_above(fast - slow, 0.0))
    np.testing.assert_array_equal(found.below, fast < slow)


def test_a_channel_leaves_the_newest_candle_out() -> None:
    np.testing.assert_equal(channel_high(np.array([3.0, 1.0, 2.0, 9.0]), 2), [np.nan, np.nan, 3.0, 2.0])
    np.testing.assert_equal(channel_high(np.array([3.0, 1.0]), 2), [np.nan, np.nan])
    np.testing.assert_equal(channel_high(np.array([3.0, 1.0, 2.0]), 1), [np.nan, 3.0, 1.0])


def test_further_indicators_come_along_when_asked_for() -> None:
    asked = IndicatorSpec(name="adx", parameters={"length": 14})
    assert "ADX_14" in TechnicalAnalyzer(indicators=(asked,)).analyze(walk(1, 120)).extra
    assert ANALYZER.analyze(walk(1, 120)).extra == {}


def test_frames_are_made_for_every_timeframe_that_has_candles() -> None:
    frames = ANALYZER.frames({Timeframe.H1: walk(1, 60), Timeframe.D1: walk(1, 0, timeframe=Timeframe.D1)})
    assert set(frames) == {Timeframe.H1}
    assert frames[Timeframe.H1].signals == ANALYZER.analyze(walk(1, 60))


def test_frames_that_are_known_are_taken_over_only_while_their_candles_are_the_same() -> None:
    hourly, daily = walk(1, 60), walk(2, 60, timeframe=Timeframe.D1)
    known = ANALYZER.frames({Timeframe.H1: hourly.slice(0, 59), Timeframe.D1: daily})
    frames = ANALYZER.frames({Timeframe.H1: hourly.slice(1, 60), Timeframe.D1: daily.slice(0, 60)}, known)
    assert frames[Timeframe.D1] is known[Timeframe.D1]
    assert frames[Timeframe.H1].signals == ANALYZER.analyze(hourly.slice(1, 60))


def test_a_part_of_a_longer_series_is_read_there_once_older_candles_change_nothing() -> None:
    series, analyzer = walk(4, 900), TechnicalAnalyzer()
    part, later = (analyzer.frame(series.slice(first, first + 300)).columns for first in (500, 501))
    assert np.shares_memory(part.reading("rsi"), later.reading("rsi"))
    assert np.isfinite(part.reading("ma_200")).all()
    alone = analyzer.frame(series.slice(500, 799)).columns
    assert np.isnan(alone.reading("ma_200")[:199]).all()
    assert analyzer.analyze(series.slice(0, 150)) == analyzer.analyze(series.cut(0, 150))


def test_a_series_that_began_anew_and_one_with_holes_are_read_by_themselves() -> None:
    series, analyzer = walk(4, 900), TechnicalAnalyzer()
    assert np.isnan(analyzer.frame(series.cut(500, 800)).columns.reading("ma_200")[:199]).all()
    holed = replace(series, close=np.where(np.arange(900) == 20, np.nan, series.close))
    assert np.isfinite(analyzer.frame(holed.slice(500, 800)).columns.reading("macd")[-1])


def test_further_indicators_make_it_ask_for_more_candles() -> None:
    slow = IndicatorSpec(name="ema", parameters={"length": 200})
    assert ANALYZER.history == HISTORY == 300
    assert 1400 < TechnicalAnalyzer(indicators=(slow,)).history < 2500


@given(st.integers(0, 2**32 - 1), st.integers(0, 319))
def test_signals_are_the_row_of_the_columns(seed: int, row: int) -> None:
    series = walk(seed, 320, sigma=0.01)
    columns, signals = ANALYZER.frame(series).columns, ANALYZER.analyze(series.cut(0, row + 1))
    assert set(signals.flags) == {name for name in columns.flags if columns.flags[name][row]}
    named = {columns.pattern_names[at]: columns.patterns[row, at] > 0 for at in np.flatnonzero(columns.patterns[row])}
    assert {pattern.name: pattern.bullish for pattern in signals.patterns} == named
    for name in columns.readings:
        read = (signals.supports[0] if signals.supports else None) if name == "support" else getattr(signals, name)
        assert columns.reading(name)[row] == pytest.approx(np.nan if read is None else read, nan_ok=True)


def test_real_candles_read_as_they_were() -> None:
    signals = ANALYZER.analyze(around(real("BTCUSDT-1h"), "2022-05-12T07:00"))
    assert signals.close == 28_193.4
    assert {Flag.DOWNTREND, Flag.BELOW_MA_200} <= set(signals.flags)


def test_importing_the_analyzer_loads_neither_pandas_nor_talib() -> None:
    code = "import sys, engine.analysis.technical; print({'pandas', 'talib', 'pandas_ta_classic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
