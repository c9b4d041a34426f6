"""Indicators agree with plain formulas, look at nothing ahead, and are found by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import indicators
from engine.analysis.columns import CandleColumns
from engine.analysis.indicators import IndicatorSpec
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.errors import ConfigError
from engine.domain.market import Candles
from tests.fakes.series import real, walk

SEEDS = st.integers(0, 2**32 - 1)


def wilder(values: np.ndarray, length: int) -> np.ndarray:
    """Wilder's smoothing: the mean of the first ``length`` values, then 1/length of each new one."""
    smoothed = np.full(len(values), np.nan)
    smoothed[length - 1] = values[:length].mean()
    for row in range(length, len(values)):
        smoothed[row] = (smoothed[row - 1] * (length - 1) + values[row]) / length
    return smoothed


def ema(values: np.ndarray, length: int) -> np.ndarray:
    """Exponential mean that begins with a plain mean."""
    smoothed = np.full(len(values), np.nan)
    smoothed[length - 1] = values[:length].mean()
    for row in range(length, len(values)):
        smoothed[row] = smoothed[row - 1] + (values[row] - smoothed[row - 1]) * 2 / (length + 1)
    return smoothed


@given(SEEDS)
def test_rsi_is_wilders(seed: int) -> None:
    close = walk(seed, 80).close
    steps = np.diff(close)
    gain, loss = wilder(steps.clip(0), 14), wilder((-steps).clip(0), 14)
    np.testing.assert_allclose(indicators.rsi(close)[1:], 100 * gain / (gain + loss))


@given(SEEDS)
def test_macd_is_the_difference_of_two_exponential_means(seed: int) -> None:
    close = walk(seed, 120).close
    slow, fast = ema(close, 26), ema(close[14:], 12)  # TA-Lib begins both means at the same candle
    line = np.concatenate((np.full(14, np.nan), fast)) - slow
    signal = np.concatenate((np.full(25, np.nan), ema(line[25:], 9)))
    got_line, got_signal, got_histogram = indicators.macd(close)
    np.testing.assert_allclose(got_line[33:], line[33:], atol=1e-9)
    np.testing.assert_allclose(got_signal[33:], signal[33:], atol=1e-9)
    np.testing.assert_allclose(got_histogram[33:], (line - signal)[33:], atol=1e-9)
    assert np.isnan(got_line[:33]).all()


@given(SEEDS)
def test_bands_and_means_agree_with_pandas(seed: int) -> None:
    close = pd.Series(walk(seed, 60).close)
    lower, middle, upper = indicators.bollinger(close.to_numpy())
    mean, deviation = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    np.testing.assert_allclose(middle, mean)
    np.testing.assert_allclose(lower, mean - 2 * deviation, rtol=1e-7)
    np.testing.assert_allclose(upper, mean + 2 * deviation, rtol=1e-7)
    np.testing.assert_allclose(indicators.sma(close.to_numpy(), 50), close.rolling(50).mean())


@given(SEEDS)
def test_atr_is_wilders(seed: int) -> None:
    series = walk(seed, 60)
    before = series.close[:-1]
    true_range = np.maximum(series.high[1:], before) - np.minimum(series.low[1:], before)
    np.testing.assert_allclose(indicators.atr(series.high, series.low, series.close)[1:], wilder(true_range, 14))


def test_volume_ratio_is_the_volume_over_the_mean_of_the_last_twenty() -> None:
    volume = np.append(np.full(19, 10.0), 40.0)
    assert indicators.volume_ratio(volume)[-1] == pytest.approx(40 / 11.5)
    assert np.isnan(indicators.volume_ratio(volume)[:-1]).all()


def test_where_nothing_traded_there_is_no_volume_ratio() -> None:
    assert np.isnan(indicators.volume_ratio(np.zeros(30))).all()


def test_a_market_that_never_moved_has_no_rsi() -> None:
    assert np.isnan(indicators.rsi(np.full(40, 5.0))).all()


@given(SEEDS, st.integers(0, 250))
def test_every_column_has_a_row_for_each_candle_and_never_looks_ahead(seed: int, count: int) -> None:
    series = walk(seed, 260)
    short, long = CandleColumns(series.cut(0, count)).part(0, count), CandleColumns(series).part(0, 260)
    for name in (*long.readings, "ma_7", "channel_high_1", "channel_high_20"):
        row_by_row = short.reading(name)
        assert len(row_by_row) == count
        np.testing.assert_allclose(row_by_row, long.reading(name)[:count], rtol=1e-9, atol=1e-9)


def test_a_mean_keeps_nothing_of_values_that_are_long_gone() -> None:
    fallen = np.append(np.full(300, 8.1e4), np.full(300, 3.3e-5))
    assert indicators.sma(fallen, 20)[-1] == 3.3e-5
    lower, middle, upper = indicators.bollinger(fallen)
    assert lower[-1] == middle[-1] == upper[-1] == 3.3e-5
    assert indicators.volume_ratio(np.append(np.full(50, 1e12), np.full(50, 3e-3)))[-1] == 1.0


@given(st.lists(st.sampled_from([0.1, 0.3, 7e4]), min_size=1, max_size=90), st.integers(1, 40))
def test_a_mean_is_that_of_its_own_window_whatever_came_before(values: list[float], length: int) -> None:
    given_ = np.array(values)
    means = indicators.sma(given_, length)
    assert np.isnan(means[: length - 1]).all()
    for end in range(length, len(values) + 1):
        window = values[end - length : end]
        assert means[end - 1] == pytest.approx(sum(window) / length, rel=1e-14)
        assert means[end - 1] == indicators.sma(given_[end - length : end], length)[-1]
        assert len(set(window)) > 1 or means[end - 1] == window[0]


