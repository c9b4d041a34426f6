"""What came of many seeds on many splits of the time, put together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from engine.backtest.policy_study import FoldResult, Results, paths_of, study_of
from engine.backtest.policy_worth import CONSTANT, FULL, TARGET

GROUPS, DAYS = 6, 60
FOLDS = tuple(combinations(range(GROUPS), 2))


def results(ahead: float, seed: int, *, degenerate: str = "") -> Results:
    """What came of each fold: the same market everywhere, so much a day ahead of it, and some chance of its own."""
    market, own = np.random.default_rng(7).normal(0, 0.01, (GROUPS, DAYS)), np.random.default_rng(seed)
    return {
        fold: FoldResult(
            daily=tuple(market[group] + ahead + own.normal(0, 0.001, DAYS) for group in fold),
            entries=100,
            trades=50,
            won=20 + seed % 3,
            scale=0.5,
            unknown=0,
            degenerate=degenerate,
        )
        for fold in FOLDS
    }


def studied(ahead: float, **told: str) -> object:
    seeds = {seed: results(ahead, seed, **told) for seed in (1, 2, 3)}
    others = {name: results(0.0, 50 + number) for number, name in enumerate((FULL, CONSTANT, TARGET))}
    return study_of(seeds, others, GROUPS, np.random.default_rng(1))


def test_paths_have_every_group_once_and_each_time_it_was_out():
    told = {
        fold: FoldResult(
            daily=tuple(np.array([group * 100.0 + FOLDS.index(fold)]) for group in fold),
            entries=1,
            trades=1,
            won=1,
            scale=1.0,
            unknown=0,
        )
        for fold in FOLDS
    }
    paths = paths_of(told, GROUPS)
    assert paths.shape == (GROUPS, 5)
    assert (paths // 100 == np.arange(GROUPS)[:, None]).all()
    assert sorted(np.unique(paths % 100).tolist()) == list(range(len(FOLDS)))


@pytest.mark.slow
def test_what_is_surely_ahead_of_both_rules_may_be_active_and_what_is_not_may_not():
    better, same = studied(0.001), studied(0.0)
    assert better.may_be_active
    assert better.gains[0].growth.value == pytest.approx(0.36525, rel=0.1)
    assert better.gains[1].growth.interval.low > 0.2
    assert better.gains[1].sharpe.is_above
    assert not same.may_be_active
    assert same.gains[1].growth.interval.low < 0 < same.gains[1].growth.interval.high
    assert list(better.seeds) == [1, 2, 3]
    assert better.rows[0].trades == pytest.approx(50 * 15 / 5)
    assert 0.4 < better.rows[0].win_rate.value < 0.45


@pytest.mark.slow
def test_degenerate_policies_are_counted():
    assert studied(0.0, degenerate="it never trades").degenerate == 45
