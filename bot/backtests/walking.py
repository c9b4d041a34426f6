"""``bot walkforward``: what would have come of always trading what was best until then.

windows ─▶ a sweep in each ─▶ its best traded in the time after ─▶ one account, joined
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import numpy as np

from bot.backtests.sweeping import Plan, chosen, kept_file
from bot.backtests.varying import Varied
from engine.backtest.combination import Combination
from engine.backtest.deflated import Tried, deflated_sharpe, tried_with
from engine.backtest.holding import bought_and_held
from engine.backtest.kept_sweep import Done, KeptSweep
from engine.backtest.kernel_run import backtest
from engine.backtest.look_ahead import refuse_peeking
from engine.backtest.registry import TrialRegistry
from engine.backtest.returns import Curve, ReturnFigures, curve_of, return_figures, sharpe
from engine.backtest.sweep import sweep
from engine.backtest.trials import trial_of
from engine.backtest.windows import Window
from engine.domain.backtests import BacktestResult
from engine.domain.errors import BadInput
from engine.domain.market import to_millis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One window: what was best in it, and what that came to afterwards.

    Attributes:
        best: ``None`` where no combination traded: then nothing is bought.
        outside: The time after; ``None`` as above.
        sharpe: Of a year, in the time after.
        left: The account at the end, what was still held sold at the last price, with its fee.
        gain: As a fraction, of that.
    """

    window: Window
    tried: int
    best: Combination | None
    outside: BacktestResult | None
    sharpe: float | None
    left: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """All windows as one account.

    Attributes:
        curve, hold_curve: The account out of sample, and the same cash bought and held.
        account, hold: What these come to.
        kept: The mean Sharpe ratio out of sample as a part of that in sample; ``None`` where that is not above 0.
        tried: What was tried on these markets.
        deflated: How likely the true Sharpe ratio out of sample is above 0 by more than chance.
        stopped: Whether it was stopped; then the last windows are not there.
    """

    steps: tuple[Step, ...]
    curve: Curve
    hold_curve: Curve
    account: ReturnFigures
    hold: ReturnFigures
    kept: float | None
    tried: Tried
    deflated: float | None
    stopped: bool


def walk(
    varied: Varied,
    windows: Sequence[Window],
    plan: Plan,
    register: TrialRegistry,
    now: Callable[[], datetime],
    *,
    is_stopped: Callable[[], bool],
    on_done: Callable[[int, Sequence[Done]], None],
) -> Walk:
    """Sweep in each window and trade the best in the time after it. What is held at the end of a test is sold.

    Args:
        varied: What is varied.
        windows: In their order.
        plan: How each is swept.
        register: Gets a row, with all combinations of all windows.
        now: The time on the wall.
        is_stopped: Whether to stop.
        on_done: Hears the number of the window and what was done in it.

    Raises:
        BadInput: It was stopped before the first window was done.
        GreenlightError: The strategy looks ahead, a combination failed, or what is done cannot be kept.
    """
    refuse_peeking(varied.setup)
    steps: list[Step] = []
    files: list[KeptSweep] = []
    sharpes: list[float | None] = []
    cash, stopped = varied.setup.cash, False
    for number, window in enumerate(windows):
        inside = replace(varied, setup=replace(varied.setup, start=window.begins, end=window.splits))
        kept = KeptSweep(file=kept_file(register.file, inside))
        if not plan.resume:
            kept.forget()
        files.append(kept)
        found = sweep(
            inside,
            chosen(inside, plan),
            plan.merit,
            kept,
            workers=plan.workers,
            cluster=plan.cluster,
            is_stopped=is_stopped,
            on_done=partial(on_done, number),
        )
        if found.stopped:
            stopped = True
            break
        sharpes += [each.sharpe for each in found.combinations]
        best = next((each for each in found.combinations if each.trades), None)
        step = _outside(varied, window, best, len(found.combinations), cash)
        cash = Decimal(repr(step.left))
        steps.append(step)
    if not steps:
        raise BadInput("Stopped before the first window was done.", "--resume goes on from there.")
    if not stopped:
        for kept in files:
            kept.forget()
    return _joined(varied, steps, sharpes, register, now(), stopped=stopped)


def _outside(varied: Varied, window: Window, best: Combination | None, tried: int, cash: Decimal) -> Step:
    """Trade what was best in the time after; what is before that is there for the indicators."""
    if best is None:
        return Step(window=window, tried=tried, best=None, outside=None, sharpe=None, left=float(cash), gain=0.0)
    result = backtest(replace(varied(best.params), start=window.splits, end=window.ends, cash=cash))
    returns = curve_of(result.begins, result.cash, result.daily).returns
    held = sum(each.quantity * each.price for each in result.held)
    left = result.final_equity - held * float(varied.setup.model.fee)
    return Step(
        window=window,
        tried=tried,
        best=best,
        outside=result,
        sharpe=sharpe(returns),
        left=left,
        gain=left / result.cash - 1.0,
    )


def _joined(
    varied: Varied,
    steps: Sequence[Step],
    sharpes: Sequence[float | None],
    register: TrialRegistry,
    now: datetime,
    *,
    stopped: bool,
) -> Walk:
    begins, ends = steps[0].window.splits, steps[-1].window.ends
    curve = _curve(steps, float(varied.setup.cash))
    hold = bought_and_held(replace(varied.setup, start=begins, end=ends), curve)
    account = return_figures(curve)
    own = trial_of(
        replace(varied.setup, start=begins, end=ends),
        [account.sharpe, *sharpes],
        command="walkforward",
        at=now,
        span=(begins, ends),
        varied=varied.grid.values(),
    )
    tried = tried_with(own, register.trials())
    register.add(own)
    return Walk(
        steps=tuple(steps),
        curve=curve,
        hold_curve=hold,
        account=account,
        hold=return_figures(hold),
        kept=_kept(steps),
        tried=tried,
        deflated=deflated_sharpe(curve.returns, Tried(count=1, variance=0.0)),
        stopped=stopped,
    )


def _curve(steps: Sequence[Step], cash: float) -> Curve:
    """The accounts of all tests, each of which begins with what the one before has left."""
    at, equity = [np.array([to_millis(steps[0].window.splits)])], [np.array([cash])]
    for step in steps:
        if step.outside is None:
            at.append(np.array([to_millis(step.window.ends)]))
            equity.append(equity[-1][-1:])
        else:
            part = curve_of(step.outside.begins, step.outside.cash, step.outside.daily)
            at.append(part.at_ms[1:])
            equity.append(np.append(part.equity[1:-1], step.left))
    times = np.concatenate(at)
    later = np.append(np.diff(times) > 0, True)
    return Curve(at_ms=times[later], equity=np.concatenate(equity)[later])


def _kept(steps: Sequence[Step]) -> float | None:
    """How much of the Sharpe ratio in sample is left out of sample, on average."""
    pairs = [
        (each.best.sharpe, each.sharpe)
        for each in steps
        if each.best is not None and each.best.sharpe is not None and each.sharpe is not None
    ]
    inside = sum(one for one, _ in pairs)
    return sum(other for _, other in pairs) / inside if inside > 0 else None
