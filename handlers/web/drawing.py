"""Numbers over time as the points of an SVG picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_SPREAD = 0.002
"""The least share of the values that the height stands for, so that pennies do not look like a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line in a box of ``width`` by ``height`` units, with the ground under it filled.

    Attributes:
        line, area: Values for the ``d`` of an SVG ``path``.
        end: Where the line ends: x, y.
        first, last: The values at its ends.
        low, high: The extremes of the values.
        rises: Whether it ends no lower than it began.
    """

    width: int
    height: int
    line: str
    area: str
    end: tuple[float, float]
    first: float
    last: float
    low: float
    high: float
    rises: bool


def curve(values: Sequence[float], width: int, height: int, margin: int = 4) -> Curve | None:
    """Draw values at equal steps from left to right; ``None`` where fewer than two leave nothing to draw.

    Args:
        values: Oldest first.
        width: Of the box, in SVG units.
        height: Of the box, in SVG units.
        margin: Kept free above and below the line, and at its end for the dot.
    """
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    low, high = min(values), max(values)
    points = [
        (round(index * (width - margin) / (len(values) - 1), 1), _y(value, low, high, height, margin))
        for index, value in enumerate(values)
    ]
    line = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    return Curve(
        width=width,
        height=height,
        line=line,
        area=f"{line} L{points[-1][0]:g} {height} L0 {height} Z",
        end=points[-1],
        first=values[0],
        last=values[-1],
        low=low,
        high=high,
        rises=values[-1] >= values[0],
    )


def _y(value: float, low: float, high: float, height: int, margin: int) -> float:
    """From the bottom up; values that are all alike lie in the middle."""
    spread = max(high - low, LEAST_SPREAD * max(abs(low), abs(high)))
    share = 0.5 + ((value - low) - (high - value)) / 2 / spread if spread else 0.5
    return round(height - margin - share * (height - 2 * margin), 1)