def test_a_market_that_stands_still_loses_its_rsi_and_has_one_again_when_it_moves() -> None:
    close = np.concatenate((walk(1, 60).close, np.full(60, 100.0), [101.0]))
    rsi = indicators.rsi(close)
    assert np.isfinite(rsi[60:88]).all()
    assert np.isnan(rsi[88:120]).all()
    assert rsi[120] > 50


def spec(name: str, **parameters: float | bool | str) -> IndicatorSpec:
    return IndicatorSpec(name=name, parameters=parameters)


def newest(series: Candles, *specs: IndicatorSpec) -> Mapping[str, float]:
    """What the indicators say of the newest candle."""
    return TechnicalAnalyzer(indicators=specs).analyze(series).extra


def test_every_column_of_an_indicator_has_the_librarys_name() -> None:
    values = newest(walk(1, 120), spec("adx", length=14), spec("cmf"), spec("rsi", length=21))
    assert set(values) >= {"ADX_14", "DMP_14", "DMN_14", "CMF_20", "RSI_21"}
    assert 0 <= values["ADX_14"] <= 100


def test_an_rsi_of_the_library_agrees_with_the_core_one() -> None:
    series = walk(2, 120)
    assert newest(series, spec("rsi", length=14))["RSI_14"] == pytest.approx(indicators.rsi(series.close)[-1])


def test_a_column_without_enough_history_is_left_out() -> None:
    assert newest(walk(1, 10), spec("adx", length=14), spec("cmf")) == {}


SHAPES = [
    spec("vwap"),
    spec("ichimoku"),
    spec("supertrend", length=7, multiplier=3.0),
    spec("obv"),
    spec("bbands", length=20, std=2.0),
    spec("ema", length=200),
]


@pytest.mark.parametrize("asked", SHAPES, ids=lambda asked: asked.name)
def test_the_columns_that_are_known_at_the_start_are_those_that_come(asked: IndicatorSpec) -> None:
    assert set(newest(walk(3, 500), asked)) <= set(indicators.column_names(asked)) != set()


@pytest.mark.parametrize(
    ("asked", "words", "hint"),
    [
        (spec("adxx"), "no such indicator", "Did you mean adx?"),
        (spec("Cmf"), "no such indicator", "Did you mean cmf?"),
        (spec("bbandz"), "no such indicator", "Did you mean bbands?"),
        (spec("xsignals"), "no such indicator", "Did you mean"),
        (spec("adx", lenght=14), "adx has no such parameter", "Did you mean length?"),
        (spec("cmf", offset=-5), "cmf has no such parameter", "It takes length"),
        (spec("rsi", length="long"), "rsi cannot be computed so", "Check its parameters."),
    ],
    ids=lambda asked: asked.name if isinstance(asked, IndicatorSpec) else "",
)
def test_what_the_library_does_not_have_is_refused_with_the_nearest_name(
    asked: IndicatorSpec, words: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        indicators.column_names(asked)
    assert words in refused.value.message
    assert hint in refused.value.remedy


@pytest.mark.parametrize(
    ("asked", "fewest", "most"),
    [
        (spec("ema", length=200), 1400, 2500),
        (spec("sma", length=500), 500, 500),
        (spec("rsi", length=14), 200, 300),
        (spec("cmf"), 20, 50),
    ],
    ids=lambda asked: asked.name if isinstance(asked, IndicatorSpec) else "",
)
def test_an_indicator_remembers_as_long_as_older_candles_change_it(
    asked: IndicatorSpec, fewest: int, most: int
) -> None:
    assert fewest <= (indicators.memory(asked) or 0) <= most


@pytest.mark.parametrize("asked", [spec("obv"), spec("ichimoku"), spec("dpo")], ids=lambda asked: asked.name)
def test_what_never_forgets_or_fills_in_the_past_has_no_memory_to_go_by(asked: IndicatorSpec) -> None:
    assert indicators.memory(asked) is None


REMEMBERING = (spec("ema", length=200), spec("adx"), spec("supertrend", length=7, multiplier=3.0), spec("kama"))


@pytest.mark.parametrize("name", [pytest.param("BTCUSDT-1h", marks=pytest.mark.slow), "DOGEUSDT-1h"])
def test_the_newest_readings_are_those_of_the_whole_history(name: str) -> None:
    series, analyzer = real(name).cut(3_000, 9_000), TechnicalAnalyzer(indicators=REMEMBERING)
    columns = analyzer.frame(series).columns
    for row in range(2500, len(series), 401):
        window = series.cut(row + 1 - analyzer.history, row + 1)
        read = analyzer.frame(window).columns
        names = (*read.readings, "EMA_200", "ADX_14", "SUPERT_7_3.0", "KAMA_10_2_30")
        for column in names:
            value, wanted = read.reading(column)[-1], columns.reading(column)[row]
            near = 1e-6 * (window.close[-1] if column.startswith("macd") else abs(wanted))
            assert value == pytest.approx(wanted, rel=0, abs=near, nan_ok=True), column
        assert np.isfinite(read.reading("EMA_200")[-1])


def test_three_hundred_candles_are_too_few_for_a_mean_over_two_hundred_that_remembers() -> None:
    close = real("BTCUSDT-1h").close[3_000:9_000]
    whole = [ema(close[:row], 200)[-1] for row in range(2500, len(close), 401)]
    short = [ema(close[row - 300 : row], 200)[-1] for row in range(2500, len(close), 401)]
    assert max(abs(a / b - 1) for a, b in zip(short, whole, strict=True)) > 0.005
