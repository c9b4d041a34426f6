"""How fast policies are played and asked: ``make bench`` prints a table. Nothing is asserted but that it was done."""

from __future__ import annotations

import time
import timeit
from importlib.util import find_spec

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.backtest.setup import RiskTerms
from engine.backtest.training_ground import ground_of
from engine.domain.market import Timeframe
from engine.learning.env import TradingEnv
from engine.learning.policy_files import load_policy
from engine.learning.shipped import SHIPPED
from engine.learning.splits import Stretch
from engine.strategies.mean_reversion import MeanReversion
from tests.bench.conftest import Tell
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CANDLES, EPISODES, STEPS = 20_000, 512, 200
DAYS = 60
ANSWERS = 1_000


def test_decisions_a_second(benchmark: BenchmarkFixture, tell: Tell) -> None:
    """A decision is a step of training; a candle is what a step of other environments is."""
    asked = setup(MeanReversion(timeframe=Timeframe.H1, higher=()), jumpy(1, CANDLES), terms=RiskTerms())
    ground = ground_of(asked)
    begin, hour = int(ground.tape.open_ms[0]), Timeframe.H1.millis
    env = TradingEnv(
        ground=ground,
        parts=(Stretch(begin_ms=begin, end_ms=begin + CANDLES * hour),),
        length_ms=DAYS * 24 * hour,
        count=EPISODES,
        rng=np.random.default_rng(1),
    )
    env.reset()
    actions, ended = np.random.default_rng(2).uniform(-1, 1, (STEPS, EPISODES, 3)), 0

    def play() -> float:
        nonlocal ended
        began = time.perf_counter()
        for each in actions:
            ended += int(env.step(each).ended.sum())
        return time.perf_counter() - began

    took = benchmark.pedantic(play, rounds=1)
    assert ended
    tell("training, episodes alone", STEPS * EPISODES / took, "decisions/s", "")
    tell("training, episodes alone", ended * DAYS * 24 / took, "candles/s", ">= 2,000,000")


@pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed")
def test_a_training_a_second(benchmark: BenchmarkFixture, tell: Tell) -> None:
    from engine.learning.train import TrainingPlan, fit_scaler, train_steps

    ground = ground_of(setup(MeanReversion(timeframe=Timeframe.H1, higher=()), jumpy(1, CANDLES), terms=RiskTerms()))
    begin = int(ground.tape.open_ms[0])
    parts = (Stretch(begin_ms=begin, end_ms=begin + CANDLES * Timeframe.H1.millis),)
    plan = TrainingPlan(seeds=(1,))
    scaler = fit_scaler(ground, parts, plan)

    def learn() -> float:
        began = time.process_time()
        assert train_steps(ground, parts, plan, 1, scaler) is not None
        return plan.round_steps / (time.process_time() - began)

    found = benchmark.pedantic(learn, rounds=1)
    tell("training, a seed on one core", found, "decisions/s", ">= 20,000")


def test_one_answer_of_a_policy(benchmark: BenchmarkFixture, tell: Tell) -> None:
    policy = load_policy(SHIPPED["hourly"])
    asked = policy.mean.copy()
    assert 0 <= benchmark(policy.adjust, asked).scale <= 1
    took = min(timeit.repeat(lambda: policy.adjust(asked), number=ANSWERS, repeat=5))
    tell("a policy's answer with its checks", 1e6 * took / ANSWERS, "us", "<= 20")
