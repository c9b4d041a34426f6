"""The candles of a market as a scene, with what was bought and sold in it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.domain.charts import TradeMark, TradesChart
from handlers.charts.candlesticks import Place, When, candlesticks
from handlers.charts.scales import ticks, width_of
from handlers.charts.scene import SMALL, USUAL, Areas, Point, Scene, Shape, Strokes, Words, ends, plain

_TOP, _LEGEND, _AXIS, _RIGHT = 22.0, 18.0, 20.0, 8.0
_ARROW = 4.0
_LEGENDS = (("entry", 1, "bought"), ("won", -1, "sold, won"), ("lost", -1, "sold, lost"))


def scene(chart: TradesChart, width: float, height: float) -> Scene:
    """Draw the candles of a market and the trades in it.

    Args:
        chart: What to draw; at least one candle.
        width: Of the box.
        height: Of the box.
    """
    low, high = min(chart.low), max(chart.high)
    edge = 0.06 * max(high - low, 0.002 * abs(high), 1e-12)
    low, high = low - edge, high + edge
    top, bottom = _TOP + _LEGEND, height - _AXIS
    begin = chart.times[0]
    end = chart.times[-1] + timedelta(seconds=chart.seconds)
    marks = ticks(low, high, 6)
    left = max((width_of(text, SMALL) for _, text in marks), default=0) + 6
    right = width - _RIGHT

    def x(at: datetime) -> float:
        return round(left + (min(max(at, begin), end) - begin) / (end - begin) * (right - left), 1)

    def y(price: float) -> float:
        return round(bottom - (min(max(price, low), high) - low) / (high - low) * (bottom - top), 1)

    shown = [each for each in chart.trades if each.begin < end and (each.end is None or each.end >= begin)]
    shapes = (
        Words(role="title", text=plain(chart.title), x=4, y=11, size=USUAL),
        *(_legend(left) if shown else ()),
        Strokes(role="grid", lines=tuple(((left, y(value)), (right, y(value))) for value, _ in marks)),
        *(Words(role="axis", text=text, x=left - 5, y=y(value), anchor="end") for value, text in marks),
        *candlesticks(chart, x, y),
        *_trades(shown, x, y, end),
        *ends(begin, end, ZoneInfo(chart.zone), (left, right), width, height - 7),
    )
    return Scene(width=width, height=height, alt=plain(chart.alt), shapes=shapes)


def _trades(trades: list[TradeMark], x: When, y: Place, end: datetime) -> list[Shape]:
    """A line from entry to exit, an arrow up to the one and down to the other."""
    found: list[Shape] = []
    for role, is_won in (("won", True), ("lost", False)):
        own = [each for each in trades if each.is_won is is_won]
        lines = [((x(each.begin), y(each.entry)), (x(each.end or end), y(each.exit))) for each in own]
        sold = [_arrow(x(each.end), y(each.exit), -1) for each in own if each.end is not None]
        found += [Strokes(role=role, lines=tuple(lines))] if lines else []
        found += [Areas(role=role, shapes=tuple(sold))] if sold else []
    bought = tuple(_arrow(x(each.begin), y(each.entry), 1) for each in trades)
    return [*found, Areas(role="entry", shapes=bought)] if bought else found


def _arrow(at: float, height: float, way: int) -> tuple[Point, ...]:
    """A tip at a price: from below for 1, from above for -1."""
    foot = height + (1 + 1.8 * _ARROW) * way
    return (at, height + way), (round(at - _ARROW, 1), foot), (round(at + _ARROW, 1), foot)


def _legend(left: float) -> list[Shape]:
    y, at, found = _TOP + 7, left + _ARROW, list[Shape]()
    for role, way, name in _LEGENDS:
        found.append(Areas(role=role, shapes=(_arrow(at, y - 4 * way, way),)))
        found.append(Words(role="axis", text=name, x=at + 8, y=y))
        at += 8 + width_of(name, SMALL) + 14
    return found
