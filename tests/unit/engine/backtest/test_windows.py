"""The windows of a test that walks forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.windows import windows
from engine.domain.errors import BadInput

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@given(st.integers(20, 2_000), st.integers(1, 19), st.integers(1, 400), st.booleans())
def test_tests_follow_one_another_and_each_is_chosen_for_on_what_was_before(
    days: int,
    before: int,
    step: int,
    anchored: bool,  # noqa: FBT001 - given
) -> None:
    end = BEGIN + days * DAY
    found = windows(BEGIN, end, inside=before * DAY, outside=step * DAY, anchored=anchored)
    assert found[0].splits == BEGIN + before * DAY
    assert found[-1].ends == end
    assert all(one.ends == other.splits for one, other in pairwise(found))
    assert {each.ends - each.splits for each in found[:-1]} <= {step * DAY}
    assert len(found) == 1 or 0.5 * step * DAY <= found[-1].ends - found[-1].splits <= 1.5 * step * DAY
    for each in found:
        assert each.begins == (BEGIN if anchored else each.splits - before * DAY)


def test_by_itself_it_is_half_of_the_time_and_then_tenths() -> None:
    found = windows(BEGIN, BEGIN + 100 * DAY)
    assert [(each.splits - BEGIN) / DAY for each in found] == [50, 60, 70, 80, 90]
    assert len(windows(BEGIN, BEGIN + timedelta(hours=30))) > 2


@pytest.mark.parametrize(("before", "step"), [(100, 5), (120, 5), (0, 5), (10, 0)])
def test_without_time_for_a_test_it_says_so(before: int, step: int) -> None:
    with pytest.raises(BadInput):
        windows(BEGIN, BEGIN + 100 * DAY, inside=before * DAY, outside=step * DAY)
