"""Policies that answer as they may, and those that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.learning.policy import ActionBounds
from engine.learning.policy_files import BadPolicy
from engine.learning.verifying import verified
from tests.fakes.policies import any_policy, steady_policy


def test_a_policy_within_odd_bounds_stays_within_them() -> None:
    for seed in range(5):
        assert verified(any_policy(seed, bounds=ActionBounds(max_scale=0.9, max_shift=0.2, min_stop_share=0.33)))


@pytest.mark.filterwarnings("error")
def test_one_that_overflows_is_found_and_nothing_else_is_said() -> None:
    broken = any_policy()
    weights = (broken.weights[0], np.full((3, 8), 3e38, dtype=np.float32))
    with pytest.raises(BadPolicy, match="is no number"):
        verified(replace(broken, weights=weights))


def test_one_that_answers_the_same_to_everything_is_degenerate_whatever_its_card_says() -> None:
    assert verified(any_policy()).degenerate == ""
    assert verified(steady_policy(0.0, -1.0, -1.0)).degenerate == "it has one scale for everything, 0.50"
    told = any_policy()
    told = replace(told, card=replace(told.card, degenerate="it never trades"))
    assert verified(told).degenerate == "it never trades"


def test_one_that_answers_no_number_is_found() -> None:
    broken = any_policy()
    weights = (broken.weights[0], np.full((3, 8), np.nan, dtype=np.float32))
    with pytest.raises(BadPolicy):
        verified(replace(broken, weights=weights))
