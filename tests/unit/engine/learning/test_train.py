"""Training: it learns what there is to learn, goes on after a stop, and its numbers answer as the network did."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.backtest.policy_worth import CONSTANT, worth_of
from engine.backtest.setup import RiskTerms
from engine.backtest.training_ground import ground_of
from engine.domain.errors import StoreError
from engine.domain.market import Timeframe
from engine.learning.env import Ground
from engine.learning.features import FEATURES
from engine.learning.policy import CUT, ActionBounds
from engine.learning.reward import RewardTerms
from engine.learning.splits import Splits, Stretch, splits_of
from engine.simulation.fills import FillModel
from tests.fakes.backtests import setup
from tests.fakes.every_hours import EveryHours
from tests.fakes.series import candles

if TYPE_CHECKING:
    from engine.learning.train import TrainingPlan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed"),
]
HOUR = 3_600_000


def market(seed: int, count: int, *, tells: bool) -> Any:
    """A market that is calm or wild for days on end; it rises while calm and falls while wild, where that tells."""
    rng = np.random.default_rng(seed)
    wild = np.repeat(rng.random(count // 96 + 1) < 0.5, 96)[:count]
    moves = rng.normal(0, np.where(wild, 0.012, 0.004), count)
    moves += np.where(wild, -0.0012, 0.0012) * tells - moves.mean()
    close = 100 * np.exp(np.cumsum(moves))
    opens = np.append(close[0], close[:-1])
    wick = np.exp(np.abs(rng.normal(0, 0.001, count)))
    return candles(
        opens=opens,
        highs=np.maximum(opens, close) * wick,
        lows=np.minimum(opens, close) / wick,
        closes=close,
        volumes=np.full(count, 1e6),
    )


def made(seed: int, *, tells: bool) -> tuple[Ground, Splits]:
    series = market(seed, 16_000, tells=tells)
    asked = setup(EveryHours(timeframe=Timeframe.H1, higher=()), series, terms=RiskTerms(), model=FillModel())
    ground = ground_of(asked)
    whole = Stretch(begin_ms=int(series.open_ms[0]), end_ms=int(series.open_ms[-1]) + HOUR)
    return ground, splits_of(whole, 350 * HOUR)


def small_plan(**changed: Any) -> TrainingPlan:
    from engine.learning.train import TrainingPlan

    told = {"seeds": (1,), "rounds": 8, "round_steps": 16_384, "count": 128, "length_ms": 40 * 24 * HOUR}
    return TrainingPlan(**{**told, "reward": RewardTerms(), **changed})


def trained(ground: Ground, splits: Splits, plan: TrainingPlan, kept: Path | None = None, **other: Any) -> Any:
    from engine.learning.train import fit_scaler, train_seed

    return train_seed(ground, splits, plan, plan.seeds[0], fit_scaler(ground, (splits.train,), plan), kept, **other)


def test_it_learns_to_be_small_where_volatility_says_so() -> None:
    ground, splits = made(1, tells=True)
    found = trained(ground, splits, small_plan()).policy
    worth = worth_of(found, ground, splits, RewardTerms(), np.random.default_rng(1))
    gains = {each.over.partition(" ")[0]: each for each in worth.gains}
    assert worth.degenerate == ""
    assert gains[CONSTANT.partition(" ")[0]].is_sure, worth.gains
    assert gains["random"].is_sure
    assert gains["static"].is_sure


def test_on_noise_there_is_nothing_to_learn_and_it_says_so() -> None:
    ground, splits = made(2, tells=False)
    found = trained(ground, splits, small_plan()).policy
    worth = worth_of(found, ground, splits, RewardTerms(), np.random.default_rng(1))
    assert not worth.is_better, worth


def test_numpy_answers_as_the_network_does() -> None:
    from engine.learning.policy import PolicyCard
    from engine.learning.train import SideBySide, _env, exported, fit_scaler, new_model

    ground, splits = made(3, tells=True)
    plan = small_plan()
    scaler = fit_scaler(ground, (splits.train,), plan)
    model = new_model(SideBySide(_env(ground, (splits.train,), plan, np.random.default_rng(1)), scaler), plan, 1)
    model.learn(plan.round_steps)
    policy = exported(model, scaler, PolicyCard(name="p", bounds=ActionBounds()))
    seen = np.random.default_rng(4).normal(scaler.mean, 3 * scaler.deviation, (10_000, len(FEATURES)))
    asked = np.clip((seen - scaler.mean) / np.where(scaler.deviation > 0, scaler.deviation, 1), -CUT, CUT)
    wanted, _ = model.predict(np.where(scaler.deviation > 0, asked, 0).astype(np.float32), deterministic=True)
    assert wanted.std() > 0.01
    np.testing.assert_allclose(policy.act(seen), wanted, atol=1e-6)


def test_what_was_stopped_within_a_round_goes_on_to_the_very_same_policy(tmp_path: Path) -> None:
    ground, splits = made(4, tells=True)
    plan = small_plan(rounds=4, round_steps=4_096)
    whole = trained(ground, splits, plan).policy
    steps, kept = 0, tmp_path / "kept.pt"

    def on_steps(count: int) -> None:
        nonlocal steps
        steps += count

    told: list[Any] = []
    begun = trained(ground, splits, plan, kept, is_stopped=lambda: steps > 2.5 * 4_096, on_steps=on_steps)
    assert begun.rounds == 2
    again = trained(ground, splits, plan, kept, on_round=told.append)
    assert [each.was_kept for each in told] == [True, True, False, False]
    for one, other in zip(whole.weights, again.policy.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_ends_where_rounds_bring_nothing_better() -> None:
    ground, splits = made(5, tells=False)
    told: list[Any] = []
    trained(ground, splits, small_plan(rounds=50, patience=2, round_steps=2_048), on_round=told.append)
    assert len(told) < 50
    assert [each.is_best for each in told[-3:]] == [True, False, False]


def test_a_damaged_file_is_not_gone_on_with(tmp_path: Path) -> None:
    ground, splits = made(6, tells=True)
    kept = tmp_path / "kept.pt"
    kept.write_bytes(b"\x80\x02nothing")
    with pytest.raises(StoreError, match="cannot be gone on with"):
        trained(ground, splits, replace(small_plan(), rounds=1), kept)
