"""Round numbers for axes, and labels that do not lie over one another."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.charts.scales import moment, spread, ticks


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (57_900, 63_100, ["58,000", "59,000", "60,000", "61,000", "62,000", "63,000"]),
        (7.79e-7, 8.41e-7, ["0.00000078", "0.00000080", "0.00000082", "0.00000084"]),
        (1.2241, 1.2249, ["1.2242", "1.2244", "1.2246", "1.2248"]),
        (9_988, 10_012, ["9,990", "9,995", "10,000", "10,005", "10,010"]),
        (-1.2, 1.2, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
        (1, 1, []),
        (0, float("nan"), []),
    ],
)
def test_ticks_are_round_and_have_the_decimals_that_tell_them_apart(low: float, high: float, texts: list[str]):
    assert [text for _, text in ticks(low, high, 6)] == texts


@given(st.floats(1e-9, 1e9), st.floats(1e-6, 10), st.integers(2, 8))
def test_ticks_lie_within_and_no_two_read_alike(low: float, share: float, most: int):
    high = low * (1 + share)
    found = ticks(low, high, most)
    room = 1e-6 * (high - low)
    assert 1 <= len(found) <= most + 1
    assert all(low - room <= value <= high + room for value, _ in found)
    assert len({text for _, text in found}) == len(found)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 20)), max_size=8))
def test_labels_keep_their_order_and_lie_over_no_other(labels: list[tuple[float, float]]):
    wanted, heights = [at for at, _ in labels], [height for _, height in labels]
    room = max(100.0, sum(heights))
    placed = spread(wanted, heights, 0, room)
    order = sorted(range(len(labels)), key=lambda index: wanted[index])
    for before, after in pairwise(order):
        assert placed[after] - placed[before] >= (heights[before] + heights[after]) / 2 - 1e-6
    for at, height in zip(placed, heights, strict=True):
        assert height / 2 - 1e-6 <= at <= room - height / 2 + 1e-6


def test_a_label_with_room_stands_where_it_is_wanted():
    assert spread([10, 50, 52], [8, 8, 8], 0, 100) == [10, 47, 55]
    assert spread([1, 99], [8, 8], 0, 100) == [4, 96]


def test_times_have_a_year_where_the_axis_is_long():
    at = datetime(2026, 1, 3, 14, 5, tzinfo=UTC)
    assert moment(at, timedelta(days=7), ZoneInfo("UTC")) == "3 Jan 14:05"
    assert moment(at, timedelta(days=365), ZoneInfo("UTC")) == "3 Jan 2026"


def test_times_are_by_the_clock_of_a_zone_through_its_changes():
    berlin, week = ZoneInfo("Europe/Berlin"), timedelta(days=7)
    assert moment(datetime(2025, 12, 31, 20, 0, tzinfo=UTC), week, ZoneInfo("Asia/Kolkata")) == "1 Jan 01:30"
    forward, back = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    hours = [timedelta(hours=hour) for hour in range(4)]
    assert [moment(forward + hour, week, berlin) for hour in hours[:2]] == ["29 Mar 01:30", "29 Mar 03:30"]
    assert [moment(back + hour, week, berlin) for hour in hours] == [
        "25 Oct 01:30",
        "25 Oct 02:30 CEST",
        "25 Oct 02:30 CET",
        "25 Oct 03:30",
    ]
