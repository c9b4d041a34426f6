"""What a policy answers, and what it is never asked (FAULTS 29)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.domain.adjustments import Adjustment
from engine.learning.features import FEATURES
from engine.learning.policy import ActionBounds, OutOfRange, adjustment_of, adjustments
from tests.fakes.policies import COUNT, any_policy, steady_policy


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_figure_that_is_no_number_is_not_answered(value: float) -> None:
    asked = np.zeros(COUNT)
    asked[list(FEATURES).index("atr")] = value
    with pytest.raises(OutOfRange, match="atr is not known"):
        any_policy().adjust(asked)


def test_a_figure_far_from_what_it_was_shown_is_not_answered() -> None:
    asked = np.zeros(COUNT)
    asked[list(FEATURES).index("leverage")] = 250.0
    with pytest.raises(OutOfRange, match="leverage is 250: the policy knows -100 to 100"):
        any_policy().adjust(asked)


def test_a_figure_that_never_changed_in_training_is_not_looked_at() -> None:
    policy, number = any_policy(), list(FEATURES).index("sentiment")
    deviation = policy.deviation.copy()
    deviation[number] = 0.0
    blind, asked = replace(policy, deviation=deviation), np.zeros(COUNT)
    without = blind.adjust(asked)
    asked[number] = np.nan
    assert blind.adjust(asked) == without


def test_an_answer_goes_no_further_than_its_bounds() -> None:
    bounds = ActionBounds(max_scale=0.5, max_shift=0.125, min_stop_share=0.25)
    assert adjustment_of(np.array([9.0, 9.0, 9.0]), bounds) == Adjustment(
        scale=0.5, confidence_shift=-0.125, stop_share=0.25
    )
    assert adjustment_of(np.array([-9.0, -9.0, -9.0]), bounds) == Adjustment(scale=0.0)


def test_an_answer_that_is_no_number_is_none() -> None:
    with pytest.raises(OutOfRange, match="answer is no number"):
        adjustment_of(np.array([0.0, np.nan, 0.0]), ActionBounds())


def test_whatever_it_is_asked_it_never_allows_more() -> None:
    for seed, asked in enumerate(np.random.default_rng(5).normal(0, 30, (200, COUNT))):
        found = any_policy(seed).adjust(np.clip(asked, -99, 99))
        assert 0 <= found.scale <= 1
        assert found.confidence_shift <= 0
        assert 0 < found.stop_share <= 1


def test_it_answers_one_by_one_as_it_answers_many() -> None:
    policy = any_policy(3)
    asked = np.random.default_rng(8).normal(0, 20, (2_000, COUNT))
    one_by_one = np.array([policy.answer(row) for row in asked])
    np.testing.assert_allclose(np.clip(one_by_one, -1, 1), policy.act(asked), atol=1e-6)


def test_a_steady_policy_says_what_it_says() -> None:
    assert steady_policy(0.0, 0.0, 1.0).adjust(np.zeros(COUNT)) == Adjustment(scale=0.5, stop_share=0.5)


def test_one_answer_means_what_it_means_among_many() -> None:
    bounds = ActionBounds(max_scale=0.9, max_shift=0.3, min_stop_share=0.4)
    actions = np.random.default_rng(6).uniform(-1.5, 1.5, (500, 3))
    for row, action in zip(adjustments(actions, bounds), actions, strict=True):
        one = adjustment_of(action, bounds)
        assert (one.scale, one.confidence_shift, one.stop_share) == tuple(row)
