"""Support and resistance from turning points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import levels
from engine.domain.market import Candles
from tests.fakes.series import candles, walk


def through(*corners: float, steps: int = 6) -> Candles:
    """Candles without wicks on straight lines from corner to corner."""
    legs = [np.linspace(a, b, steps, endpoint=False) for a, b in pairwise(corners)]
    path = np.concatenate((*legs, [corners[-1]]))
    return candles(opens=path, highs=path, lows=path, closes=path, volumes=np.full(len(path), 70.0))


def test_a_price_turned_at_is_a_level() -> None:
    supports, resistances = levels.find(through(105, 100, 110, 104), atr=2.0)
    assert supports == (100.0,)
    assert resistances == (110.0,)


def test_turning_points_close_together_are_one_level() -> None:
    supports, _ = levels.find(through(105, 100, 108, 100.4, 108, 104), atr=2.0)
    assert supports == (pytest.approx(100.2),)


def test_the_most_touched_levels_are_kept_and_the_nearest_comes_first() -> None:
    series = through(110, 100, 106, 98, 106, 96, 106, 96, 106, 98, 106, 94, 105)
    supports, _ = levels.find(series, atr=1.5)
    assert supports == (100.0, 98.0, 96.0)


def test_a_level_out_of_reach_is_left_out() -> None:
    supports, _ = levels.find(through(105, 60, 110, 104), atr=2.0)
    assert supports == ()


def test_a_flat_top_is_one_peak() -> None:
    assert levels.peaks(np.array([1.0, 2, 3, 5, 5, 3, 2, 1, 0])).tolist() == [3]


def test_a_turn_counts_only_once_three_candles_have_confirmed_it() -> None:
    falling_from_top = through(100, 110, 104)
    top = int(np.argmax(falling_from_top.high))
    assert levels.find(falling_from_top.slice(0, top + 3), atr=2.0)[1] == ()
    assert levels.find(falling_from_top.slice(0, top + 4), atr=2.0)[1] == (110.0,)


@pytest.mark.parametrize("atr", [0.0, -1.0, float("nan")])
def test_without_an_atr_there_are_no_levels(atr: float) -> None:
    assert levels.find(walk(1, 100), atr) == ((), ())


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0.01, 5.0))
def test_levels_lie_on_their_side_nearest_first_and_at_most_three(seed: int, count: int, atr: float) -> None:
    series = walk(seed, count)
    close = series.close[-1]
    supports, resistances = levels.find(series, atr)
    assert all(level < close for level in supports)
    assert all(level > close for level in resistances)
    assert list(supports) == sorted(supports, reverse=True)
    assert list(resistances) == sorted(resistances)
    assert max(len(supports), len(resistances)) <= 3
