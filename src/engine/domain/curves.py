"""An equity curve in as many points as a picture has room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from engine.domain.account import EquityPoint

SPANS = 80
"""Into how many spans of equal length a curve is cut."""


def thinned(points: Iterable[EquityPoint], begin: datetime, end: datetime, spans: int = SPANS) -> Iterator[EquityPoint]:
    """The lowest, the highest, the one furthest from its peak and the last point of each span of time, oldest first.

    So a short fall shows in a picture of a year as well, whatever its points are. They are read one by one.

    Args:
        points: Oldest first.
        begin: When the first span begins.
        end: When the last one ends.
        spans: How many there are; at most four times as many points come out.
    """
    length = max((end - begin) / spans, timedelta(microseconds=1))
    span, within = -1, list[EquityPoint]()
    for point in points:
        at = (point.at - begin) // length
        if at != span and within:
            yield from _kept(within)
            within = []
        span = at
        within.append(point)
    if within:
        yield from _kept(within)


def _kept(points: list[EquityPoint]) -> list[EquityPoint]:
    lowest = min(points, key=lambda point: point.equity)
    highest = max(points, key=lambda point: point.equity)
    deepest = max(points, key=lambda point: point.drawdown)
    return sorted({point.at: point for point in (lowest, highest, deepest, points[-1])}.values(), key=lambda p: p.at)
