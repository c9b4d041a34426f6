"""An equity curve as a scene: equity and buy-and-hold over time, and how far it was below its peak. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from engine.domain.charts import EquityChart
from handlers.charts.scales import ticks, width_of
from handlers.charts.scene import SMALL, USUAL, Areas, Point, Scene, Shape, Strokes, Words, ends, plain

LEAST_SPREAD = 0.002
"""The least share of the values that the height stands for, so that pennies do not look like a crash."""
_LEAST_FALL = 0.005
_TOP, _LEGEND, _AXIS, _GAP, _RIGHT = 22.0, 18.0, 18.0, 14.0, 8.0
_FALL_SHARE = 0.26
_SAMPLE = 16.0

Place = Callable[[float], float]


def scene(chart: EquityChart, width: float, height: float) -> Scene:
    """Draw an equity curve.

    Args:
        chart: What to draw; at least two points of different times.
        width: Of the box.
        height: Of the box.
    """
    known = [value for value in chart.hold if value is not None]
    put_in = chart.put_in or (chart.start,) * len(chart.times)
    low, high = _range([*chart.equity, *known, *put_in])
    deepest = max(*chart.drawdown, _LEAST_FALL)
    top, below = _TOP + _LEGEND, height - _AXIS
    fall_top = below - (below - top) * _FALL_SHARE
    bottom = fall_top - _GAP
    marks, falls = ticks(low, high, 5), _falls(max(chart.drawdown), deepest)
    left = max(width_of(text, SMALL) for _, text in (*marks, *falls)) + 6
    right = width - _RIGHT
    x = _times(chart.times[0], chart.times[-1], left, right)
    y = _scale(low, high, bottom, top)
    depth = _scale(0.0, deepest, fall_top, below)
    xs = [x(at) for at in chart.times]
    line = tuple(zip(xs, map(y, chart.equity), strict=True))
    zero = tuple(zip(xs, map(y, put_in), strict=True))
    fallen = tuple(zip(xs, map(depth, chart.drawdown), strict=True))
    shapes: list[Shape] = [
        Words(role="title", text=plain(chart.title), x=4, y=11, size=USUAL),
        *_legend(left, bool(known)),
        Strokes(role="grid", lines=tuple(((left, y(value)), (right, y(value))) for value, _ in marks)),
        *(Words(role="axis", text=text, x=left - 5, y=y(value), anchor="end") for value, text in marks),
        Areas(role="gain", shapes=_between(line, zero, above=True)),
        Areas(role="loss", shapes=_between(line, zero, above=False)),
        Strokes(role="zero", lines=(_corners(zero),), dashed=True),
        Areas(role="fall", shapes=(((xs[0], fall_top), *fallen, (xs[-1], fall_top)),)),
        Strokes(role="grid", lines=(((left, fall_top), (right, fall_top)),)),
        *(Words(role="axis", text=text, x=left - 5, y=depth(value), anchor="end") for value, text in falls),
        Words(role="axis", text="drawdown", x=right, y=fall_top - 4, anchor="end"),
        *ends(chart.times[0], chart.times[-1], ZoneInfo(chart.zone), (left, right), width, height - 6),
    ]
    if known:
        shapes.append(
            Strokes(role="hold", lines=_known(xs, [None if v is None else y(v) for v in chart.hold]), dashed=True)
        )
    shapes.append(Strokes(role="equity", lines=(line,)))
    return Scene(width=width, height=height, alt=plain(chart.alt), shapes=tuple(shapes))


def _falls(largest: float, deepest: float) -> tuple[tuple[float, str], ...]:
    """What stands at the axis of drawdowns: none, and the largest where there is room for it."""
    return ((0.0, "0%"), *(((largest, f"-{100 * largest:.1f}%"),) if largest > deepest / 4 else ()))


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From where to where the axis goes: a little more than the values, and never so little that it exaggerates."""
    low, high = min(values), max(values)
    room = max(high - low, LEAST_SPREAD * max(abs(low), abs(high)), 1e-9)
    middle = (low + high) / 2
    return middle - 0.54 * room, middle + 0.54 * room


def _scale(low: float, high: float, at_low: float, at_high: float) -> Place:
    return lambda value: round(at_low + (value - low) / (high - low) * (at_high - at_low), 1)


def _times(begin: datetime, end: datetime, left: float, right: float) -> Callable[[datetime], float]:
    length = max(end - begin, timedelta(seconds=1))
    return lambda at: round(left + (at - begin) / length * (right - left), 1)


def _legend(left: float, holds: bool) -> list[Shape]:  # noqa: FBT001 - whether there is a second line
    """A sample of each line with its name."""
    y, found, x = _TOP + 7, list[Shape](), left
    for role, name in (("equity", "equity"), ("hold", "buy and hold"))[: 1 + holds]:
        found.append(Strokes(role=role, lines=(((x, y), (x + _SAMPLE, y)),), dashed=role == "hold"))
        found.append(Words(role="axis", text=name, x=x + _SAMPLE + 4, y=y))
        x += _SAMPLE + 4 + width_of(name, SMALL) + 12
    return found


def _between(line: Sequence[Point], zero: Sequence[Point], *, above: bool) -> tuple[tuple[Point, ...], ...]:
    """What lies between two lines, on one side of the second, as one shape; none where the first is never there."""
    found = _crossed(line, zero)
    side = tuple((x, min(y, z) if above else max(y, z)) for x, y, z in found)
    if all(y == z for (_, y), (_, _, z) in zip(side, found, strict=True)):
        return ()
    first, *others = _corners([(x, z) for x, _, z in found])
    return ((first, *side, *reversed(others)),)


def _crossed(line: Sequence[Point], zero: Sequence[Point]) -> list[tuple[float, float, float]]:
    """Two lines over the same places, each place with both heights, and those where they cross."""
    both = [(x, y, z) for (x, y), (_, z) in zip(line, zero, strict=True)]
    found = both[:1]
    for (x0, y0, z0), (x1, y1, z1) in pairwise(both):
        if (y0 - z0) * (y1 - z1) < 0:
            share = (z0 - y0) / ((y1 - y0) - (z1 - z0))
            height = round(z0 + (z1 - z0) * share, 1)
            found.append((round(x0 + (x1 - x0) * share, 1), height, height))
        found.append((x1, y1, z1))
    return found


def _corners(line: Sequence[Point]) -> tuple[Point, ...]:
    """A line without the points between two of the same height."""
    inner = (here for before, here, after in zip(line, line[1:], line[2:], strict=False) if _turns(before, here, after))
    return (line[0], *inner, line[-1])


def _turns(before: Point, here: Point, after: Point) -> bool:
    return not before[1] == here[1] == after[1]


def _known(xs: Sequence[float], ys: Sequence[float | None]) -> tuple[tuple[Point, ...], ...]:
    """The stretches of a line where it is known."""
    found: list[list[Point]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is None:
            found.append([])
        else:
            found[-1].append((x, y))
    return tuple(tuple(stretch) for stretch in found if len(stretch) > 1)
