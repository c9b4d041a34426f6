"""Spans of time: what was asked about, and what of a wish is still to be."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.data.spans import lacking, length, united

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair))), max_size=6)


def seconds(spans: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> set[int]:
    return {at for begin, end in spans for at in range(begin, end)}


@given(SPANS)
def test_united_spans_are_the_same_time_in_order_and_never_touch(spans: list[tuple[int, int]]) -> None:
    found = united(spans)
    assert seconds(found) == seconds(spans)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    assert length(found) == len(seconds(spans))


@given(SPANS, st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_what_is_lacking_is_what_was_wished_and_is_not_had(
    spans: list[tuple[int, int]], wished: tuple[int, int]
) -> None:
    assert seconds(lacking(wished, spans)) == seconds([wished]) - seconds(spans)
