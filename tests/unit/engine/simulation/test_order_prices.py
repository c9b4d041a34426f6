"""Where a path meets limits that rest and stops that trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.orders import Side
from engine.simulation.order_prices import Point, first_retreat, touches
from tests.fakes.examples import examples

START = datetime(2024, 1, 1, tzinfo=UTC)


def points(*of: tuple[float, int]) -> list[Point]:
    return [(START + timedelta(minutes=minutes), Decimal(price)) for minutes, price in of]


def mirrored(path: Sequence[Point]) -> list[Point]:
    return [(at, 200 - price) for at, price in path]


@pytest.mark.parametrize(
    ("path", "met"),
    [
        (points((0, 100), (20, 96)), []),
        (points((0, 100), (20, 90), (40, 92), (60, 100)), points((10, 95), (20, 95), (40, 95))),
        (points((0, 100), (20, 95), (40, 100)), points((20, 95))),
        (points((0, 100), (20, 90), (40, 100), (60, 90)), points((10, 95), (20, 95), (50, 95), (60, 95))),
        (points((0, 100), (20, 100), (20, 80), (40, 100)), points((20, 80))),
        (points((0, 100), (20, 95), (20, 80)), points((20, 95))),
        (points((0, 90), (20, 90), (20, 100)), points((0, 95))),
        (points((0, 100), (20, 90), (20, 100)), points((10, 95))),
        ([], []),
    ],
    ids=[
        "not so far", "through it and on beyond", "a turn at it", "twice", "a jump over it", "to it, then a jump",
        "a jump away from beyond it", "through it, then a jump away", "no path",
    ],
)  # fmt: skip
def test_a_limit_is_touched_where_a_line_comes_to_it_and_at_turns_beyond(path: list[Point], met: list[Point]) -> None:
    assert list(touches(path, Decimal(95), Side.BUY)) == met
    assert list(touches(mirrored(path), Decimal(105), Side.SELL)) == mirrored(met)


steps = st.lists(st.tuples(st.integers(0, 3), st.integers(90, 110)), min_size=1, max_size=12)


@examples(100)
@given(steps, st.integers(92, 108), st.sampled_from(Side))
def test_touches_come_in_order_once_a_moment_and_only_where_the_path_is_at_the_limit_or_beyond(
    drawn: list[tuple[int, int]], limit: int, side: Side
) -> None:
    path, at = [], 0
    for minutes, price in drawn:
        at += minutes * 10
        path.append((START + timedelta(minutes=at), Decimal(price)))
    met = list(touches(path, Decimal(limit), side))
    times = [at for at, _ in met]
    assert times == sorted(set(times))
    assert all(price <= limit if side is Side.BUY else price >= limit for _, price in met)
    stays = any(price <= limit if side is Side.BUY else price >= limit for price in dict(path).values())
    passes = any(price <= limit if side is Side.BUY else price >= limit for _, price in path)
    assert stays <= bool(met) <= passes


@pytest.mark.parametrize(
    ("path", "best", "met"),
    [
        (points((0, 100), (20, 110), (40, 106)), 110, None),
        (points((0, 100), (20, 110), (40, 100)), 110, (30, 105)),
        (points((0, 100), (20, 110), (20, 100)), 110, (20, 100)),
        (points((0, 101), (20, 101), (20, 120), (40, 116), (60, 114)), 120, (50, 115)),
        (points((0, 90)), 100, (0, 90)),
        ([], 100, None),
    ],
    ids=["not so far", "on a line", "by a jump", "after a jump up", "at once", "no path"],
)
def test_a_trailing_stop_is_reached_where_the_path_comes_back_by_its_distance(
    path: list[Point], best: int, met: tuple[float, int] | None
) -> None:
    for side, way, sign in ((Side.SELL, path, 1), (Side.BUY, mirrored(path), -1)):
        found, crossing = first_retreat(way, Decimal(100), Decimal(5), side)
        assert found == 100 + sign * (best - 100)
        if met is None:
            assert crossing is None
        else:
            assert crossing is not None
            assert (crossing.at, crossing.price) == (START + timedelta(minutes=met[0]), 100 + sign * (met[1] - 100))


@examples(60)
@given(st.lists(st.integers(80, 120), min_size=2, max_size=15), st.integers(1, 15), st.integers(1, 13))
def test_a_path_in_two_parts_is_followed_like_one(drawn: list[int], distance: int, cut: int) -> None:
    path = points(*((index, price) for index, price in enumerate(drawn)))
    cut = min(cut, len(path) - 1)
    whole = first_retreat(path, Decimal(100), Decimal(distance), Side.SELL)
    best, met = first_retreat(path[: cut + 1], Decimal(100), Decimal(distance), Side.SELL)
    assert whole == ((best, met) if met else first_retreat(path[cut:], best, Decimal(distance), Side.SELL))
