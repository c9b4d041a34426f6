"""A backtest with everything that is told of it: its figures, and how far they are more than chance.

result ─▶ statistics ─▶ a trial, written down ─▶ what else was tried ─▶ evidence ─▶ BacktestReport
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from engine.backtest.bootstrap import Interval, sharpe_interval, superior_ability, win_rate_interval
from engine.backtest.deflated import Tried, deflated_sharpe, tried_with
from engine.backtest.registry import TrialRegistry
from engine.backtest.setup import BacktestSetup
from engine.backtest.statistics import Statistics, statistics
from engine.backtest.trials import trial_of
from engine.domain.backtests import BacktestResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How far figures are more than chance; ``None`` where there is too little to say.

    Attributes:
        sharpe, win_rate: Where 95 of 100 resamples of its days and of its trades lie.
        beats_hold: The p-value of the test of superior ability: below 0.05 it is believed to beat holding.
        tried: What was tried on the same markets in the same time.
        deflated: How likely the true Sharpe ratio is above what the best of these has by chance; above 0.95 it is
            believed.
    """

    sharpe: Interval | None
    win_rate: Interval | None
    beats_hold: float | None
    tried: Tried
    deflated: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BacktestReport:
    """What was run, what it came to, and what that is worth."""

    setup: BacktestSetup
    result: BacktestResult
    statistics: Statistics
    evidence: Evidence


def report_of(
    setup: BacktestSetup, result: BacktestResult, registry: TrialRegistry, *, at: datetime, rng: np.random.Generator
) -> BacktestReport:
    """Tell of a backtest, and write it down as a trial.

    Args:
        setup: What was run.
        result: What it came to.
        registry: Where trials are written down.
        at: When, in wall time.
        rng: Where the chance of resampling comes from.

    Raises:
        StoreError: The register of trials cannot be used.
    """
    found = statistics(setup, result)
    trial = trial_of(setup, [found.account.sharpe], command="backtest", at=at, span=(result.begins, result.ends))
    registry.add(trial)
    tried = tried_with(trial, registry.trials())
    returns, hold = found.curve.returns, found.hold_curve.returns
    evidence = Evidence(
        sharpe=sharpe_interval(returns, rng),
        win_rate=win_rate_interval(np.array([trade.net for trade in result.trades]), rng),
        beats_hold=superior_ability(returns, hold, rng),
        tried=tried,
        deflated=deflated_sharpe(returns, tried),
    )
    return BacktestReport(setup=setup, result=result, statistics=found, evidence=evidence)
