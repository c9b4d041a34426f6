"""What a candle does to a position is the same by the path that is walked and by the candle as a whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import from_millis
from engine.simulation import path
from engine.simulation.intrabar import NEITHER, STOP, TARGET, Intrabar, first_exit
from engine.simulation.path import first_crossing
from tests.fakes.series import rows

PRICES = st.integers(50, 150)


@pytest.mark.parametrize("rule", Intrabar)
@given(open_=PRICES, close=PRICES, up=st.integers(0, 30), down=st.integers(0, 30), stop=PRICES, target=PRICES)
def test_the_candle_and_its_path_come_to_the_same(
    *, rule: Intrabar, open_: int, close: int, up: int, down: int, stop: int, target: int
) -> None:
    stop, target = min(stop, target) - 1, max(stop, target)
    candle = (float(open_), float(max(open_, close) + up), float(min(open_, close) - down), float(close))
    series = rows(candle)
    began = int(series.open_ms[0])
    turns = path.turning_points(series, began - 1, began + series.timeframe.millis, rule)
    points = [(from_millis(at), Decimal(price)) for at, price in turns]
    met = first_crossing(points, Decimal(stop), Decimal(target))
    walked = (NEITHER, 0.0) if met is None else (STOP if met.fell else TARGET, float(met.price))
    assert first_exit(candle, stop, target, rule is Intrabar.WORST) == walked


@pytest.mark.parametrize(
    ("candle", "by_path", "at_worst"),
    [
        ((100, 111, 89, 95), (TARGET, 110), (STOP, 90)),
        ((100, 111, 89, 105), (STOP, 90), (STOP, 90)),
        ((100, 111, 91, 95), (TARGET, 110), (TARGET, 110)),
        ((100, 109, 89, 95), (STOP, 90), (STOP, 90)),
        ((112, 113, 80, 85), (TARGET, 112), (TARGET, 112)),
        ((88, 120, 80, 85), (STOP, 88), (STOP, 88)),
        ((100, 109, 91, 95), (NEITHER, 0), (NEITHER, 0)),
    ],
    ids=["both, falling", "both, rising", "target", "stop", "opens above", "opens below", "neither"],
)
def test_where_a_candle_touches_both_the_worst_is_the_stop(
    candle: tuple[float, float, float, float], by_path: tuple[int, float], at_worst: tuple[int, float]
) -> None:
    assert first_exit(candle, 90, 110, worst=False) == by_path
    assert first_exit(candle, 90, 110, worst=True) == at_worst
