from hypothesis import given
from hypothesis import strategies as st

from handlers.web.drawing import curve

VALUES = st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=2, max_size=300)


def points(line):
    return [tuple(map(float, pair.split())) for pair in line.removeprefix("M").split(" L")]


@given(VALUES)
def test_every_point_lies_within_the_box(values):
    drawn = curve(values, 320, 96)
    assert len(points(drawn.line)) == len(values)
    assert all(0 <= x <= 316 and 4 <= y <= 92 for x, y in points(drawn.line))


@given(VALUES)
def test_the_points_go_from_the_left_edge_to_the_dot_at_the_end(values):
    drawn = curve(values, 320, 96)
    xs = [x for x, _ in points(drawn.line)]
    assert xs == sorted(xs)
    assert xs[0] == 0
    assert points(drawn.line)[-1] == drawn.end


def test_the_highest_value_is_at_the_top_and_the_lowest_at_the_bottom():
    drawn = curve([5.0, 10.0, 0.0], 320, 96)
    assert [y for _, y in points(drawn.line)] == [48, 4, 92]
    assert (drawn.low, drawn.high) == (0, 10)


def test_values_that_are_all_alike_make_a_line_in_the_middle():
    assert {y for _, y in points(curve([10000.0] * 5, 320, 96).line)} == {48}


def test_a_small_change_looks_small():
    heights = [y for _, y in points(curve([10000.0, 9999.5], 320, 96).line)]
    assert 0 < heights[1] - heights[0] < 3


def test_a_curve_falls_when_it_ends_lower_than_it_began():
    assert not curve([2.0, 3.0, 1.0], 320, 96).rises
    assert curve([2.0, 1.0, 2.0], 320, 96).rises


def test_fewer_than_two_values_are_not_drawn():
    assert curve([], 320, 96) is None
    assert curve([1.0], 320, 96) is None
