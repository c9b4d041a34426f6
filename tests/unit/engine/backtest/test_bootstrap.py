"""Intervals and tests by resampling: they hold what they promise, and the same seed says the same."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from engine.backtest.bootstrap import Interval, sharpe_interval, superior_ability, win_rate_interval
from engine.backtest.returns import sharpe

pytestmark = pytest.mark.xdist_group("kernel")  # where arch is loaded anyway


def chance(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_interval_holds_the_figure_and_narrows_with_time() -> None:
    returns = chance(1).normal(0.001, 0.02, 1_460)
    long, short = (sharpe_interval(each, chance()) for each in (returns, returns[:180]))
    assert long
    assert short
    assert long.low < (sharpe(returns) or 0) < long.high
    assert short.high - short.low > 1.7 * (long.high - long.low)
    assert 1.7 < long.high - long.low < 2.2  # four standard errors, each about sqrt(1 / years)


def test_days_that_follow_each_other_count_less_than_independent_ones() -> None:
    shocks = chance(2).normal(0, 0.02, 2_000)
    alike = np.convolve(shocks, np.full(10, 0.1), mode="valid")
    clustered = sharpe_interval(alike, chance())
    mixed = sharpe_interval(chance(3).permutation(alike), chance())
    assert clustered
    assert mixed
    assert clustered.high - clustered.low > 1.8 * (mixed.high - mixed.low)


def test_the_win_rate_of_few_trades_may_be_anything() -> None:
    many = win_rate_interval(chance(4).normal(0.1, 1, 1_000), chance())
    few = win_rate_interval(np.array([1.0, -1.0] * 10), chance())
    assert many
    assert few
    assert 0.05 < many.high - many.low < 0.08  # 4 * sqrt(0.25 / 1000)
    assert few.low < 0.5 < few.high


def test_the_same_seed_says_the_same() -> None:
    returns = chance(1).normal(0.001, 0.02, 400)
    assert sharpe_interval(returns, chance(5)) == sharpe_interval(returns, chance(5))
    assert sharpe_interval(returns, chance(5)) != sharpe_interval(returns, chance(6))
    hold = chance(2).normal(0.0, 0.02, 400)
    assert superior_ability(returns, hold, chance(5)) == superior_ability(returns, hold, chance(5))


@pytest.mark.parametrize("values", [np.array([]), np.ones(19), np.linspace(-1, 1, 19), np.ones(300), np.zeros(300)])
def test_few_or_equal_values_have_no_interval(values: np.ndarray) -> None:
    assert sharpe_interval(values, chance()) is None
    assert win_rate_interval(values, chance()) is None
    assert superior_ability(values, values, chance()) is None


def test_mostly_idle_days_have_an_interval_all_the_same() -> None:
    returns = np.zeros(400)
    returns[200] = 0.01
    assert isinstance(sharpe_interval(returns, chance()), Interval)


def test_who_is_better_than_holding_is_told_from_who_is_not() -> None:
    hold = chance(1).normal(0.0, 0.02, 600)
    better = hold + chance(2).normal(0.004, 0.01, 600)
    worse = hold + chance(3).normal(-0.002, 0.01, 600)
    found = [superior_ability(each, hold, chance()) for each in (better, worse)]
    assert found[0] is not None
    assert found[0] < 0.01
    assert found[1]
    assert found[1] > 0.5
    together = superior_ability(np.column_stack([worse, better]), hold, chance())
    assert together is not None
    assert together < 0.01


def test_the_best_of_many_that_know_nothing_is_not_believed() -> None:
    hold = chance(4).normal(0.0, 0.02, 400)
    many = hold[:, None] + chance(5).normal(0, 0.01, (400, 60))
    alone = superior_ability(many[:, many.mean(axis=0).argmax()], hold, chance())
    among = superior_ability(many, hold, chance())
    assert alone is not None
    assert among is not None
    assert alone < 0.05 < among


@pytest.mark.slow  # a start of the interpreter, and all of arch
def test_what_arch_has_beside_is_not_loaded_and_can_be() -> None:
    code = """
import sys
import numpy as np
from engine.backtest.arch_bootstrap import arch_bootstrap
from engine.backtest.bootstrap import sharpe_interval
room, days, rng = arch_bootstrap(), np.sin(np.arange(99.0)), np.random.default_rng(1)
assert sharpe_interval(days, rng)
print({"statsmodels", "matplotlib", "arch.univariate", "scipy.stats"} & set(sys.modules))
assert room.StationaryBootstrap(3, days, seed=rng).conf_int(np.mean, 20, method="bc").shape == (2, 1)
import scipy.stats
assert scipy.stats is sys.modules["scipy.stats"]
import arch
print(arch.arch_model.__name__, sys.modules["arch.bootstrap"] is room)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["set()", "arch_model True"]
