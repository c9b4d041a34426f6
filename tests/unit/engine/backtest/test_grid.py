"""What people write of a grid, and the combinations that it makes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from engine.backtest.grid import Grid, grid_of
from engine.domain.errors import BadInput


def grid(*texts: str, **other: int) -> Grid:
    return grid_of(texts, yaml.safe_load, **other)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=10:20:5", (10, 15, 20)),
        ("fast=10:19:5", (10, 15)),
        ("fast=3:5", (3, 4, 5)),
        ("low=0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("fast=7", (7,)),
        ("slow=90, 60,90", (90, 60)),
        ("max_candles=24,null", (24, None)),
        ("kind=sma,ema", ("sma", "ema")),
    ],
)
def test_a_range_or_values(text: str, values: tuple[Any, ...]) -> None:
    [axis] = grid(text).axes
    assert axis.values == values
    assert [type(each) for each in axis.values] == [type(each) for each in values]


def test_all_combinations_the_last_axis_first() -> None:
    made = grid("fast=1,2", "slow=5:6")
    assert len(made) == 4
    assert list(made.combinations()) == [{"fast": f, "slow": s} for f in (1, 2) for s in (5, 6)]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((), "Nothing is varied"),
        (("fast",), "gives no values"),
        (("fast=",), "gives no values"),
        (("fast=9:1",), "is no range"),
        (("fast=1:9:0",), "is no range"),
        (("fast=a:b",), "is no range"),
        (("fast=1:9:nan",), "is no range"),
        (("fast=1:99999999",), "99,999,999 values"),
        (("fast=1,2", "fast=3"), "is there twice"),
        (("fast=1:9", "slow=1:9"), "81 combinations"),
    ],
)
def test_what_is_no_grid_is_said(texts: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        grid(*texts, most=80)
