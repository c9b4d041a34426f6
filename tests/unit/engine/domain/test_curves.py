"""Fewer points, and nothing that people look for is lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.curves import thinned
from tests.fakes import reports
from tests.fakes.examples import examples


@examples(60)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300), st.integers(1, 20))
def test_the_highest_the_lowest_the_deepest_and_the_last_stay(values: list[int], spans: int):
    points = reports.points(*map(Decimal, values))
    kept = list(thinned(iter(points), points[0].at, points[-1].at, spans))
    assert len(kept) <= 4 * (spans + 1)
    assert [point.at for point in kept] == sorted({point.at for point in kept})
    assert set(kept) <= set(points)
    for of in (lambda p: p.equity, lambda p: -p.equity, lambda p: p.drawdown, lambda p: p.at):
        assert max(map(of, kept)) == max(map(of, points))


def test_few_points_all_stay():
    points = reports.points(Decimal(3), Decimal(2), Decimal(4))
    assert tuple(thinned(points, points[0].at, points[-1].at)) == points
    one = replace(points[0])
    assert list(thinned([one], one.at, one.at)) == [one]
