"""What the combinations of a sweep have in common is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.choosing import everything
from engine.backtest.combination import Combination, Merit, combination
from engine.backtest.grid import Axis, Grid
from engine.backtest.kept_sweep import KeptSweep
from engine.backtest.kernel_run import backtest
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.sweep import sweep
from engine.backtest.tape import Shared
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


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
    assert len(shared.grounds) == 1


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
