"""What a layer adds is measured in pairs, with an interval that knows what both runs have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engine.backtest.layer_figures import Stretch, differences, figures_of, stretch_of, total_difference, total_of
from engine.backtest.returns import Curve
from engine.domain.backtests import BacktestTrade
from engine.domain.market import to_millis

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)


def trade(day: int, net: float, *, hours: int = 0) -> BacktestTrade:
    opened = BEGIN + timedelta(days=day, hours=hours)
    return BacktestTrade(
        context="c",
        symbol="BTC/USDT",
        opened_at=opened,
        closed_at=opened + timedelta(hours=5),
        quantity=1.0,
        entry_price=100.0,
        exit_price=101.0 + net,
        fees=1.0,
        slippage=None,
        reason="target",
    )


def market(days: int = 300, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, days)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_what_is_added_to_every_day_is_sure_however_wild_the_days_are():
    wild = market()
    own, better = Stretch(returns=wild, trades=()), Stretch(returns=wild + 0.001, trades=())
    added = differences(better, own, rng()).sharpe
    assert added.value is not None
    assert added.interval is not None
    assert 0 < added.interval.low < added.value < added.interval.high
    alone = figures_of(better, rng()).sharpe
    assert alone.interval is not None
    assert added.interval.high - added.interval.low < (alone.interval.high - alone.interval.low) / 4


def test_chance_is_not_taken_for_an_addition():
    own, other = (Stretch(returns=market(seed=seed), trades=()) for seed in (3, 4))
    added = differences(other, own, rng()).gain
    assert added.interval is not None
    assert added.interval.low < 0 < added.interval.high


def test_the_same_run_adds_exactly_nothing():
    run = Stretch(returns=market(), trades=tuple(trade(day, (-1) ** day) for day in range(40)))
    added = differences(run, run, rng())
    for figure in (added.sharpe, added.gain, added.drawdown, added.win_rate, added.fees):
        assert figure.interval is not None
        assert (figure.value, figure.interval.low, figure.interval.high) == (0.0, 0.0, 0.0)
    assert added.trades == 0


def test_trades_that_were_kept_out_of_it_change_the_share_that_is_won():
    trades = tuple(trade(day, 2.0 if day % 3 else -2.0) for day in range(60))
    kept = tuple(each for number, each in enumerate(trades) if number % 3 or number % 2)
    quiet = np.zeros(60)
    added = differences(Stretch(returns=quiet, trades=kept), Stretch(returns=quiet, trades=trades), rng())
    assert (added.trades, added.fees.value) == (-10, -10.0)
    assert added.fees.interval is not None
    assert added.fees.interval.low < -10 < added.fees.interval.high <= 0
    assert added.win_rate.value == pytest.approx(0.8 - 2 / 3)
    assert added.win_rate.interval is not None
    assert 0 < added.win_rate.interval.low < added.win_rate.value < added.win_rate.interval.high


def test_few_days_have_a_figure_and_no_interval():
    found = figures_of(Stretch(returns=market(5), trades=(trade(0, 1.0),)), rng())
    assert (found.gain.interval, found.sharpe.value, found.win_rate.interval) == (None, None, None)
    assert (found.trades, found.win_rate.value) == (1, 1.0)
    assert figures_of(Stretch(returns=np.array([]), trades=()), rng()).gain.value is None


def test_a_run_falls_into_what_was_before_a_day_and_what_came_after_it():
    at = np.array([to_millis(BEGIN + timedelta(days=day)) for day in range(11)])
    curve = Curve(at_ms=at, equity=np.linspace(100, 110, 11))
    trades, cut = [trade(day, 1.0) for day in range(10)], BEGIN + timedelta(days=4)
    before, after = stretch_of(curve, trades, None, cut), stretch_of(curve, trades, cut, None)
    assert (len(before.returns), len(after.returns)) == (4, 6)
    assert [len(each.trades) for each in (before, after)] == [4, 6]
    assert np.concatenate([before.returns, after.returns]) == pytest.approx(curve.returns)


def test_how_far_it_fell_is_told_of_a_fall_that_begins_at_once():
    found = figures_of(Stretch(returns=np.array([-0.1, 0.2, -0.5]), trades=()), rng())
    assert found.drawdown.value == pytest.approx(0.5)
    assert figures_of(Stretch(returns=np.array([-0.1, 0.05]), trades=()), rng()).drawdown.value == pytest.approx(0.1)


def test_what_trades_and_calls_cost_together_has_an_interval_around_it():
    costs = np.random.default_rng(4).uniform(0.001, 0.003, 80)
    found = total_of(list(costs), rng())
    assert found.value == pytest.approx(costs.sum())
    assert found.interval is not None
    assert 0.8 * costs.sum() < found.interval.low < found.value < found.interval.high < 1.2 * costs.sum()
    run = Stretch(returns=np.zeros(60), trades=tuple(trade(day, 1.0) for day in range(60)))
    fees = figures_of(run, rng()).fees
    assert (fees.value, fees.interval) == (60.0, None), "where all are the same there is nothing to draw"
    assert total_of([], rng()).value == 0.0


def test_calls_that_both_made_are_no_part_of_what_one_cost_more():
    both = {f"k{number}": 0.002 for number in range(50)}
    more = both | {f"m{number}": 0.004 for number in range(25)}
    found = total_difference(more, both, rng())
    assert found.value == pytest.approx(0.1)
    assert found.interval is not None
    assert found.interval.low < 0.1 < found.interval.high
    assert total_difference(both, both, rng()).value == 0.0
    assert total_difference({}, {}, rng()).value == 0.0
