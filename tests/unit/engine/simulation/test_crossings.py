"""Means that are compared by compiled code, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.flags import crossing
from engine.simulation.compiled import cross
from engine.simulation.crossings import mark_crossing

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


def means(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two that cross often, are the same but for rounding now and then, and are not known at first."""
    fast, slow = np.random.default_rng(5).uniform(99, 101, (2, count))
    same = np.random.default_rng(6).random(count) < 0.2
    fast[same] = slow[same] * (1 + 1e-15)
    fast[:3], slow[:7] = np.nan, np.nan
    for column in (fast, slow):
        column.setflags(write=False)
    return fast, slow


@pytest.mark.parametrize("count", [0, 1, 7, 8, 40_000])
def test_compiled_code_says_what_numpy_says(count: int) -> None:
    fast, slow = means(count)
    found, wanted = cross(fast, slow), crossing(fast, slow)
    np.testing.assert_array_equal(found.rose, wanted.rose)
    np.testing.assert_array_equal(found.below, wanted.below)


def test_so_does_the_python_that_it_is_made_of() -> None:
    fast, slow = means(500)
    rose, below = np.empty(500, dtype=np.bool_), np.empty(500, dtype=np.bool_)
    mark_crossing(fast, slow, rose, below)
    wanted = crossing(fast, slow)
    assert 50 < wanted.rose.sum() < 250
    np.testing.assert_array_equal(rose, wanted.rose)
    np.testing.assert_array_equal(below, wanted.below)
