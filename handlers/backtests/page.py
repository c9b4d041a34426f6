"""A backtest as one page that needs nothing beside it: figures, pictures and tables, to be read and to be printed."""

from __future__ import annotations

import math
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from engine.backtest.report import BacktestReport
from engine.backtest.returns import monthly
from engine.domain.backtests import BacktestTrade
from handlers.backtests import figures
from handlers.backtests.pictures import equity_chart, trades_chart
from handlers.cards import wording
from handlers.charts.scene import Scene
from handlers.charts.scenes import scene_of

_WIDE, _NARROW = (960, 380), (352, 300)
"""The boxes of a picture for a desk and for a phone: one that was only scaled could not be read."""
_SPANS = {_WIDE: 400, _NARROW: 150}
_TRADES = {_WIDE: 40, _NARROW: 14}
_CANDLES = {_WIDE: 300, _NARROW: 90}
_UTC = ZoneInfo("UTC")
_MARKETS = 8
"""Of how many markets there are pictures."""
_LAST = 30
"""How many trades are listed."""
_FULL = 0.2
"""The change of a month from which on its colour is full."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def page(report: BacktestReport, at: datetime) -> str:
    """The page.

    Args:
        report: What it tells of.
        at: When it was made, in wall time.
    """
    symbols = tuple(report.setup.candles)
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            result=report.result,
            found=report.statistics,
            quote=report.result.quote,
            at=at,
            equity=[scene_of(equity_chart(report, _SPANS[box], _UTC), *box) for box in (_WIDE, _NARROW)],
            markets=[_trades(report, symbol) for symbol in symbols[:_MARKETS]],
            further=symbols[_MARKETS:],
            names=wording.listing([each.name for each in report.setup.contexts]),
            years=_years(report),
            months=MONTHS,
            last=_last(report),
            price=lambda symbol, value: _price(report, symbol, value),
        )
    )


def _trades(report: BacktestReport, symbol: str) -> list[Scene]:
    return [scene_of(trades_chart(report, symbol, _TRADES[box], _CANDLES[box]), *box) for box in (_WIDE, _NARROW)]


def _last(report: BacktestReport) -> tuple[BacktestTrade, ...]:
    return report.result.trades[: -_LAST - 1 : -1]


def _price(report: BacktestReport, symbol: str, value: float) -> str:
    """A mean price in six digits or with two decimals, and with no more of them than prices of its market have."""
    finest = -report.setup.markets[symbol].tick.adjusted()
    digits = 5 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:,.{max(0, min(finest, max(2, digits)))}f}"


def _years(report: BacktestReport) -> list[tuple[int, list[float | None], float]]:
    """Each year with the changes of its months, ``None`` for what lies outside, and its own."""
    changes = monthly(report.statistics.curve)
    found = list[tuple[int, list[float | None], float]]()
    for year in dict.fromkeys(year for year, _ in changes):
        months = [changes.get((year, month)) for month in range(1, 13)]
        whole = 1.0
        for each in months:
            whole *= 1.0 + (each or 0.0)
        found.append((year, months, whole - 1.0))
    return found


def _strength(change: float) -> int:
    """How strong the colour of a change is, in per cent."""
    return round(8 + 52 * min(abs(change) / _FULL, 1.0))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("handlers.backtests"), PackageLoader("handlers.charts")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": figures.amount,
        "signed": figures.signed,
        "ratio": figures.ratio,
        "percent": wording.percent,
        "change": wording.signed_percent,
        "number": lambda value: f"{value:,}",
        "moment": lambda at: f"{at:%Y-%m-%d %H:%M}",
        "day": figures.day,
        "span": wording.span,
        "count": wording.count,
        "sentence": wording.sentence,
        "strength": _strength,
    }
    environment.globals |= {"figures": figures}
    return environment
