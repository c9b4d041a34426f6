"""Where a path meets the prices of orders that wait: a limit that rests, and a stop that trails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from engine.domain.orders import Side
from engine.simulation.path import Crossing

Point = tuple[datetime, Decimal]


def touches(points: Sequence[Point], limit: Decimal, side: Side) -> Iterator[Point]:
    """When something is traded at a limit, or beyond it, and at what price, oldest first.

    That is where a straight line of the path comes to the limit, and at each of its turning points that lies there or
    beyond. The price is the limit, or the one that the path landed on where it jumped over it.

    Args:
        points: The path's turning points, oldest first; the first one counts itself.
        limit: What is waited at.
        side: A purchase waits for the price to fall to it, a sale for it to rise.
    """
    told: datetime | None = None
    for at, price in _touches(points, limit, 1 if side is Side.BUY else -1):
        if at != told:
            yield at, price
        told = at


def _touches(points: Sequence[Point], limit: Decimal, sign: int) -> Iterator[Point]:
    before: Point | None = None
    for index, (at, price) in enumerate(points):
        there = (price - limit) * sign <= 0
        stays = index + 1 == len(points) or points[index + 1][0] > at  # else the path leaves it at once, by a jump
        comes = there and before is not None and (before[1] - limit) * sign > 0
        if comes and before is not None and before[0] < at:
            yield _on_line(before, (at, price), limit), limit
        if there and stays:
            yield at, price if comes and before is not None and before[0] == at else limit
        before = at, price


def first_retreat(
    points: Sequence[Point], best: Decimal, distance: Decimal, side: Side
) -> tuple[Decimal, Crossing | None]:
    """How far a path goes, and where it first comes back from there by a distance.

    Args:
        points: The path's points, oldest first; the first one counts itself.
        best: The best price before them.
        distance: In the quote currency.
        side: For a sale the best price is the highest, for a purchase the lowest.

    Returns:
        The best price up to then, and where the path came back, if it did: there, or at the price to which it jumped.
    """
    sign, better = (1, max) if side is Side.SELL else (-1, min)
    before: Point | None = None
    for at, price in points:
        trigger = best - sign * distance
        if (price - trigger) * sign <= 0:
            if before is None or before[0] == at:
                return best, Crossing(at=at, price=price, fell=side is Side.SELL)
            return best, Crossing(at=_on_line(before, (at, price), trigger), price=trigger, fell=side is Side.SELL)
        best = better(best, price)
        before = at, price
    return best, None


def _on_line(begin: Point, end: Point, price: Decimal) -> datetime:
    """When a straight line comes to a price that lies on it."""
    return begin[0] + (end[0] - begin[0]) * float((price - begin[1]) / (end[1] - begin[1]))
