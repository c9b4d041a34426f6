"""The candles of a trade as a scene, with what it paid, got and waited for, each price with its label. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.domain.charts import Mark, Meaning, TradeChart
from handlers.charts.candlesticks import Place, When, candlesticks
from handlers.charts.scales import moment, spread, ticks, width_of
from handlers.charts.scene import SMALL, USUAL, Areas, Scene, Shape, Strokes, Words, ends, plain

_TOP, _AXIS, _LINE = 32.0, 20.0, 12.5
_FAR = 1.5
"""How many heights of its candles a price may be away from them and still be drawn where it is."""
_ARROW = 4.5


def scene(chart: TradeChart, width: float, height: float) -> Scene:
    """Draw the candles of a trade.

    Args:
        chart: What to draw; at least one candle.
        width: Of the box.
        height: Of the box.
    """
    low, high = _range(chart)
    top, bottom = _TOP, height - _AXIS
    begin, length, zone = chart.times[0], timedelta(seconds=chart.seconds), ZoneInfo(chart.zone)
    end = max(chart.times[-1] + length, *(mark.end or mark.begin for mark in chart.marks), begin + length)
    marks = ticks(low, high, 6)
    left = max((width_of(text, SMALL) for _, text in marks), default=0) + 6
    labels = [_label(mark, low, high, end - begin, zone) for mark in chart.marks]
    right = width - max((width_of(text, SMALL) for lines in labels for text in lines), default=0) - 14

    def x(at: datetime) -> float:
        return round(left + (max(at, begin) - begin) / (end - begin) * (right - left), 1)

    def y(price: float) -> float:
        inside = min(max(price, low), high)
        return round(bottom - (inside - low) / (high - low) * (bottom - top), 1)

    shapes = (
        Words(role="title", text=plain(chart.title), x=4, y=11, size=USUAL),
        Strokes(role="grid", lines=tuple(((left, y(value)), (right, y(value))) for value, _ in marks)),
        *(Words(role="axis", text=text, x=left - 5, y=y(value), anchor="end") for value, text in marks),
        *candlesticks(chart, x, y),
        *_marks(chart, x, y, right, (top, bottom)),
        *_labels(chart, labels, y, right, (top, bottom)),
        *ends(begin, end, zone, (left, right), width, height - 7),
    )
    return Scene(width=width, height=height, alt=plain(chart.alt), shapes=shapes)


def _range(chart: TradeChart) -> tuple[float, float]:
    """From where to where the axis goes: all candles, and every price that is not very far from them."""
    low, high = min(chart.low), max(chart.high)
    room = max(high - low, 0.002 * abs(high), 1e-12)
    near = [mark.price for mark in chart.marks if low - _FAR * room <= mark.price <= high + _FAR * room]
    low, high = min(low, *near, low), max(high, *near, high)
    edge = 0.06 * max(high - low, room)
    return low - edge, high + edge


def _label(mark: Mark, low: float, high: float, span: timedelta, zone: ZoneInfo) -> tuple[str, ...]:
    """What stands beside a price; an arrow where it lies outside the picture, and the time of what was at one."""
    arrow = "↑ " if mark.price > high else "↓ " if mark.price < low else ""
    first = plain(f"{arrow}{mark.label}")
    if mark.end is not None or mark.meaning is Meaning.NOW:
        return (first,)
    return (first, moment(mark.begin, span, zone))


def _marks(chart: TradeChart, x: When, y: Place, right: float, box: tuple[float, float]) -> list[Shape]:
    """A line for what held for a while; an arrow and its time for what was paid or got."""
    found: list[Shape] = []
    for mark in chart.marks:
        at, height = x(mark.begin), y(mark.price)
        if mark.end is not None:
            found.append(Strokes(role=mark.meaning, lines=(((at, height), (x(mark.end), height)),)))
        elif mark.meaning is Meaning.NOW:
            found.append(Strokes(role=mark.meaning, lines=(((at - 6, height), (right, height)),)))
        else:
            way = 1 if mark.meaning is Meaning.ENTRY else -1  # an arrow up from below, or down from above
            tip, foot = height + 2 * way, height + (2 + 2 * _ARROW) * way
            found.append(Strokes(role="moment", lines=(((at, box[0]), (at, box[1])),), dashed=True))
            found.append(Areas(role=mark.meaning, shapes=(((at, tip), (at - _ARROW, foot), (at + _ARROW, foot)),)))
    return found


def _labels(
    chart: TradeChart, labels: list[tuple[str, ...]], y: Place, right: float, box: tuple[float, float]
) -> list[Shape]:
    """The labels beside the candles, none over another, each joined to its price."""
    heights = [len(lines) * _LINE for lines in labels]
    places = spread([y(mark.price) for mark in chart.marks], heights, *box)
    found: list[Shape] = []
    for mark, lines, place in zip(chart.marks, labels, places, strict=True):
        price = y(mark.price)
        found.append(Strokes(role="leader", lines=(((right, price), (right + 5, place), (right + 8, place)),)))
        first = place - (len(lines) - 1) * _LINE / 2
        found.append(Words(role=mark.meaning, text=lines[0], x=right + 10, y=round(first, 1)))
        found += [
            Words(role="axis", text=text, x=right + 10, y=round(first + _LINE * number, 1))
            for number, text in enumerate(lines[1:], start=1)
        ]
    return found
