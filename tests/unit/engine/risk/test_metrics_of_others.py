"""Value at risk, what lies beyond it and correlations of real returns, against numpy, scipy and empyrical."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from engine.data.files import read_candles
from engine.risk import metrics
from engine.risk.metrics import CVaRCalculator, VaRCalculator
from engine.risk.portfolio_risk import PortfolioRisk, with_entry
from tests.fakes.data import real_file

pytestmark = pytest.mark.slow
VAR, CVAR = VaRCalculator(), CVaRCalculator()
COINS = ("BTC", "ETH", "DOGE", "XRP")
WINDOW = 300
"""So many candles are looked back at by the bot."""
EVERY = 300
"""A window begins so many candles after the one before: none shares a return with another."""


@cache
def returns_of_hours() -> np.ndarray:
    """Hourly returns of the hours that every coin has: a row each, a column for each coin."""
    closes = []
    for coin in COINS:
        candles = read_candles(real_file(f"candles/{coin}USDT-1h.parquet"))
        closes.append(dict(zip(candles.open_ms.tolist(), candles.close.tolist(), strict=True)))
    hours = sorted(set.intersection(*(set(each) for each in closes)))
    return np.column_stack([metrics.simple_returns(np.array([each[hour] for hour in hours])) for each in closes])


def windows(length: int = WINDOW) -> Iterator[np.ndarray]:
    returns = returns_of_hours()
    for start in range(0, len(returns) - length + 1, EVERY):
        yield returns[start : start + length]


def test_numpy_counts_the_same_value_at_risk() -> None:
    count = 0
    for window in windows():
        for returns in window.T:
            assert VAR.historical(returns) == -np.quantile(returns, 0.05, method="inverted_cdf")
            count += 1
    assert count > 500


def test_empyrical_interpolates_between_two_returns_of_which_ours_is_the_worse() -> None:
    """Its value at risk is between the 15th and 16th worst of 300; where it has to interpolate nothing, it is ours."""
    import empyrical

    for window in windows():
        for returns in window.T:
            worst = np.sort(returns)
            value = VAR.historical(returns)
            assert value is not None
            assert -worst[15] - 1e-15 <= -empyrical.value_at_risk(returns, 0.05) <= value + 1e-15
    for window in windows(301):
        for returns in window.T:
            assert VAR.historical(returns) == pytest.approx(-empyrical.value_at_risk(returns, 0.05), rel=1e-12)


def test_empyrical_says_the_same_of_what_lies_beyond() -> None:
    import empyrical

    for window in windows():
        for returns in window.T:
            expected = -empyrical.conditional_value_at_risk(returns, 0.05)
            assert CVAR.historical(returns) == pytest.approx(expected, rel=1e-12)


def test_the_expansion_is_that_of_scipys_moments_wherever_it_is_a_distribution() -> None:
    """Its quantile, and the mean of its quantiles by quadrature; a third of all windows at least has an answer."""
    from scipy import integrate, stats

    known = asked = 0
    for window in windows():
        for returns in window.T:
            mean, deviation = returns.mean(), returns.std()
            skew, excess = stats.skew(returns), stats.kurtosis(returns)

            def quantile(z: float, skew: float = skew, excess: float = excess) -> float:
                return z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew * skew / 36

            asked += 1
            value, beyond = VAR.cornish_fisher(returns), CVAR.cornish_fisher(returns)
            if value is None or beyond is None:
                continue
            known += 1
            assert value == pytest.approx(-(mean + deviation * quantile(stats.norm.ppf(0.05))), rel=1e-9)
            if known % 20 == 0:
                tail = integrate.quad(lambda z: quantile(z) * stats.norm.pdf(z), -12, stats.norm.ppf(0.05))[0]
                assert beyond == pytest.approx(-(mean + deviation * tail / 0.05), rel=1e-6)
    assert known > asked / 3


def test_numpy_says_the_same_of_correlations() -> None:
    for window in windows():
        expected = np.corrcoef(window, rowvar=False)
        for one in range(len(COINS)):
            for other in range(len(COINS)):
                found = metrics.correlation(window[:, one], window[:, other])
                assert found == pytest.approx(expected[one, other], abs=1e-12)


def test_an_account_of_several_coins_is_the_sum_of_its_parts() -> None:
    """Numpy on returns times weights, of a day by the square root of 24; empyrical on what lies beyond."""
    import empyrical

    weights = np.array([0.4, 0.25, 0.05, 0.1])
    for window in windows():
        risk = PortfolioRisk(
            equity=Decimal(8_000),
            results=np.zeros(WINDOW),
            returns=dict(zip(COINS, window.T, strict=True)),
            to_a_day=math.sqrt(24),
        )
        for coin, weight in zip(COINS, weights, strict=True):
            risk = with_entry(risk, coin, Decimal(8_000) * Decimal(repr(float(weight))))
        results = window @ weights
        expected = -np.quantile(results, 0.05, method="inverted_cdf") * math.sqrt(24)
        beyond = -empyrical.conditional_value_at_risk(results, 0.05) * math.sqrt(24)
        assert risk.var_historical == pytest.approx(max(0, expected), rel=1e-9)
        assert risk.cvar_historical == pytest.approx(max(0, beyond), rel=1e-9)
