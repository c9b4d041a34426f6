"""The figures of a backtest, against those of buying the same markets and holding them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from engine.backtest.holding import bought_and_held
from engine.backtest.returns import DAYS_A_YEAR, Curve, ReturnFigures, curve_of, return_figures
from engine.backtest.setup import BacktestSetup
from engine.domain.backtests import BacktestResult, Counted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statistics:
    """What a backtest comes to. What is held at the end counts at its last close, without what selling it would cost.

    Attributes:
        curve, hold_curve: The account, and the same cash bought and held, at the ends of days.
        account, hold: What these come to.
        trades: All of them; ``by_context``, ``by_symbol`` and ``by_reason`` by what they have in common.
        exposure: The mean part of the account that was held at the ends of days.
        in_market: The part of the time in which anything was held.
        turnover: What was bought and sold in a year, as a multiple of the mean equity.
    """

    curve: Curve
    hold_curve: Curve
    account: ReturnFigures
    hold: ReturnFigures
    trades: Counted
    by_context: dict[str, Counted]
    by_symbol: dict[str, Counted]
    by_reason: dict[str, Counted]
    exposure: float
    in_market: float
    turnover: float


def statistics(setup: BacktestSetup, result: BacktestResult) -> Statistics:
    """The figures of a backtest."""
    curve = curve_of(result.begins, result.cash, result.daily)
    hold = bought_and_held(setup, curve)
    return Statistics(
        curve=curve,
        hold_curve=hold,
        account=return_figures(curve),
        hold=return_figures(hold),
        trades=result.all_trades(),
        by_context=result.by_context(),
        by_symbol=result.by_symbol(),
        by_reason=result.by_reason(),
        exposure=float(np.mean(result.daily.exposure / result.daily.equity)),
        in_market=_in_market(result),
        turnover=_turnover(result, curve),
    )


def _in_market(result: BacktestResult) -> float:
    spans = [(each.opened_at, each.closed_at) for each in result.trades]
    spans += [(each.opened_at, result.ends) for each in result.held]
    return _covered(spans) / (result.ends - result.begins)


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """How much time lies within any of some spans."""
    found, reached = timedelta(0), None
    for begin, end in sorted(spans):
        since = begin if reached is None else max(begin, reached)
        if end > since:
            found, reached = found + (end - since), end
    return found


def _turnover(result: BacktestResult, curve: Curve) -> float:
    traded = sum(each.quantity * (each.entry_price + each.exit_price) for each in result.trades)
    traded += sum(each.quantity * each.entry_price for each in result.held)
    years = (result.ends - result.begins) / timedelta(days=DAYS_A_YEAR)
    return traded / float(curve.equity.mean()) / years
