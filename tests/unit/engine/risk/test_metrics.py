"""Figures of returns against numbers reckoned by hand and formulas of their own."""

from __future__ import annotations

import math
import statistics
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.risk import metrics
from engine.risk.metrics import CVaRCalculator, VaRCalculator

VAR, CVAR = VaRCalculator(), CVaRCalculator()
WORST_FIRST = np.array([-0.10, -0.08, *(0.001 * n for n in range(38))])
"""Forty returns, two of them in the tail of 5 %."""
RETURNS = arrays.arrays(np.float64, st.integers(20, 300), elements=st.floats(-0.5, 0.5).map(lambda x: round(x, 6)))


def series(seed: int, count: int = 300, skewed: float = 0.0) -> np.ndarray:
    draws = np.random.default_rng(seed).standard_normal(count)
    return 0.01 * (draws + skewed * (draws**2 - 1))


def test_returns_are_the_changes_of_each_close():
    assert metrics.simple_returns(np.array([100.0, 110.0, 99.0])) == pytest.approx([0.1, -0.1])
    assert len(metrics.simple_returns(np.array([100.0]))) == 0


def test_by_history_the_second_worst_of_forty_is_at_risk_and_the_mean_of_both_beyond_it():
    shuffled = np.random.default_rng(1).permutation(WORST_FIRST)
    assert VAR.historical(shuffled) == pytest.approx(0.08)
    assert CVAR.historical(shuffled) == pytest.approx(0.09)


def test_the_last_of_a_broken_tail_counts_in_part():
    """Of fifty returns 2.5 are the tail: (0.10 + 0.08 + 0.5 * 0.04) / 2.5."""
    fifty = np.array([-0.10, -0.08, -0.04, *[0.0] * 47])
    assert VAR.historical(fifty) == pytest.approx(0.04)
    assert CVAR.historical(fifty) == pytest.approx(0.08)


def test_other_confidences_have_other_tails():
    assert VaRCalculator(confidence=0.9).historical(WORST_FIRST) == pytest.approx(-0.001)
    assert VaRCalculator(confidence=0.99).historical(WORST_FIRST) is None


def test_without_skew_and_kurtosis_cornish_fisher_is_the_normal():
    """The quantiles of the normal: 1.645 and 2.063 deviations are its value at risk and what lies beyond."""
    quantiles = np.array([NormalDist().inv_cdf((n + 0.5) / 20_000) for n in range(20_000)])
    returns = 0.02 * quantiles / quantiles.std()
    assert VAR.cornish_fisher(returns) == pytest.approx(0.02 * 1.644854, rel=1e-3)
    assert CVAR.cornish_fisher(returns) == pytest.approx(0.02 * 2.062713, rel=1e-3)


def test_cornish_fisher_reckoned_by_hand():
    """Eighteen of nothing, and one of each: mean 0, variance 0.1, skew 0, kurtosis (2/20) / 0.01 = 10, so 7 in excess.

    z = -1.644854, z^3 - 3z = 0.484338: w = -1.644854 + 0.484338 * 7 / 24 = -1.503588; times sqrt(0.1) * 0.01.
    """
    returns = 0.01 * np.array([-1.0, *[0.0] * 18, 1.0])
    assert VAR.cornish_fisher(returns) == pytest.approx(0.01 * math.sqrt(0.1) * 1.503588, rel=1e-5)


@pytest.mark.parametrize(("seed", "skewed"), [(1, 0.0), (2, 0.05), (3, -0.1), (4, -0.2)])
def test_what_lies_beyond_is_the_mean_of_the_values_at_risk_in_the_tail(seed: int, skewed: float):
    returns = series(seed, skewed=skewed)
    mean, deviation = statistics.fmean(returns), statistics.pstdev(returns)
    skew = statistics.fmean(((x - mean) / deviation) ** 3 for x in returns)
    excess = statistics.fmean(((x - mean) / deviation) ** 4 for x in returns) - 3

    def at_risk(share: float) -> float:
        z = NormalDist().inv_cdf(share)
        w = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
        return -(mean + deviation * w)

    assert VAR.cornish_fisher(returns) == pytest.approx(at_risk(0.05))
    tail = [at_risk(0.05 * (n + 0.5) / 5000) for n in range(5000)]
    assert CVAR.cornish_fisher(returns) == pytest.approx(statistics.fmean(tail), rel=2e-3)


