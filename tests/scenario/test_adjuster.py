"""One truth for a policy too: what it does in the live cycle is what it did in the episodes that it was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.backtests.full import full_run
from config.loader import load
from engine.backtest.setup import RiskTerms
from engine.backtest.training_ground import ground_of
from engine.domain.market import Timeframe
from engine.learning.env import NO_CHANCE, TradingEnv
from engine.learning.policy_files import save_policy
from engine.learning.splits import Stretch
from engine.risk.limits import RiskLimits
from engine.strategies.mean_reversion import MeanReversion
from tests.fakes.backtests import jumpy, setup
from tests.fakes.policies import any_policy

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(600)]


def test_an_active_policy_comes_to_the_same_in_the_live_cycle_and_in_an_episode(tmp_path: Path) -> None:
    save_policy(any_policy(3), tmp_path / "own.json")
    ppo = {"policy": str(tmp_path / "own.json"), "mode": "active", "max_age": None}
    risk = {"max_drawdown": "0.10", "max_total_drawdown": "0.25", "drawdown_pause": "48h"}  # as RiskLimits by itself
    told = {
        "ppo": ppo,
        "risk": risk,
        "quality": {"max_move": 10},
        "ai": {"enabled": False},
        "sentiment": {"enabled": False},
    }
    settings = load("demo", None, told, {}, tmp_path).settings
    series = (jumpy(1, 1_500), jumpy(2, 1_500, symbol="ETH/USDT"))
    asked = setup(
        MeanReversion(timeframe=Timeframe.H1, higher=()), *series, terms=RiskTerms(limits=RiskLimits(), confidence=0.4)
    )
    run = full_run(asked, settings)
    live = run.result

    ground, policy = ground_of(asked), any_policy(3)
    begin, end = int(ground.tape.open_ms[0]), int(ground.tape.open_ms.max()) + Timeframe.H1.millis
    env = TradingEnv(
        ground=ground,
        parts=(Stretch(begin_ms=begin, end_ms=end),),
        length_ms=end - begin,
        count=1,
        rng=np.random.default_rng(1),
        begins_anew=False,
        chance=NO_CHANCE,
    )
    seen, sizes, ended, steps = env.reset(), set(), False, 0
    while not ended:
        actions = policy.act(seen)
        sizes.add(round(float(actions[0, 0]), 1))
        found = env.step(actions)
        seen, ended = found.observations, bool(found.ended[0])
        steps += 1
    assert len(sizes) > 4
    assert len(run.adjusted) == steps, "it is asked about the same entries"
    assert len(live.trades) + len(live.held) == env.ended_trades(0) > 20
    assert live.final_equity == pytest.approx(env.ended_equity(0)[-1], abs=5e-5)
