"""What each kind of chart looks like. Pure."""

from __future__ import annotations

from engine.domain.charts import Chart, EquityChart, TradeChart, TradesChart
from handlers.charts import equity, trade, trades
from handlers.charts.scene import Scene

WIDTH, HEIGHT = 360, 300
"""Units of a picture's box: the pixels of a phone."""


def scene_of(chart: Chart, width: float = WIDTH, height: float = HEIGHT) -> Scene:
    """A chart as a scene in a box."""
    match chart:
        case EquityChart():
            return equity.scene(chart, width, height)
        case TradeChart():
            return trade.scene(chart, width, height)
        case TradesChart():
            return trades.scene(chart, width, height)
