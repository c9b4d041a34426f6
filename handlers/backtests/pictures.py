"""The pictures of a backtest: what the account was worth, and the trades on the candles of each market. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from engine.backtest.report import BacktestReport
from engine.backtest.setup_candles import candles_of
from engine.domain.charts import EquityChart, TradeMark, TradesChart
from engine.domain.market import Candles, Timeframe, from_millis, to_millis
from engine.simulation.frames import resample
from handlers.backtests.figures import amount, day, signed
from handlers.cards import wording

_ROOM = 0.06
"""What is seen before and after trades, as a part of their time."""


def equity_chart(report: BacktestReport, spans: int, zone: ZoneInfo) -> EquityChart:
    """The account beside the same cash bought and held.

    Args:
        report: Whose.
        spans: In how many there are three points each at most; the highest, lowest and deepest ones are always there.
        zone: Whose clock its axis has.
    """
    result, found = report.result, report.statistics
    curve, fallen = found.curve, found.curve.drawdown
    rows = _shown(curve.equity, fallen, spans)
    began, ended = (day(each.astimezone(zone)) for each in (result.begins, result.ends))
    title = f"Equity in {result.quote}, {began} to {ended}"
    ends = f"from {amount(result.cash, result.quote)} to {amount(result.final_equity, result.quote)}"
    ends += f", buy and hold {wording.signed_percent(found.hold.gain)}"
    return EquityChart(
        title=title,
        alt=f"{title}: {ends}, largest drawdown {wording.percent(float(fallen.max()))}",
        start=result.cash,
        times=tuple(from_millis(at) for at in curve.at_ms[rows]),
        equity=tuple(map(float, curve.equity[rows])),
        drawdown=tuple(map(float, fallen[rows])),
        hold=tuple(map(float, found.hold_curve.equity[rows])),
        zone=str(zone),
    )


def trades_chart(report: BacktestReport, symbol: str, trades: int, candles: int) -> TradesChart:
    """The last trades of a market on candles as long as it takes to show them.

    Args:
        report: Whose.
        symbol: The market.
        trades: How many there are at most.
        candles: How many there are at most, where the longest ones suffice.
    """
    result = report.result
    known = _marks(report, symbol)
    shown = known[-trades:]
    begin, end, which = result.begins, result.ends, _counted(known)
    if len(shown) < len(known):
        begin, end = _around(shown, begin, end)
        which = f"the last {len(shown)} of {which}"
    drawn = _within(candles_of(report.setup, symbol), begin, end, candles)
    title = f"{symbol}, {drawn.timeframe}: {which}"
    still = ", the last one still open" if known and known[-1].end is None else ""
    quote = wording.quote(symbol)
    made = sum(each.net for each in result.trades if each.symbol == symbol)
    return TradesChart(
        title=title,
        alt=f"{title}{still}; all that were closed made {signed(made, quote)} {quote}",
        seconds=drawn.timeframe.millis // 1000,
        times=tuple(from_millis(at) for at in drawn.open_ms),
        open=tuple(map(float, drawn.open)),
        high=tuple(map(float, drawn.high)),
        low=tuple(map(float, drawn.low)),
        close=tuple(map(float, drawn.close)),
        trades=tuple(shown),
    )


def _shown(equity: np.ndarray, fallen: np.ndarray, spans: int) -> list[int]:
    """Of each of so many spans the lowest, the deepest fallen and the last point, and the highest of all."""
    edges = np.unique(np.linspace(0, len(equity), min(spans, len(equity)) + 1).astype(int))
    rows = {0, int(equity.argmax())}
    for first, end in pairwise(edges):
        own = slice(first, end)
        rows |= {int(first + equity[own].argmin()), int(first + fallen[own].argmax()), int(end) - 1}
    return sorted(rows)


def _marks(report: BacktestReport, symbol: str) -> list[TradeMark]:
    """The trades of a market in the order in which they began, what is still held among them."""
    result = report.result
    closed = [
        TradeMark(begin=t.opened_at, end=t.closed_at, entry=t.entry_price, exit=t.exit_price, is_won=t.net > 0)
        for t in result.trades
        if t.symbol == symbol
    ]
    held = [
        TradeMark(begin=h.opened_at, end=None, entry=h.entry_price, exit=h.price, is_won=h.price > h.entry_price)
        for h in result.held
        if h.symbol == symbol
    ]
    return sorted((*closed, *held), key=lambda each: each.begin)


def _counted(known: Sequence[TradeMark]) -> str:
    """How many there are: ``1,265 trades``."""
    return f"{len(known):,} trade{'s' if len(known) > 1 else ''}" if known else "no trades"


def _around(shown: Sequence[TradeMark], begins: datetime, ends: datetime) -> tuple[datetime, datetime]:
    """From a little before some trades until a little after them, within the run."""
    first, last = shown[0].begin, max(each.end or ends for each in shown)
    room = _ROOM * (last - first)
    return max(begins, first - room), min(ends, last + room)


def _within(candles: Candles, begin: datetime, end: datetime, most: int) -> Candles:
    """The candles of a time, in the shortest length that makes few enough of them; one at least."""
    lengths = [each for each in Timeframe if each.millis >= candles.timeframe.millis]
    fits = [each for each in lengths if (end - begin) / each.duration <= most]
    drawn = resample(candles, fits[0] if fits else lengths[-1])
    first = max(int(drawn.open_ms.searchsorted(to_millis(begin), side="right")) - 1, 0)
    return drawn.cut(min(first, len(drawn) - 1), max(int(drawn.open_ms.searchsorted(to_millis(end))), first + 1))
