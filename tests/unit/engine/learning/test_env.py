"""Training over the kernel: an episode is a backtest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.slots import slots_of
from engine.backtest.tape import tape_of
from engine.backtest.training_ground import ground_of
from engine.domain.market import Timeframe, from_millis
from engine.learning.env import NO_CHANCE, Ground, TradingEnv
from engine.learning.features import FEATURES, LONGEST_STREAK
from engine.learning.policy import ActionBounds, adjustments
from engine.learning.reward import RewardKind, RewardTerms
from engine.learning.splits import Stretch
from engine.risk.limits import RiskLimits
from engine.simulation import episodes
from engine.simulation.compiled import compiled, compiled_episodes
from engine.simulation.tapes import Tape
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from tests.fakes.backtests import jumpy, setup

HOUR = 3_600_000
LIMITS = RiskLimits(max_drawdown=Decimal("0.02"), max_total_drawdown=Decimal("0.5"))


def two_markets(count: int = 4_000) -> BacktestSetup:
    """Two contexts on two markets of one account, with pauses for drawdowns."""
    one, two = jumpy(1, count), jumpy(2, count, symbol="ETH/USDT")
    contexts = tuple(
        StrategyContext(name=name, venue="paper", strategy=strategy, markets=markets, timeframe=Timeframe.H1)
        for name, strategy, markets in (
            ("reversion", MeanReversion(timeframe=Timeframe.H1, higher=()), ("BTC/USDT", "ETH/USDT")),
            ("trend", MovingAverageCross(timeframe=Timeframe.H1, higher=()), ("ETH/USDT",)),
        )
    )
    terms = RiskTerms(limits=LIMITS, confidence=0.3)
    return setup(contexts[0].strategy, one, two, terms=terms, contexts=StrategyContexts(contexts=contexts))


@pytest.fixture(scope="module")
def asked() -> BacktestSetup:
    return two_markets()


@pytest.fixture(scope="module")
def ground(asked: BacktestSetup) -> Ground:
    return ground_of(asked)


def whole(ground: Ground, count: int = 1, **other: object) -> TradingEnv:
    """Episodes over all of the time, at costs as they are."""
    begin, end = int(ground.tape.open_ms.min()), int(ground.tape.open_ms.max()) + HOUR
    told = {"parts": (Stretch(begin_ms=begin, end_ms=end),), "length_ms": 2**50, "chance": NO_CHANCE, **other}
    return TradingEnv(ground=ground, count=count, rng=np.random.default_rng(1), **told)  # type: ignore[arg-type]


def played(env: TradingEnv, seed: int) -> tuple[np.ndarray, int]:
    """What chance makes of every entry until the first episode has ended, by the rows of what is said."""
    rng, made = np.random.default_rng(seed), np.full((len(env.ground.tape.said_ms), 3), np.nan)
    env.reset()
    for steps in range(1, 10_000):
        actions = rng.uniform(-1, 1, (env.count, 3))
        made[env._all.episodes["row"][0]] = adjustments(actions, env.bounds)[0]
        env._take(adjustments(actions, env.bounds))
        if advance(env):
            return made, steps
    raise AssertionError("it never ends")


def advance(env: TradingEnv) -> bool:
    compiled_episodes()(env._all, np.arange(env.count))
    return bool(env._all.episodes["done"][0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_episode_is_the_backtest_with_the_same_actions(asked: BacktestSetup, ground: Ground, seed: int) -> None:
    env = whole(ground)
    made, steps = played(env, seed)
    assert steps > 50
    tape = tape_of(asked, slots_of(asked))._replace(adjusted=np.ascontiguousarray(np.nan_to_num(made)))
    compiled()(tape)
    demand_the_same_run(env, tape)


@pytest.mark.slow
def test_an_episode_of_some_of_the_time_is_the_backtest_of_that_time(asked: BacktestSetup, ground: Ground) -> None:
    begin, end = int(ground.tape.open_ms[0]) + 1_005 * HOUR, int(ground.tape.open_ms[0]) + 2_900 * HOUR
    env = whole(ground, parts=(Stretch(begin_ms=begin, end_ms=end),))
    made, _ = played(env, 4)
    part = replace(asked, start=from_millis(begin), end=from_millis(end))
    tape = tape_of(part, slots_of(part))
    rows = np.concatenate(
        [
            np.arange(row["first"], row["first"] + mine["end"] - mine["first"])
            for row, mine in zip(ground.tape.slots, tape.slots, strict=True)
        ]
    )
    tape = tape._replace(adjusted=np.ascontiguousarray(np.nan_to_num(made[rows])))
    compiled()(tape)
    demand_the_same_run(env, tape)


def demand_the_same_run(env: TradingEnv, tape: Tape) -> None:
    own, wanted = env._all.account[0, 0], tape.account[0]
    assert own["cash"] == wanted["cash"]
    assert (own["trades"], own["days"], own["peak"]) == (wanted["trades"], wanted["days"], wanted["peak"])
    trades, days = env._all.trades[0, : own["trades"]], env._all.days[0, : own["days"]]
    assert own["trades"] > 20
    np.testing.assert_array_equal(trades, tape.trades[: own["trades"]])
    np.testing.assert_array_equal(days, tape.days[: own["days"]])


@pytest.mark.slow
def test_no_action_is_a_backtest_without_any(asked: BacktestSetup, ground: Ground) -> None:
    env, ended = whole(ground), False
    env.reset()
    while not ended:
        env._take(adjustments(np.array([[1.0, -1.0, -1.0]]), env.bounds))
        ended = advance(env)
    tape = tape_of(asked, slots_of(asked))
    compiled()(tape)
    demand_the_same_run(env, tape)


@pytest.mark.slow
def test_machine_code_does_what_its_python_does(ground: Ground) -> None:
    env, other = whole(ground, 2, length_ms=60 * 24 * HOUR), whole(ground, 2, length_ms=60 * 24 * HOUR)
    np.testing.assert_array_equal(env.reset(), other.reset())
    rng = np.random.default_rng(7)
    for _ in range(20):
        wanted = adjustments(rng.uniform(-1, 1, (2, 3)), env.bounds)
        env._take(wanted)
        other._take(wanted)
        advance(env)
        episodes.advance_all(other._all, np.arange(other.count))
        np.testing.assert_array_equal(env._all.episodes, other._all.episodes)


@pytest.mark.slow
def test_what_is_seen_of_the_account_is_how_it_stands(ground: Ground) -> None:
    env, names = whole(ground, 8, length_ms=80 * 24 * HOUR), list(FEATURES)
    env.reset()
    rng, streaks = np.random.default_rng(2), set()
    for _ in range(60):
        found = env.step(rng.uniform(-1, 1, (8, 3)))
        assert np.isfinite(found.observations).all()
        told = {name: found.observations[:, names.index(name)] for name in names}
        assert ((told["leverage"] >= 0) & (told["leverage"] <= 0.76)).all()
        assert (told["drawdown"] >= 0).all()
        assert (told["confidence"] >= 0.3).all()
        streaks |= set(told["streak"].tolist())
    assert {-2.0, 1.0} <= streaks
    assert max(map(abs, streaks)) <= LONGEST_STREAK


@pytest.mark.slow
def test_rewards_are_growth_less_what_risk_takes_off(ground: Ground) -> None:
    free = RewardTerms(drawdown=0.0, breach=0.0)
    strict = RewardTerms(drawdown=1.0, breach=1.0, breach_from=0.001)
    plain, held = whole(ground, 4, reward=free), whole(ground, 4, reward=strict)
    sharpe = whole(ground, 4, reward=replace(free, kind=RewardKind.SHARPE))
    for each in (plain, held, sharpe):
        each.reset()
    actions, less = np.random.default_rng(3).uniform(0, 1, (30, 4, 3)), 0
    for each in actions:
        first, second, third = (env.step(each) for env in (plain, held, sharpe))
        np.testing.assert_allclose(first.rewards, 100 * first.growth)
        assert (second.rewards <= first.rewards + 1e-12).all()
        assert np.isfinite(third.rewards).all()
        less += int((second.rewards < first.rewards - 1e-9).sum())
    assert less > 5


@pytest.mark.slow
def test_the_same_seed_gives_the_same_episodes_and_costs_differ_among_them(ground: Ground) -> None:
    begin, end = int(ground.tape.open_ms.min()), int(ground.tape.open_ms.max()) + HOUR
    made = [
        TradingEnv(
            ground=ground,
            parts=(Stretch(begin_ms=begin, end_ms=end),),
            length_ms=30 * 24 * HOUR,
            count=6,
            rng=np.random.default_rng(9),
            bounds=ActionBounds(),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(made[0].reset(), made[1].reset())
    assert len(set(made[0]._all.fee.tolist())) == 6
    assert (made[0]._all.first >= 0).all()


@pytest.mark.slow
def test_an_episode_goes_its_own_way_whatever_begins_anew_beside_it(ground: Ground) -> None:
    anew, stays = (whole(ground, 16, length_ms=30 * 24 * HOUR, begins_anew=each) for each in (True, False))
    np.testing.assert_array_equal(anew.reset(), stays.reset())
    rng, going, ends = np.random.default_rng(5), np.ones(16, dtype=np.bool_), 0
    for _ in range(40):
        actions = rng.uniform(-1, 1, (16, 3))
        found, wanted = anew.step(actions), stays.step(actions)
        np.testing.assert_array_equal(found.rewards[going], wanted.rewards[going])
        np.testing.assert_array_equal(found.ended[going], wanted.ended[going])
        going &= ~found.ended
        np.testing.assert_array_equal(found.observations[going], wanted.observations[going])
        ends += int(found.ended.any() and going.any())
    assert ends > 3
