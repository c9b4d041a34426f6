"""``bot policy study``: many seeds are trained on every split of the time, and what came of all of them is one table.

setup ─▶ folds ─▶ each seed on each fold, a fixed number of decisions ─▶ kept line by line ─▶ study ─▶ page
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.own_files import TRAININGS
from bot.training import TrainingAsked, plan_of, training_time
from config.settings import Settings
from engine.backtest.look_ahead import refuse_peeking
from engine.backtest.policy_study import FoldResult, Study, others_on, study_of, tried_on
from engine.backtest.setup import BacktestSetup
from engine.backtest.training_ground import ground_of
from engine.backtest.trials import fingerprint
from engine.domain.errors import BadInput, StoreError
from engine.learning.evaluating import by_policy
from engine.learning.splits import Fold, Stretch, folds_of
from engine.support import private_files

if TYPE_CHECKING:  # what is slow to import
    from engine.learning.env import Ground
    from engine.learning.train import TrainingPlan

GROUPS, OUT = 6, 2
"""Six groups of which two are taken out: 15 folds, and five paths."""
FOLDS = comb(GROUPS, OUT)
_CHANCE = 2024
"""The same study says the same once more."""
_COUNT, _BATCH = 64, 512
"""Episodes side by side, and what is learnt from at a time: a few decisions have to teach something."""

Key = tuple[str, tuple[int, ...]]
"""The seed, or the name of what needs no policy, and the groups that were taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAsked:
    """What was asked beside the backtest's own.

    Attributes:
        seeds: How many are trained on each fold.
        steps: How many decisions each training takes.
        resume: Whether what was kept of the same study counts.
    """

    seeds: int = 10
    steps: int = 32_768
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What was studied.

    Attributes:
        study: ``None`` where it was stopped before one seed was through.
        seeds: Those that are through.
        wanted: How many there should be.
    """

    setup: BacktestSetup
    asked: StudyAsked
    span: Stretch
    study: Study | None
    seeds: tuple[int, ...]
    wanted: int
    data: str


def study(
    setup: BacktestSetup,
    asked: StudyAsked,
    settings: Settings,
    is_stopped: Callable[[], bool],
    on_done: Callable[[bool], None],
) -> Studied:
    """Train, test and put together; what is done is kept, and gone on with where that is wished.

    Args:
        setup: What is traded.
        asked: How.
        settings: Everything else.
        is_stopped: Whether to stop.
        on_done: Hears of each training that is done, and whether it was before.

    Raises:
        GreenlightError: The strategy looks ahead, there is too little time, or a file cannot be written.
    """
    refuse_peeking(setup)
    ground, plan = ground_of(setup), _plan(asked, settings)
    whole, purge = training_time(setup, ground)
    folds = folds_of(whole, purge, GROUPS, OUT)
    kept = _Kept(file=settings.backtest.trials.parent / TRAININGS / f"study-{_name(setup, folds, plan)}.jsonl")
    done = dict(kept.read()) if asked.resume else kept.begin()
    try:
        for seed in range(1, asked.seeds + 1):
            for fold in folds:
                if is_stopped():
                    break
                was_kept = (str(seed), fold.groups) in done
                for key, found in _tried(ground, fold, plan, seed, done, is_stopped):
                    done[key] = found
                    kept.add(key, found)
                on_done(was_kept)
    except ValueError as error:
        raise BadInput(str(error), "Give more candles, or strategies that enter more often.") from None
    own = {seed: {groups: each for (name, groups), each in done.items() if name == str(seed)} for seed in _seeds(asked)}
    own = {seed: results for seed, results in own.items() if len(results) == len(folds)}
    others: dict[str, dict[tuple[int, ...], FoldResult]] = {}
    for (name, groups), each in done.items():
        if not name.isdigit():
            others.setdefault(name, {})[groups] = each
    return Studied(
        setup=setup,
        asked=asked,
        span=whole,
        study=study_of(own, others, GROUPS, np.random.default_rng(_CHANCE)) if own else None,
        seeds=tuple(own),
        wanted=asked.seeds,
        data=fingerprint(setup),
    )


def _seeds(asked: StudyAsked) -> range:
    return range(1, asked.seeds + 1)


def _plan(asked: StudyAsked, settings: Settings) -> TrainingPlan:
    plan = plan_of(TrainingAsked(out=Path()), settings)
    return replace(plan, seeds=(1,), round_steps=asked.steps, count=_COUNT, batch=_BATCH)


def _tried(
    ground: Ground,
    fold: Fold,
    plan: TrainingPlan,
    seed: int,
    done: Mapping[Key, FoldResult],
    is_stopped: Callable[[], bool],
) -> Iterator[tuple[Key, FoldResult]]:
    """What has not been tried yet of a fold: what needs no policy, and a seed."""
    from engine.learning.train import fit_scaler, train_steps

    if not any(not name.isdigit() and groups == fold.groups for name, groups in done):
        for name, found in others_on(ground, fold, reward=plan.reward).items():
            yield (name, fold.groups), found
    if (str(seed), fold.groups) in done:
        return
    scaler = fit_scaler(ground, fold.train, plan)
    policy = train_steps(ground, fold.train, plan, seed, scaler, is_stopped=is_stopped)
    if policy is not None:
        choose = by_policy(policy)
        yield (str(seed), fold.groups), tried_on(ground, fold, choose, bounds=plan.bounds, reward=plan.reward)


def _name(setup: BacktestSetup, folds: tuple[Fold, ...], plan: TrainingPlan) -> str:
    """The same for the same study: what was kept of another one is not gone on with."""
    contexts = [(each.name, repr(each.strategy), each.markets) for each in setup.contexts]
    about = [fingerprint(setup), contexts, [asdict(each) for each in folds], asdict(plan), str(setup.terms)]
    return hashlib.blake2b(json.dumps(about, default=str).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A file of what was tried, a line each; a line that was cut off is not there."""

    file: Path

    def begin(self) -> dict[Key, FoldResult]:
        """Begin anew."""
        self.file.unlink(missing_ok=True)
        return {}

    def read(self) -> Iterator[tuple[Key, FoldResult]]:
        """What was tried."""
        lines = self.file.read_bytes().splitlines() if self.file.exists() else []
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                name, groups = told.pop("name"), tuple(told.pop("groups"))
                daily = tuple(np.array(each, dtype=np.float64) for each in told.pop("daily"))
                yield (name, groups), FoldResult(daily=daily, **told)

    def add(self, key: Key, found: FoldResult) -> None:
        """Write down what was tried.

        Raises:
            StoreError: It cannot be written.
        """
        name, groups = key
        daily = [each.tolist() for each in found.daily]
        told: dict[str, Any] = {"name": name, "groups": groups, **asdict(found), "daily": daily}
        try:
            private_files.make_folder(self.file.parent)
            private_files.make_file(self.file)
            with self.file.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(told) + "\n")
        except OSError as error:
            raise StoreError(f"{self.file} cannot be written: {error.strerror}.") from None
