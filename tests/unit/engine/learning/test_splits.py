"""Time in three parts with gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from purgedcv import CombinatorialPurgedCV

from engine.domain.errors import BadInput
from engine.learning.splits import Stretch, folds_of, splits_of

WHOLE = Stretch(begin_ms=0, end_ms=1_000)


def test_nothing_of_a_gap_is_in_any_part() -> None:
    found = splits_of(WHOLE, 50)
    assert (found.train, found.validation, found.test) == (
        Stretch(begin_ms=0, end_ms=550),
        Stretch(begin_ms=600, end_ms=750),
        Stretch(begin_ms=800, end_ms=1_000),
    )


def test_the_parts_begin_where_somebody_says_so() -> None:
    found = splits_of(WHOLE, 10, validate_from=300, test_from=900)
    assert (found.train.end_ms, found.validation.begin_ms, found.test.begin_ms) == (290, 300, 900)


@pytest.mark.parametrize(
    ("validate", "test", "part"), [(20, 900, "training"), (500, 505, "validation"), (500, 995, "the test")]
)
def test_a_part_without_time_is_named(validate: int, test: int, part: str) -> None:
    with pytest.raises(BadInput, match=f"too little time for {part}"):
        splits_of(WHOLE, 10, validate, test)


def test_every_group_is_taken_out_with_every_other_and_purgedcv_leaves_the_same() -> None:
    days = 60
    found = folds_of(Stretch(begin_ms=0, end_ms=days), 2, groups=6, out=2)
    at = pd.Series(pd.date_range("2024-01-01", periods=days, freq="D"))
    peer = CombinatorialPurgedCV(
        n_splits=6,
        n_test_groups=2,
        prediction_times=at,
        evaluation_times=at + pd.Timedelta(days=2, hours=1),  # reaches into the second day from here
        embargo_observations=2,
    )
    wanted = [tuple(set(rows.tolist()) for rows in each) for each in peer.split(np.zeros((days, 1)))]
    told = [
        tuple({row for part in parts for row in range(part.begin_ms, part.end_ms)} for parts in (each.train, each.test))
        for each in found
    ]
    assert len(told) == 15
    assert sorted(map(str, told)) == sorted(map(str, wanted))
    assert [sum(group in each.groups for each in found) for group in range(6)] == [5] * 6


def test_groups_shorter_than_what_is_left_away_are_refused() -> None:
    with pytest.raises(BadInput, match="too little time for so many groups"):
        folds_of(Stretch(begin_ms=0, end_ms=60), 5)
