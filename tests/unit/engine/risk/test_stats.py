"""Figures of closed candles, reckoned by hand."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from engine.analysis.technical import HISTORY
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe, to_millis
from engine.risk.stats import compared, known_volumes, measure, told
from tests.fakes.feed import START
from tests.fakes.risk import risk_stats


def candles(closes: list[float], timeframe: Timeframe = Timeframe.H1, symbol: str = "BTC/USDT") -> Candles:
    """Candles that end now, each of which traded two coins."""
    close, count = np.array(closes, dtype=float), len(closes)
    opens = to_millis(START) - timeframe.millis * np.arange(count, 0, -1, dtype=np.int64)
    columns = {"open": close, "high": close, "low": close, "close": close, "volume": np.full(count, 2.0)}
    return Candles(symbol=symbol, timeframe=timeframe, open_ms=opens, **columns)


def test_figures_are_those_of_the_candles():
    stats = measure(candles([100.0, 110.0, 99.0]), 7.0)
    assert (stats.symbol, stats.timeframe, stats.as_of, stats.atr) == ("BTC/USDT", Timeframe.H1, START, 7.0)
    assert stats.returns == pytest.approx([0.1, -0.1])
    assert not stats.returns.flags.writeable
    assert stats.volatility == pytest.approx(math.sqrt((math.log(1.1) ** 2 + math.log(0.9) ** 2) / 2 * 24))


@pytest.mark.parametrize(
    ("timeframe", "count", "volume"),
    [("1h", 24, 24 * 200), ("1h", 40, 24 * 200), ("1h", 23, None), ("1d", 1, 200), ("1w", 2, 200 / 7)],
)
def test_what_a_day_traded_is_that_of_its_candles(timeframe: str, count: int, volume: float | None):
    found = measure(candles([100.0] * count, Timeframe(timeframe)), None).daily_volume
    assert found == (None if volume is None else pytest.approx(volume))


def test_a_gap_is_no_longer_day():
    """Of the last 24 hours one is missing."""
    whole = candles([100.0] * 30)
    keep = np.arange(30) != 20
    names = ("open_ms", "open", "high", "low", "close", "volume")
    columns = {name: getattr(whole, name)[keep] for name in names}
    stats = measure(Candles(symbol="BTC/USDT", timeframe=Timeframe.H1, **columns), None)
    assert stats.daily_volume == pytest.approx(23 * 200)


def test_of_no_candles_there_are_no_figures():
    with pytest.raises(DataError):
        measure(candles([]), None)


def test_one_candle_says_little():
    stats = measure(candles([100.0]), None)
    assert (len(stats.returns), stats.volatility, stats.daily_volume) == (0, None, None)
    assert told(stats) == "too few candles for any"


def test_markets_are_compared_over_the_same_candles_alone():
    own = measure(candles([100.0, 101.0, 100.0, 102.0]), None)
    mirrored = measure(candles([50.0, 49.5, 50.0, 49.0], symbol="ETH/USDT"), None)
    longer = measure(candles([50.0, 49.5, 50.0, 49.0], Timeframe.H4, "SOL/USDT"), None)
    shorter = measure(candles([50.0, 49.5, 50.0], symbol="XRP/USDT"), None)
    flat = measure(candles([1.0] * 4, symbol="LTC/USDT"), None)
    found = compared(own, [own, mirrored, longer, shorter, flat]).correlations
    assert list(found) == ["ETH/USDT"]
    assert found["ETH/USDT"] == pytest.approx(-1, abs=1e-3)


def test_figures_are_told_with_their_units():
    returns = np.array([-0.02, *[0.001] * 39])
    stats = risk_stats(returns=returns, volatility=0.0312, atr=123.456, correlations={"ETH/USDT": 0.8312})
    assert told(stats) == (
        "volatility 3.12% a day, VaR 95% -0.10% and CVaR 0.95% a 1h candle, ATR 123.456, "
        "1,000,000.00 USDT traded in a day, correlation with ETH/USDT 0.83"
    )


@pytest.mark.parametrize(("timeframe", "hours", "stale"), [("1h", 2, False), ("1h", 2.01, True), ("1d", 48, False)])
def test_figures_are_good_for_two_candles(timeframe: str, hours: float, stale: bool):  # noqa: FBT001 - a table
    stats = risk_stats(timeframe=Timeframe(timeframe))
    assert stats.is_stale(START + timedelta(hours=hours)) is stale
    assert stats.age(START + timedelta(hours=hours)) == timedelta(hours=hours)


@pytest.mark.parametrize("timeframe", ["1m", "1h", "4h", "1d", "1w"])
def test_what_a_backtest_knows_of_volumes_is_what_each_close_tells(timeframe: str):
    """To the last bit, so that both allow the same; with candles missing, and where a day is more than is known."""
    rng = np.random.default_rng(3)
    whole = candles(list(100 + rng.standard_normal(700)), Timeframe(timeframe))
    keep = rng.random(700) > 0.02
    columns = {name: getattr(whole, name)[keep] for name in ("open_ms", "open", "high", "low", "close")}
    volume = rng.random(int(keep.sum())) * 1e5
    series = Candles(symbol="BTC/USDT", timeframe=Timeframe(timeframe), volume=volume, **columns)
    known = known_volumes(series, np.arange(len(series)))
    few = np.flatnonzero(rng.random(len(series)) < 0.05)
    assert (known_volumes(series, few) == known[few]).all()
    for row in range(len(series)):
        assert measure(series.cut(0, row + 1).tail(HISTORY), None).known_volume == known[row]


def test_a_day_that_is_not_known_whole_counts_as_far_as_it_is():
    stats = measure(candles([100.0] * 23), None)
    assert (stats.daily_volume, stats.known_volume) == (None, pytest.approx(23 * 200))
