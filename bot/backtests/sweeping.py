"""``bot sweep``: from what was asked to what the best combination is worth.

what is varied ─▶ which are tried ─▶ workers ─▶ a row of the register ─▶ how likely the best is good by chance
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.backtests.varying import Varied
from bot.own_files import SWEEPS
from engine.backtest.choosing import Choice, by_optuna, everything
from engine.backtest.combination import Combination, Merit
from engine.backtest.cross_validation import CrossValidation
from engine.backtest.deflated import Tried, deflated_sharpe, tried_with
from engine.backtest.kept_sweep import Done, KeptSweep
from engine.backtest.kernel_run import backtest
from engine.backtest.look_ahead import refuse_peeking
from engine.backtest.registry import TrialRegistry
from engine.backtest.returns import DAYS_A_YEAR, curve_of
from engine.backtest.sweep import Sweep, sweep
from engine.backtest.trials import fingerprint, trial_of
from engine.domain.backtests import BacktestResult

_YEAR = timedelta(days=DAYS_A_YEAR)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A sweep, and what its best is worth.

    Attributes:
        best: The best combination traded once more, with all that there is to know of it; ``None`` where there is none.
        tried: What was tried on these markets until it was found.
        deflated: How likely its true Sharpe ratio is above what the best of so many has by chance; ``None`` where that
            cannot be reckoned.
        overfitting: How likely it is that the best of one half of the time is below the median of the other.
        elsewhere: What choosing the best of some of the time comes to in the rest; ``None`` where there is too little.
        seconds: What the sweep took, in wall time.
    """

    sweep: Sweep
    best: BacktestResult | None
    tried: Tried | None
    deflated: float | None
    overfitting: float | None
    elsewhere: CrossValidation | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sweep is gone about.

    Attributes:
        trials: How many Optuna chooses; ``None`` for all there are.
        seed: What it chooses by.
        workers: Processes; ``None`` for one a core.
        cluster: The address of a cluster of Ray; empty for this machine.
        resume: Whether what was kept of the same sweep counts.
    """

    trials: int | None = None
    seed: int = 0
    merit: Merit = Merit.SHARPE
    workers: int | None = None
    cluster: str = ""
    resume: bool = False


def run_sweep(
    varied: Varied,
    plan: Plan,
    register: TrialRegistry,
    now: Callable[[], datetime],
    *,
    is_stopped: Callable[[], bool],
    on_done: Callable[[Sequence[Done]], None],
) -> Swept:
    """Try the combinations of a grid; what is done is kept until all is.

    Args:
        varied: What is varied.
        plan: How.
        register: Gets a row.
        now: The time on the wall.
        is_stopped: Whether to stop.
        on_done: Hears what was done.

    Raises:
        GreenlightError: The strategy looks ahead, a combination failed, or what is done cannot be kept.
    """
    refuse_peeking(varied.setup)
    kept = KeptSweep(file=kept_file(register.file, varied))
    if not plan.resume:
        kept.forget()
    begun, choice = now(), chosen(varied, plan)
    part_of = f"{kept.file.stem} {kept.begun(begun).isoformat()}"
    found = sweep(
        varied,
        choice,
        plan.merit,
        kept,
        workers=plan.workers,
        cluster=plan.cluster,
        is_stopped=is_stopped,
        on_done=on_done,
    )
    seconds = (now() - begun).total_seconds()
    if not found.stopped:
        kept.forget()
    return _judged(varied, found, register, part_of, now(), seconds)


def chosen(varied: Varied, plan: Plan) -> Choice:
    """Which combinations are tried.

    Raises:
        BadInput: Optuna is asked for and not installed.
    """
    if plan.trials is None:
        return everything(varied.grid)
    return by_optuna(varied.grid, plan.trials, plan.seed, plan.merit)


def kept_file(register: Path, varied: Varied) -> Path:
    """Where a sweep is kept: another file for other candles, terms, strategies and their sources.

    Which combinations are tried is no part of it: what is known of one is true in any grid.
    """
    [context], setup = varied.setup.contexts, varied.setup
    told = trial_of(setup, [], command="sweep", at=_NEVER, span=(_NEVER, _NEVER))
    plain = json.loads(json.dumps({**told.settings, "asked": varied.context.model_dump()}, default=str, sort_keys=True))
    for each in plain["contexts"]:
        each.pop("params")  # those of the first combination
    about = json.dumps([plain, fingerprint(setup), str(setup.start), str(setup.end)], sort_keys=True)
    name = hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
    return register.parent / SWEEPS / f"{context.name}-{name}.jsonl"


def _judged(
    varied: Varied, found: Sweep, register: TrialRegistry, part_of: str, now: datetime, seconds: float
) -> Swept:
    """What the best is worth; what was tried is written down, with all that was tried before it was gone on with."""
    best: Combination | None = next(iter(found.combinations), None)
    if best is None:
        return Swept(
            sweep=found, best=None, tried=None, deflated=None, overfitting=None, elsewhere=None, seconds=seconds
        )
    setup = varied(best.params)
    result = backtest(setup)
    own = trial_of(
        setup,
        [each.sharpe for each in found.known],
        command="sweep",
        at=now,
        span=(result.begins, result.ends),
        varied=varied.grid.values(),
        part_of=part_of,
    )
    tried = tried_with(own, register.trials())
    register.add(own)
    returns = curve_of(result.begins, result.cash, result.daily).returns
    return Swept(
        sweep=found,
        best=result,
        tried=tried,
        deflated=deflated_sharpe(returns, tried),
        overfitting=found.overfitting,
        elsewhere=found.cross_validated(len(best.returns) * _YEAR / (result.ends - result.begins)),
        seconds=seconds,
    )
