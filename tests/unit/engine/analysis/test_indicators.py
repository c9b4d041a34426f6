"""Indicators agree with plain formulas, look at nothing ahead, and are found by name."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import indicators
from engine.analysis.indicators import IndicatorSpec
from engine.domain.errors import ConfigError
from tests.fakes.series import walk

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
    short, long = indicators.compute(series.slice(0, count)), indicators.compute(series)
    for column in fields(indicators.IndicatorColumns):
        row_by_row = getattr(short, column.name)
        assert len(row_by_row) == count
        np.testing.assert_allclose(row_by_row, getattr(long, column.name)[:count], rtol=1e-9, atol=1e-9)


def spec(name: str, **parameters: float | bool | str) -> IndicatorSpec:
    return IndicatorSpec(name=name, parameters=parameters)


def test_every_column_of_an_indicator_has_the_librarys_name() -> None:
    values = indicators.newest(walk(1, 120), [spec("adx", length=14), spec("cmf"), spec("rsi", length=21)])
    assert set(values) >= {"ADX_14", "DMP_14", "DMN_14", "CMF_20", "RSI_21"}
    assert 0 <= values["ADX_14"] <= 100


def test_an_rsi_of_the_library_agrees_with_the_core_one() -> None:
    series = walk(2, 120)
    assert indicators.newest(series, [spec("rsi", length=14)])["RSI_14"] == pytest.approx(
        indicators.rsi(series.close)[-1]
    )


def test_a_column_without_enough_history_is_left_out() -> None:
    assert indicators.newest(walk(1, 10), [spec("adx", length=14), spec("cmf")]) == {}


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
    assert set(indicators.newest(walk(3, 500), [asked])) <= set(indicators.column_names(asked)) != set()


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