def test_where_the_expansion_is_no_distribution_there_is_no_answer():
    crash = np.array([-0.5, *[0.001, -0.001] * 100])
    assert VAR.cornish_fisher(crash) is None
    assert CVAR.cornish_fisher(crash) is None
    assert VAR.historical(crash) == pytest.approx(0.001)


@given(RETURNS)
def test_history_agrees_with_counting(returns: np.ndarray):
    value, beyond = VAR.historical(returns), CVAR.historical(returns)
    assert value is not None
    assert beyond is not None
    assert (returns < -value).sum() <= 0.05 * len(returns) + 1e-9
    assert (returns <= -value).sum() >= 0.05 * len(returns) - 1e-9
    assert beyond >= value - 1e-12
    # Rockafellar and Uryasev (2000): what lies beyond is value + E[(loss - value)+] / (1 - confidence).
    assert beyond == pytest.approx(value + np.maximum(-returns - value, 0).mean() / 0.05, abs=1e-9)


@given(RETURNS, st.floats(0.1, 5), st.floats(-0.1, 0.1))
def test_risk_grows_with_size_and_is_less_by_what_is_certain(returns: np.ndarray, size: float, certain: float):
    for measure in (VAR.historical, CVAR.historical, VAR.cornish_fisher, CVAR.cornish_fisher):
        before, after = measure(returns), measure(returns * size + certain)
        if before is not None and after is not None:
            assert after == pytest.approx(before * size - certain, abs=1e-6)


@given(RETURNS)
def test_beyond_cornish_fisher_is_no_less(returns: np.ndarray):
    value, beyond = VAR.cornish_fisher(returns), CVAR.cornish_fisher(returns)
    assert (value is None) is (beyond is None)
    if value is not None and beyond is not None:
        assert beyond >= value - 1e-9


@pytest.mark.parametrize("returns", [[], [0.1], [0.01] * 19, [0.01] * 40 + [math.nan], [0.01] * 40 + [math.inf]])
def test_few_returns_and_such_as_are_none_have_no_value_at_risk(returns: list[float]):
    for calculator in (VAR, CVAR):
        assert calculator.historical(np.array(returns)) is None
        assert calculator.cornish_fisher(np.array(returns)) is None


def test_what_never_moves_is_at_no_risk():
    flat = np.full(40, 0.001)
    assert VAR.cornish_fisher(flat) == pytest.approx(-0.001)
    assert CVAR.cornish_fisher(flat) == pytest.approx(-0.001)


def test_volatility_of_a_day_is_that_of_a_candle_times_the_root_of_their_number():
    returns = np.expm1(np.array([0.01, -0.01, 0.01, -0.01]))
    assert metrics.realised_volatility(returns, 24) == pytest.approx(0.01 * math.sqrt(24))
    assert metrics.realised_volatility(returns, 1) == pytest.approx(0.01)


@pytest.mark.parametrize("returns", [[], [math.nan, 0.1]])
def test_of_nothing_there_is_no_volatility(returns: list[float]):
    assert metrics.realised_volatility(np.array(returns), 24) is None


def test_correlation_reckoned_by_hand():
    """Off their means: (-1, 0, 1) and (-1, 1, 0): 1 / sqrt(2 * 2)."""
    assert metrics.correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) == pytest.approx(0.5)


@given(st.data(), st.integers(3, 100))
def test_correlation_agrees_with_the_standard_library(data: st.DataObject, count: int):
    column = st.lists(st.integers(-5000, 5000).map(lambda n: n / 10_000), min_size=count, max_size=count)
    left, right = data.draw(column), data.draw(column)
    assume(len(set(left)) > 1 and len(set(right)) > 1)
    found = metrics.correlation(np.array(left), np.array(right))
    assert found == pytest.approx(statistics.correlation(left, right), abs=1e-9)
    assert metrics.correlation(np.array(left), np.array(left)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("left", "right"), [([], []), ([1, 2], [2, 1]), ([0.1, 0.1, 0.1], [1, 2, 3]), ([1, 2, math.nan], [1, 2, 3])]
)
def test_too_few_pairs_what_never_moved_and_what_is_no_number_have_no_correlation(
    left: list[float], right: list[float]
):
    assert metrics.correlation(np.array(left, dtype=float), np.array(right, dtype=float)) is None


def test_returns_of_different_candles_are_no_pairs():
    with pytest.raises(ValueError, match="2 and 3"):
        metrics.correlation(np.zeros(2), np.zeros(3))
