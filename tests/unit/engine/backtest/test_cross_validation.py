"""What a sweep's choice comes to on other time, against purgedcv and by what must hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from engine.backtest.cross_validation import cross_validated, left_over


class Chooser:
    """Chooses as a sweep does, in the form that purgedcv asks for."""

    def __sklearn_clone__(self) -> Chooser:
        return Chooser()

    def fit(self, returns: np.ndarray, _: object) -> None:
        self.best = int((returns.mean(axis=0) / returns.std(axis=0, ddof=1)).argmax())

    def predict(self, returns: np.ndarray) -> np.ndarray:
        return returns[:, self.best]


def noise(count: int, known: int = 20, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (count, known))


def test_purgedcv_comes_to_the_same_paths() -> None:
    from purgedcv import CombinatorialPurgedCV

    returns = noise(203)
    at = pd.Series(pd.date_range("2024-01-01", periods=len(returns), freq="D"))
    peer = CombinatorialPurgedCV(
        n_splits=7,
        n_test_groups=3,
        prediction_times=at,
        evaluation_times=at + pd.Timedelta(hours=36),  # reaches into the next part
        embargo_observations=1,
    )
    paths = peer.backtest_paths(Chooser(), returns, np.zeros(len(returns)))
    found = cross_validated(returns, 365, groups=7, out=3)
    assert found is not None
    wanted = paths.mean(axis=1) / paths.std(axis=1, ddof=1) * math.sqrt(365)
    np.testing.assert_allclose(found.paths, wanted)


def test_what_is_next_to_what_was_taken_out_is_not_chosen_on() -> None:
    group_of = np.repeat(np.arange(4), 5)
    assert left_over(group_of, (1,), 2).tolist() == [0, 1, 2, *range(12, 20)]
    assert left_over(group_of, (0, 3), 0).tolist() == list(range(5, 15))


def test_noise_is_worth_nothing_on_other_time_however_good_it_looked() -> None:
    found = [cross_validated(noise(500, 100, seed), 365) for seed in range(10)]
    assert np.mean([each.inside for each in found if each]) > 1.5
    assert abs(np.mean([each.median for each in found if each])) < 0.6


def test_what_is_truly_better_stays_so() -> None:
    returns = noise(500, 50)
    returns[:, 17] += 0.004
    found = cross_validated(returns, 365)
    assert found is not None
    assert len(found.paths) == 9
    np.testing.assert_allclose(found.paths, found.paths[0])  # it is chosen every time
    assert found.median > 3
    assert found.losing == 0


@pytest.mark.parametrize(("count", "known"), [(39, 20), (500, 1)])
def test_with_too_little_there_is_none(count: int, known: int) -> None:
    assert cross_validated(noise(count, known), 365) is None
