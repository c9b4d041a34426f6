"""A backtest as the answer to who asked for it in chat: its figures against holding, and its curve. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from engine.backtest.report import BacktestReport
from engine.domain.messages import BREAK, Card
from handlers.backtests import figures
from handlers.backtests.pictures import equity_chart
from handlers.cards import phrases, wording

_SPANS = 80
_ENDS = 2
"""The beginning and the end of one day are no curve."""


def card(report: BacktestReport, days: int, zone: ZoneInfo) -> Card:
    """What a backtest of the last days came to, its picture by a zone's clock."""
    found, result = report.statistics, report.result
    (context,) = report.setup.contexts
    (symbol,) = context.markets
    span, gain = result.ends - result.begins, wording.signed_percent(found.account.gain)
    began, ended = (figures.amount(each, result.quote) for each in (result.cash, result.final_equity))
    shorter = f"There are candles of {wording.span(span)}, not of {wording.count(days, 'day')}."
    return Card(
        title=f"Backtest of {context.name}, {BREAK}{symbol} on {context.timeframe}: {BREAK}{gain}",
        fields=(
            ("From", wording.moment(result.begins)),
            ("To", wording.moment(result.ends)),
            ("Equity", f"{began} \N{RIGHTWARDS ARROW} {BREAK}{ended} {result.quote}"),
            ("Buy and hold", wording.signed_percent(found.hold.gain)),
            ("Won", phrases.won(found.trades.won, found.trades.trades)),
            ("Profit factor", figures.ratio(found.trades.profit_factor)),
            ("Sharpe", f"{figures.ratio(found.account.sharpe)}, {BREAK}holding {figures.ratio(found.hold.sharpe)}"),
            ("Drawdown", figures.drawdown(found.account.drawdown).replace(" from ", f" {BREAK}from ")),
            ("Fees", f"{figures.amount(result.fees, result.quote)} {result.quote}"),
        ),
        text=wording.lines(
            wording.sentence(f"traded {figures.terms(report)}."),
            *(wording.sentence(f"{line}.") for line in figures.evidence(report)),
            shorter if span.days + 1 < days else "",
        ),
        picture=equity_chart(report, _SPANS, zone) if len(found.curve.equity) > _ENDS else None,
    )
