"""Candles as shapes: a body from open to close, a wick from low to high. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.domain.charts import TradeChart, TradesChart
from handlers.charts.scene import Areas, Point, Shape, Strokes

Place = Callable[[float], float]
When = Callable[[datetime], float]
_WIDEST = 16.0


def candlesticks(chart: TradeChart | TradesChart, x: When, y: Place) -> list[Shape]:
    """Those that rose, and those that sank.

    Args:
        chart: Whose candles.
        x: Where a time is.
        y: Where a price is.
    """
    step = (x(chart.times[0] + timedelta(seconds=chart.seconds)) - x(chart.times[0])) or 1.0
    half = max(min(0.35 * step, _WIDEST / 2), 0.4)
    bodies: dict[bool, list[tuple[Point, ...]]] = {True: [], False: []}
    wicks: dict[bool, list[tuple[Point, ...]]] = {True: [], False: []}
    for at, opened, highest, lowest, closed in zip(
        chart.times, chart.open, chart.high, chart.low, chart.close, strict=True
    ):
        middle, rises = round(x(at) + step / 2, 2), closed >= opened
        upper, lower = y(max(opened, closed)), max(y(min(opened, closed)), y(max(opened, closed)) + 0.6)
        a, b = round(middle - half, 2), round(middle + half, 2)
        bodies[rises].append(((a, upper), (b, upper), (b, lower), (a, lower)))
        wicks[rises].append(((middle, y(highest)), (middle, y(lowest))))
    found: list[Shape] = []
    for rises, name in ((True, "rise"), (False, "sink")):
        if bodies[rises]:
            found += [Strokes(role=name, lines=tuple(wicks[rises])), Areas(role=name, shapes=tuple(bodies[rises]))]
    return found
