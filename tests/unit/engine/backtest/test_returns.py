"""What an account's days say, by numbers that were worked out by hand and by other people's formulas."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engine.backtest.returns import Curve, curve_of, drawdown, monthly, return_figures, sharpe, sortino
from engine.domain.backtests import DailyEquity
from engine.domain.market import to_millis

BEGIN = datetime(2024, 1, 30, tzinfo=UTC)
DAY = 86_400_000


def curve(*equity: float, begin: datetime = BEGIN) -> Curve:
    return Curve(at_ms=to_millis(begin) + DAY * np.arange(len(equity)), equity=np.array(equity, dtype=float))


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)


def of_returns(returns: np.ndarray) -> Curve:
    return curve(*np.cumprod([10_000, *(1 + returns)]))


def test_a_run_that_lost_62_percent_has_fallen_by_no_less() -> None:
    """The claim "drawdown 1.2 %" of such a run: the mean of steps, or falls below yesterday, are no drawdown."""
    steady = curve(*10_000 * np.linspace(1, 0.38, 63))
    found = return_figures(steady)
    assert found.gain == pytest.approx(-0.62)
    assert found.drawdown
    assert found.drawdown.depth == pytest.approx(0.62)
    assert (found.drawdown.peak_at, found.drawdown.lowest_at, found.drawdown.recovered_at) == (day(0), day(62), None)
    assert found.under_water == timedelta(days=62)
    assert found.sharpe
    assert found.sharpe < 0
    assert found.cagr
    assert -1 < found.cagr < -0.98


@pytest.mark.parametrize("seed", range(5))
def test_no_run_has_lost_more_than_it_has_fallen(seed: int) -> None:
    found = return_figures(of_returns(np.random.default_rng(seed).normal(-0.01, 0.05, 200)))
    assert found.drawdown
    assert found.drawdown.depth >= -found.gain


def test_the_deepest_fall_has_its_dates() -> None:
    found = drawdown(curve(100, 120, 90, 130, 104, 117, 78, 140, 139))
    assert found
    assert found.depth == pytest.approx(0.4)
    assert (found.peak_at, found.lowest_at, found.recovered_at) == (day(3), day(6), day(7))
    assert drawdown(curve(100, 100, 105)) is None
    first = drawdown(curve(100, 50, 100, 50))
    assert first
    assert (first.lowest_at, first.recovered_at) == (day(1), day(2))


def test_under_water_is_the_longest_and_not_the_deepest() -> None:
    assert return_figures(curve(100, 50, 101, 100, 99, 100.5, 102, 103)).under_water == timedelta(days=4)
    assert return_figures(curve(100, 50, 101, 102, 101, 101, 101)).under_water == timedelta(days=3)
    assert return_figures(curve(100, 101, 101, 103)).under_water == timedelta(0)


def test_ratios_of_a_year_by_hand() -> None:
    returns = np.tile([0.02, -0.01, 0.03, 0.00], 5)  # of four days: mean 0.01, squares off it 0.001, of losses 0.0001
    assert sharpe(returns) == pytest.approx(0.01 / math.sqrt(5 * 0.001 / 19) * math.sqrt(365))
    assert sortino(returns) == pytest.approx(0.01 / math.sqrt(0.0001 / 4) * math.sqrt(365))
    found = return_figures(of_returns(returns))
    assert (found.days, found.best_day, found.worst_day) == (20, pytest.approx(0.03), pytest.approx(-0.01))
    assert (found.cagr, found.calmar) == (None, None)  # of less than a month nothing is said about a year
    fewer = return_figures(of_returns(returns[:19]))
    assert (fewer.sharpe, fewer.sortino, fewer.volatility, fewer.var) == (None, None, None, None)
    assert fewer.gain > 0
    year = return_figures(of_returns(np.full(730, 0.001)))
    assert year.cagr == pytest.approx(1.001**365 - 1)
    assert (year.sortino, year.calmar, year.drawdown) == (None, None, None)


def test_value_at_risk_is_that_of_the_worst_days() -> None:
    returns = np.array([-0.05, -0.03, *np.linspace(0, 0.02, 38)])
    found = return_figures(of_returns(returns))
    assert (found.var, found.cvar) == (pytest.approx(0.03), pytest.approx(0.04))


def test_what_never_moves_has_no_ratios() -> None:
    found = return_figures(curve(*[10_000] * 40))
    assert (found.gain, found.cagr, found.volatility) == (0, 0, 0)
    assert (found.sharpe, found.sortino, found.calmar, found.drawdown) == (None, None, None, None)
    alone = return_figures(curve(10_000, 9_000))
    assert (alone.days, alone.sharpe, alone.volatility) == (1, None, None)


def test_an_end_at_midnight_is_one_point() -> None:
    at = to_millis(BEGIN) + DAY * np.array([1, 2, 2])
    daily = DailyEquity(at_ms=at, equity=np.array([11.0, 12.0, 13.0]), exposure=np.zeros(3))
    found = curve_of(BEGIN, 10.0, daily)
    assert found.equity.tolist() == [10, 11, 13]
    assert found.returns.tolist() == pytest.approx([0.1, 2 / 11])


def test_months_end_at_midnight_and_the_first_may_be_a_part() -> None:
    days = [100.0, 110.0, 99.0, *[99.0] * 28, 99.0, 108.9]  # two days of January, 29 of February, two of March
    assert monthly(curve(*days)) == {
        (2024, 1): pytest.approx(-0.01),
        (2024, 2): 0,
        (2024, 3): pytest.approx(0.1),
    }
    changes = monthly(of_returns(np.random.default_rng(1).normal(0, 0.02, 900)))
    whole = return_figures(of_returns(np.random.default_rng(1).normal(0, 0.02, 900))).gain
    assert np.prod([1 + each for each in changes.values()]) == pytest.approx(1 + whole)


@pytest.mark.slow  # it loads scipy
@pytest.mark.parametrize("seed", range(4))
def test_empyrical_says_the_same(seed: int) -> None:
    import empyrical

    returns = np.random.default_rng(seed).standard_t(4, 400) * 0.02 + 0.001
    found = return_figures(of_returns(returns))
    year = {"annualization": 365}
    assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(returns, **year))
    assert found.sortino == pytest.approx(empyrical.sortino_ratio(returns, **year))
    assert found.volatility == pytest.approx(empyrical.annual_volatility(returns, **year))
    assert found.cagr == pytest.approx(empyrical.cagr(returns, **year))
    assert found.calmar == pytest.approx(empyrical.calmar_ratio(returns, **year))
    assert found.gain == pytest.approx(empyrical.cum_returns_final(returns))
    assert found.drawdown
    assert found.drawdown.depth == pytest.approx(-empyrical.max_drawdown(returns))
    assert found.cvar == pytest.approx(-empyrical.conditional_value_at_risk(returns, 0.05), rel=0.03)  # 20 or 21 days
