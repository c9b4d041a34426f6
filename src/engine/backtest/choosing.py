"""Which combinations of a grid are tried: all, or those that Optuna chooses by what the ones before came to."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.backtest.combination import Combination, Merit
from engine.backtest.grid import Axis, Grid, Params
from engine.domain.errors import BadInput
from engine.domain.extras import install

if TYPE_CHECKING:
    import optuna

    from engine.backtest.kept_sweep import Done

Choice = Generator[Sequence[Params], Sequence["Done"], None]
"""Yields combinations and is sent what they came to, in that order."""
_AT_ONCE = 8
"""How many Optuna chooses before it hears of them, whatever the number of workers: so a seed says which."""


def everything(grid: Grid) -> Choice:
    """All combinations."""
    yield list(grid.combinations())


def by_optuna(grid: Grid, trials: int, seed: int, merit: Merit) -> Choice:
    """So many of them, chosen by a tree of Parzen estimators; what was refused tells it where not to look.

    Raises:
        BadInput: Optuna is not installed.
    """
    if find_spec("optuna") is None:
        raise BadInput("--trials needs Optuna.", install("optuna"))
    return _chosen(grid, trials, seed, merit)


def _chosen(grid: Grid, trials: int, seed: int, merit: Merit) -> Choice:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for first in range(0, trials, _AT_ONCE):
        asked = [study.ask() for _ in range(min(_AT_ONCE, trials - first))]
        came = yield [{axis.name: _suggested(trial, axis) for axis in grid.axes} for trial in asked]
        for trial, each in zip(asked, came, strict=True):
            value = each.merit(merit) if isinstance(each, Combination) else float("-inf")
            if value == float("-inf"):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, value)


def _suggested(trial: optuna.Trial, axis: Axis) -> Any:
    if axis.is_ordered:
        return axis.values[trial.suggest_int(axis.name, 0, len(axis.values) - 1)]
    return axis.values[trial.suggest_categorical(axis.name, list(range(len(axis.values))))]
