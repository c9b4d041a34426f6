"""What one decision cycle spends its time on: judging candles and reading them."""

from datetime import UTC, datetime

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.analysis.quality import QualityLimits, check
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.market import Candles, Timeframe, to_millis

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def candles() -> Candles:
    """500 hourly candles that end now: what a context looks at."""
    rng = np.random.default_rng(7)
    close = 100 * np.exp(rng.normal(0, 0.005, 501).cumsum())
    hours = np.arange(500, dtype=np.int64) * Timeframe.H1.millis
    return Candles(
        symbol="BTC/USDT",
        timeframe=Timeframe.H1,
        open_ms=to_millis(NOW) - 500 * Timeframe.H1.millis + hours,
        open=close[:-1],
        high=np.maximum(close[:-1], close[1:]) * 1.001,
        low=np.minimum(close[:-1], close[1:]) * 0.999,
        close=close[1:],
        volume=rng.uniform(1, 10, 500),
    )


def test_technical_signals_of_one_timeframe(benchmark: BenchmarkFixture, candles: Candles) -> None:
    signals = benchmark(TechnicalAnalyzer().analyze, candles)
    assert signals.ma_200 is not None


def test_quality_of_one_timeframe(benchmark: BenchmarkFixture, candles: Candles) -> None:
    kept, report = benchmark(check, candles, NOW, QualityLimits())
    assert len(kept) == 500
    assert report.usable
