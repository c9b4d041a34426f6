"""What the combinations of a sweep have in common is made once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.choosing import everything
from engine.backtest.combination import PERIODS, Combination, Merit, combination
from engine.backtest.grid import Axis, Grid
from engine.backtest.kept_sweep import KeptSweep
from engine.backtest.kernel_run import backtest
from engine.backtest.returns import curve_of, return_figures
from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, RiskTerms
from engine.backtest.slots import Shared
from engine.backtest.sweep import sweep
from engine.domain.market import from_millis
from engine.ports import Strategy
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


def crosses(fast: int, slow: int) -> BacktestSetup:
    return setup(SmaCross(fast=fast, slow=slow), jumpy(1, 1_500), jumpy(2, 1_400, symbol="ETH/USDT"))


def test_readings_are_shared_and_a_combination_is_what_a_backtest_comes_to() -> None:
    shared, made = Shared(), []
    one = crosses(5, 20)
    for fast, slow in ((5, 20), (5, 30), (8, 20), (8, 30)):
        asked = setup(SmaCross(fast=fast, slow=slow), *one.candles.values(), analyzer=one.analyzer)
        found = combination(asked, {"fast": fast, "slow": slow}, shared)
        made.append(shared.values)
        alone = backtest(asked)
        assert found.gain == pytest.approx(alone.net / alone.cash, rel=1e-12)
        assert (found.trades, found.won) == (len(alone.trades), sum(each.net > 0 for each in alone.trades))
        assert np.prod(1 + found.returns.astype(float)) == pytest.approx(1 + found.gain, rel=1e-4)
    columns = [each // 2_900 for each in made]
    assert np.diff(columns).tolist() == [1, 1, 0]  # ma_30, ma_8, and then all is there
    assert len(shared.markets) == 1


@pytest.mark.parametrize("hours", [3, 24, 27 * 24, 60 * 24])
@pytest.mark.parametrize(
    ("strategy", "terms"),
    [
        (SmaCross(fast=5, slow=20), BareTerms(size=0.6)),
        (SmaCross(fast=5, slow=20), BareTerms(fill_at=FillAt.SIGNAL_CLOSE)),
        (RsiBands(rsi_low=45.0), RiskTerms(min_candles=1)),
    ],
)
def test_its_figures_are_those_of_a_backtest(strategy: Strategy, terms: BareTerms | RiskTerms, hours: int) -> None:
    """Over a few hours, to a midnight, and over so many days that there is a Sharpe ratio."""
    begins = from_millis(int(jumpy(5, 1).open_ms[0])) + timedelta(days=3, hours=7)
    span = {"start": begins, "end": begins + timedelta(hours=hours - 7 if hours % 24 == 0 else hours)}
    asked = setup(strategy, jumpy(5, 2_000), jumpy(6, 1_900, symbol="ETH/USDT"), terms=terms, **span)
    found, result = combination(asked, {}, Shared()), backtest(asked)
    curve = curve_of(result.begins, result.cash, result.daily)
    figures = return_figures(curve)
    assert found.gain == pytest.approx(figures.gain, rel=1e-12, abs=1e-15)
    assert found.sharpe == (None if figures.sharpe is None else pytest.approx(figures.sharpe, rel=1e-12))
    assert found.drawdown == (pytest.approx(figures.drawdown.depth, rel=1e-12) if figures.drawdown else 0.0)
    assert (found.trades, found.won) == (len(result.trades), sum(each.net > 0 for each in result.trades))
    assert found.fees == pytest.approx(result.fees, rel=1e-12)
    if len(curve.returns) <= PERIODS:
        np.testing.assert_array_equal(found.returns, curve.returns.astype(np.float32))
    assert hours <= 24 or result.trades


def test_by_the_risk_limits_and_what_never_trades_has_no_sharpe_ratio(tmp_path: Path) -> None:
    series, analyzer = jumpy(3, 1_200), TechnicalAnalyzer()

    def vary(params: dict) -> BacktestSetup:
        return setup(RsiBands(**params), series, terms=RiskTerms(), analyzer=analyzer)

    grid = Grid(axes=(Axis(name="rsi_low", values=(0.5, 30.0, 40.0)),))
    found = sweep(vary, everything(grid), Merit.SHARPE, KeptSweep(file=tmp_path / "kept"), workers=1)
    assert [each.params["rsi_low"] for each in found.combinations][-1] == 0.5
    last = found.combinations[-1]
    assert isinstance(last, Combination)
    assert (last.sharpe, last.trades, last.gain) == (None, 0, 0.0)
    assert found.combinations[0].trades > 5
