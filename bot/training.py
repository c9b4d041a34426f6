"""``bot train``: from what was asked to a policy in its two files, and what it is worth.

setup ─▶ three parts of the time ─▶ each seed ─▶ the best on the second part ─▶ tested once on the third ─▶ files
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.backtests.asked import Asked
from bot.backtests.setups import setup_of
from bot.own_files import TRAININGS
from config.settings import Settings
from engine.analysis.technical import HISTORY
from engine.backtest.cluster import ClusterWorkers
from engine.backtest.look_ahead import refuse_peeking
from engine.backtest.policy_worth import Worth, worth_of
from engine.backtest.setup import BacktestSetup
from engine.backtest.training_ground import ground_of
from engine.backtest.trials import fingerprint
from engine.domain.errors import BadInput
from engine.domain.extras import install
from engine.domain.market import from_millis, to_millis
from engine.learning.policy import BEST_SCALE, BEST_VOLATILITY, ActionBounds, Policy, PolicyCard
from engine.learning.policy_files import save_policy
from engine.learning.reward import RewardTerms
from engine.learning.splits import Splits, Stretch, splits_of
from engine.strategies.context import StrategyContexts

if TYPE_CHECKING:  # what is slow to import
    from engine.learning.env import Ground
    from engine.learning.train import Round, Scaler, TrainedSeed, TrainingPlan

_COUNT, _BATCH = 64, 512
"""Episodes side by side, and in what parts is learnt from them, where a training is short."""
_CHANCE = 2024
"""The same test says the same once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAsked:
    """What was asked beside the backtest's own.

    Attributes:
        out: The policy's file, ``NAME.json``.
        seeds: How many are trained.
        quick: Whether minutes have to do.
        steps: How many decisions each is trained on; ``None`` for as many as make it better.
        resume: Whether what was kept of the same training counts.
        cluster: The address of a cluster of Ray that trains the seeds side by side; empty for one after another here.
        validate_from: Where the time begins that tells when to stop; ``None`` for after 60 %.
        test_from: Where the time begins that it is tested on; ``None`` for after 80 %.
    """

    out: Path
    seeds: int = 3
    quick: bool = False
    steps: int | None = None
    resume: bool = False
    cluster: str = ""
    validate_from: datetime | None = None
    test_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedPolicy:
    """What a training came to.

    Attributes:
        policy: The best; ``None`` where it was stopped before there was one.
        worth: What it is worth on the test; ``None`` where it was stopped.
        seeds: Of each seed its rounds and the reward of its best one.
        steps: How many decisions were trained on.
        seconds: What it took now, in wall time.
    """

    policy: Policy | None
    worth: Worth | None
    splits: Splits
    seeds: tuple[tuple[int, int, float], ...]
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who hears how far it has come, and may stop it."""

    is_stopped: Callable[[], bool]
    on_round: Callable[[Round], None]
    on_steps: Callable[[int], None]


def training_setup(asked: Asked, settings: Settings) -> BacktestSetup:
    """What is traded in a training: what was asked for, by the contexts whose entries are adjusted.

    Raises:
        GreenlightError: What was asked for makes no sense, or no context has its entries adjusted.
    """
    setup = setup_of(asked, settings)
    contexts = tuple(each for each in setup.contexts if each.adjusted)
    if not contexts:
        raise BadInput("No context has its entries adjusted.", "Leave out ppo: false of one.")
    traded = {symbol for each in contexts for symbol in each.markets}
    return replace(
        setup,
        contexts=StrategyContexts(contexts=contexts),
        candles={symbol: each for symbol, each in setup.candles.items() if symbol in traded},
        markets={symbol: each for symbol, each in setup.markets.items() if symbol in traded},
    )


def demand_extra() -> None:
    """See that training is installed.

    Raises:
        BadInput: It is not.
    """
    if find_spec("stable_baselines3") is None or find_spec("torch") is None:
        raise BadInput("Training needs stable-baselines3 and torch.", install("rl"))


def plan_of(asked: TrainingAsked, settings: Settings) -> TrainingPlan:
    """How a policy is trained."""
    from engine.learning.train import TrainingPlan

    own = settings.ppo
    plan = TrainingPlan(
        seeds=tuple(range(1, asked.seeds + 1)),
        bounds=ActionBounds(max_scale=own.max_scale, max_shift=own.max_shift, min_stop_share=own.min_stop_share),
        reward=RewardTerms(**own.reward.model_dump()),
    )
    if asked.steps is not None:
        return replace(plan, rounds=1, round_steps=asked.steps, count=_COUNT, batch=_BATCH)
    return replace(plan, rounds=8, patience=4, round_steps=32_768, count=128) if asked.quick else plan


def train(
    setup: BacktestSetup, asked: TrainingAsked, settings: Settings, listener: Listener, now: Callable[[], datetime]
) -> TrainedPolicy:
    """Train a policy, test it once, and write it.

    Args:
        setup: What is traded.
        asked: What was asked beside.
        settings: Everything else.
        listener: Hears how far it has come.
        now: The time on the wall.

    Raises:
        GreenlightError: The strategy looks ahead, there is too little time, or a file cannot be written.
    """
    from engine.learning.train import fit_scaler, train_seed

    begun = now()
    refuse_peeking(setup)
    ground, plan = ground_of(setup), plan_of(asked, settings)
    splits = _splits(setup, ground, asked)
    trained: list[TrainedSeed] = []
    folder, name = settings.backtest.trials.parent / TRAININGS, _name(setup, splits, plan)
    files = {seed: folder / f"{asked.out.stem}-{name}-{seed}.pt" for seed in plan.seeds}
    if not asked.resume:
        _forget(*files.values())
    try:
        scaler = fit_scaler(ground, (splits.train,), plan)
        if asked.cluster:
            trained = _side_by_side(partial(_seed_there, ground, splits, plan, scaler), asked.cluster, plan, listener)
        for seed in () if asked.cluster else plan.seeds:
            kept = files[seed]
            found = train_seed(
                ground,
                splits,
                plan,
                seed,
                scaler,
                kept,
                is_stopped=listener.is_stopped,
                on_round=listener.on_round,
                on_steps=listener.on_steps,
            )
            trained.append(found)
    except ValueError as error:
        raise BadInput(str(error), "Give more candles, or strategies that enter more often.") from None
    result = TrainedPolicy(
        policy=None,
        worth=None,
        splits=splits,
        seeds=tuple((each.seed, each.rounds, each.reward) for each in trained),
        steps=sum(each.rounds for each in trained) * plan.round_steps,
        seconds=(now() - begun).total_seconds(),
    )
    best = max((each for each in trained if each.policy), key=lambda each: each.reward, default=None)
    if listener.is_stopped() or best is None or best.policy is None:
        return result
    worth = worth_of(best.policy, ground, splits, plan.reward, np.random.default_rng(_CHANCE))
    policy = replace(best.policy, card=_card(setup, asked, splits, plan, best, worth, result.steps))
    _save(policy, asked.out)
    _forget(*files.values())
    return replace(result, policy=policy, worth=worth, seconds=(now() - begun).total_seconds())


def _splits(setup: BacktestSetup, ground: Ground, asked: TrainingAsked) -> Splits:
    """The time in three parts, with gaps as long as readings look back."""
    whole, purge = training_time(setup, ground)
    return splits_of(
        whole,
        purge,
        to_millis(asked.validate_from) if asked.validate_from else None,
        to_millis(asked.test_from) if asked.test_from else None,
    )


def _side_by_side(
    work: Callable[[int], TrainedSeed], cluster: str, plan: TrainingPlan, listener: Listener
) -> list[TrainedSeed]:
    """Train the seeds on a cluster; whoever listens hears of each that is done."""
    found: list[TrainedSeed] = []
    with ClusterWorkers(work, cluster) as pool:
        for done in pool.each(plan.seeds, listener.is_stopped):
            found += done
            listener.on_steps(sum(each.rounds for each in done) * plan.round_steps)
    return sorted(found, key=lambda each: each.seed)


def _seed_there(ground: Ground, splits: Splits, plan: TrainingPlan, scaler: Scaler, seed: int) -> TrainedSeed:
    """What a process of a cluster does."""
    from engine.learning.train import train_seed

    return train_seed(ground, splits, plan, seed, scaler)


def training_time(setup: BacktestSetup, ground: Ground) -> tuple[Stretch, int]:
    """All of the time that there are candles of, and how long readings look back, in milliseconds."""
    tape, spans = ground.tape, [context.timeframe.duration for context in setup.contexts]
    firsts = [int(tape.open_ms[each["first"]]) for each in tape.markets]
    lasts = [int(tape.open_ms[each["end"] - 1] + each["span"]) for each in tape.markets]
    purge = HISTORY * max(spans) // timedelta(milliseconds=1)
    return Stretch(begin_ms=min(firsts), end_ms=max(lasts)), purge


def _name(setup: BacktestSetup, splits: Splits, plan: TrainingPlan) -> str:
    """The same for the same training: what was kept of another one is not gone on with."""
    contexts = [(each.name, repr(each.strategy), each.markets) for each in setup.contexts]
    about = json.dumps([fingerprint(setup), contexts, asdict(splits), asdict(plan), str(setup.terms)], default=str)
    return hashlib.blake2b(about.encode(), digest_size=6).hexdigest()


def _card(
    setup: BacktestSetup,
    asked: TrainingAsked,
    splits: Splits,
    plan: TrainingPlan,
    best: TrainedSeed,
    worth: Worth,
    steps: int,
) -> PolicyCard:
    own, *_ = worth.rows
    figures = {"validation_reward": best.reward, "test_growth": own.growth, "test_drawdown": own.drawdown}
    figures |= {BEST_SCALE: worth.scale, BEST_VOLATILITY: worth.volatility}
    if own.sharpe is not None:
        figures["test_sharpe"] = own.sharpe
    for gain in worth.gains:
        figures[f"gain over {gain.over}"] = gain.mean
        if gain.interval is not None:
            figures |= {
                f"gain over {gain.over}, low": gain.interval.low,
                f"gain over {gain.over}, high": gain.interval.high,
            }
    return PolicyCard(
        name=asked.out.stem,
        begins=told(splits.train.begin_ms),
        ends=told(splits.train.end_ms),
        tested_from=told(splits.test.begin_ms),
        timeframe=", ".join(sorted({str(each.timeframe) for each in setup.contexts})),
        data=fingerprint(setup),
        seeds=plan.seeds,
        seed=best.seed,
        steps=steps,
        bounds=plan.bounds,
        figures=figures,
        degenerate=worth.degenerate,
        contexts=tuple(f"{each.name}: {', '.join(each.markets)}" for each in setup.contexts),
    )


def told(at_ms: int) -> str:
    """A time as it is told: ``2021-01-01 00:00``."""
    return from_millis(at_ms).astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _save(policy: Policy, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_policy(policy, file)
    except OSError as error:
        raise BadInput(f"--out {file} cannot be written: {error.strerror}.", "Name another file.") from None


def _forget(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)
