"""Time in three parts with gaps."""

from __future__ import annotations

import pytest

from engine.domain.errors import BadInput
from engine.learning.splits import Stretch, splits_of

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
