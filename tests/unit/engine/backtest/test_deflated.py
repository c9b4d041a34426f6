"""What a Sharpe ratio is worth after so many trials."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engine.backtest.deflated import Tried, deflated_sharpe, tried_with
from engine.backtest.overfitting import probability_of_overfitting
from engine.backtest.trials import Trial

AT = datetime(2026, 1, 1, tzinfo=UTC)
OWN = Trial(
    at=AT,
    command="backtest",
    data="d",
    symbols=("BTC/USDT",),
    begins=AT - timedelta(days=100),
    ends=AT,
    settings={"fast": 1},
    sharpe=1.0,
    mean=1.0,
)


def some_returns(seed: int = 1, count: int = 700, mean: float = 0.001) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(5, count) * 0.01 + mean


def test_the_example_of_the_paper() -> None:
    """Bailey & López de Prado 2014, their example: 100 trials, variance 1/2, 1250 days, skewness -3, kurtosis 10."""
    tried = Tried(count=100, variance=0.5)
    assert tried.expected_best / 250**0.5 == pytest.approx(0.1132, abs=5e-5)


def test_more_trials_are_worth_less_and_one_is_the_plain_probability() -> None:
    found = [deflated_sharpe(some_returns(), Tried(count=count, variance=0.4)) for count in (1, 2, 10, 1_000)]
    assert found[0]
    assert found[0] > 0.95
    assert found == sorted(found, key=lambda each: -(each or 0))
    assert found[-1]
    assert found[-1] < 0.5
    assert deflated_sharpe(some_returns(), Tried(count=1, variance=9.0)) == found[0]


@pytest.mark.parametrize("returns", [np.zeros(500), some_returns(count=19), np.array([])])
def test_what_says_nothing_has_no_probability(returns: np.ndarray) -> None:
    assert deflated_sharpe(returns, Tried(count=1, variance=0.0)) is None


def test_what_counts_is_what_was_tried_on_the_same_market_and_time_once_each() -> None:
    other = replace(OWN, settings={"fast": 2}, sharpe=3.0, mean=3.0)
    later = replace(other, at=AT + timedelta(days=1))
    elsewhere = replace(other, symbols=("ETH/USDT",))
    before = replace(other, begins=AT - timedelta(days=200), ends=AT - timedelta(days=100))
    assert tried_with(OWN, []) == Tried(count=1, variance=0.0)
    assert tried_with(OWN, [OWN, other, later, elsewhere, before]) == Tried(count=2, variance=2.0)
    both = replace(other, symbols=("ETH/USDT", "BTC/USDT"), begins=AT - timedelta(days=1), ends=AT + timedelta(days=9))
    assert tried_with(OWN, [both, other]).count == 3
    idle = replace(other, sharpe=None, mean=None)
    assert tried_with(OWN, [idle]) == Tried(count=2, variance=0.0)


def test_a_sweep_counts_as_all_that_it_tried() -> None:
    sharpes = np.random.default_rng(3).normal(0.5, 0.8, 200)
    swept = replace(
        OWN,
        command="sweep",
        count=200,
        settings={"varied": 1},
        mean=float(sharpes.mean()),
        variance=float(sharpes.var(ddof=1)),
    )
    found = tried_with(OWN, [swept])
    assert found.count == 201
    assert found.variance == pytest.approx(np.var([*sharpes, 1.0], ddof=1))


def test_the_best_of_noise_is_worth_no_more_than_chance() -> None:
    """Of 200 strategies that know nothing the best has a Sharpe ratio that anybody would be proud of."""
    returns = np.random.default_rng(5).normal(0, 0.02, (365, 200))
    sharpes = returns.mean(axis=0) / returns.std(axis=0, ddof=1) * 365**0.5
    best = returns[:, sharpes.argmax()]
    naive = deflated_sharpe(best, Tried(count=1, variance=0.0))
    honest = deflated_sharpe(best, Tried(count=200, variance=float(sharpes.var(ddof=1))))
    assert sharpes.max() > 2
    assert naive
    assert naive > 0.98
    assert honest
    assert honest < 0.9
    found = [probability_of_overfitting(np.random.default_rng(s).normal(0, 1, (200, 50)), parts=8) for s in range(9)]
    assert 0.35 < np.mean(found) < 0.65  # as often below the median as above it


def test_a_choice_that_holds_is_not_overfitted() -> None:
    returns = np.random.default_rng(5).normal(0, 0.01, (320, 12))
    returns[:, 7] += 0.003
    assert (probability_of_overfitting(returns) or 0) < 0.01
    assert probability_of_overfitting(np.repeat(returns[:, :1], 3, axis=1)) == 0.5  # all the same: a choice of nothing
    assert probability_of_overfitting(np.zeros((320, 4))) == 0.5


def test_the_best_of_the_past_that_is_the_worst_of_the_future_is_overfitted() -> None:
    """Each of two is good in one half of time alone: which one is chosen is always wrong where a half is left."""
    half = np.random.default_rng(2).normal(0, 0.001, 100) + 0.01
    returns = np.column_stack([np.concatenate([half, -half]), np.concatenate([-half, half])])
    assert probability_of_overfitting(returns, parts=2) == 1


@pytest.mark.parametrize("shape", [(320, 1), (31, 5), (0, 5)])
def test_where_nothing_was_chosen_there_is_no_probability(shape: tuple[int, int]) -> None:
    assert probability_of_overfitting(np.zeros(shape)) is None


@pytest.mark.slow  # it loads scipy and scikit-learn
def test_purgedcv_says_the_same() -> None:
    import purgedcv

    for count in (1, 2, 50, 5_000):
        wanted = purgedcv.deflated_sharpe_ratio(some_returns(), count, 0.3, bars_per_year=365)
        assert deflated_sharpe(some_returns(), Tried(count=count, variance=0.3)) == pytest.approx(wanted, abs=1e-5)
    rng = np.random.default_rng(1)
    for combinations in (2, 8, 30):
        returns = rng.normal(0, 0.01, (203, combinations))
        wanted = purgedcv.probability_of_backtest_overfitting(returns.T, n_splits=8).pbo
        assert probability_of_overfitting(returns, parts=8) == pytest.approx(wanted)
