"""What a policy is held against on its test: whatever a policy may buy at most, rules may buy all of a size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.backtest.policy_study import others_on
from engine.backtest.policy_worth import CONSTANT, FULL, OWN, Worth, worth_of
from engine.backtest.setup import RiskTerms
from engine.backtest.training_ground import ground_of
from engine.domain.market import Timeframe
from engine.learning.env import Ground
from engine.learning.policy import ActionBounds, Policy
from engine.learning.reward import RewardTerms
from engine.learning.splits import Fold, Splits, Stretch
from engine.strategies.mean_reversion import MeanReversion
from tests.fakes.backtests import jumpy, setup
from tests.fakes.policies import steady_policy

HOUR, COUNT = 3_600_000, 3_000


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(setup(MeanReversion(timeframe=Timeframe.H1, higher=()), jumpy(1, COUNT), terms=RiskTerms()))


def parts(ground: Ground) -> tuple[Stretch, ...]:
    begin = int(ground.tape.open_ms[0])
    ends = [begin + COUNT * HOUR * each // 3 for each in range(4)]
    return tuple(Stretch(begin_ms=one, end_ms=other) for one, other in pairwise(ends))


def worth(ground: Ground, policy: Policy) -> Worth:
    train, validation, test = parts(ground)
    splits = Splits(train=train, validation=validation, test=test)
    return worth_of(policy, ground, splits, RewardTerms(), np.random.default_rng(1))


def halved(policy: Policy) -> Policy:
    """The same, that may buy half of a size at most."""
    return replace(policy, card=replace(policy.card, bounds=ActionBounds(max_scale=0.5)))


def test_the_static_rules_buy_all_of_a_size_whatever_a_policy_may_buy(ground: Ground) -> None:
    usual, half = (worth(ground, each) for each in (steady_policy(1.0, -1.0, -1.0), halved(steady_policy(1.0, -1, -1))))
    assert [next(row.scale for row in each.rows if row.name == OWN) for each in (usual, half)] == [1.0, 0.5]
    for name in (FULL, f"{CONSTANT} {usual.scale:g}"):
        assert next(row for row in usual.rows if row.name == name) == next(row for row in half.rows if row.name == name)


def test_where_a_policy_cannot_be_asked_all_of_a_size_is_bought(ground: Ground) -> None:
    found = worth(ground, halved(steady_policy(-1.0, -1.0, -1.0, high=-8e5)))
    own, static = (next(row for row in found.rows if row.name == name) for name in (OWN, FULL))
    assert own.unknown == own.entries > 0
    assert own.scale == 1.0
    assert replace(own, name=FULL, unknown=0) == static


def test_so_do_the_rules_of_a_study(ground: Ground) -> None:
    first, second, third = parts(ground)
    found = others_on(ground, Fold(groups=(2,), train=(first, second), test=(third,)), reward=RewardTerms())
    assert (found[FULL].number, found[FULL].scale) == (1.0, 1.0)
