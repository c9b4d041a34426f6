"""A backtest as the answer to who asked for it in chat: its figures against holding, and its curve. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from engine.backtest.report import BacktestReport
from engine.domain.charts import EquityChart
from engine.domain.market import from_millis
from engine.domain.messages import BREAK, Card
from handlers.backtests import figures
from handlers.cards import phrases, wording


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
        picture=chart(report, zone),
    )


def chart(report: BacktestReport, zone: ZoneInfo) -> EquityChart | None:
    """The account at the ends of days beside the same cash bought and held; ``None`` for less than two."""
    found, quote = report.statistics, report.result.quote
    if len(found.curve.equity) <= 2:  # noqa: PLR2004 - the beginning and the end of one day are no curve
        return None
    times = tuple(from_millis(int(at)) for at in found.curve.at_ms)
    first, last = (at.astimezone(zone) for at in (times[0], times[-1]))
    title = f"Backtest, equity in {quote}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    gain, held = wording.signed_percent(found.account.gain), wording.signed_percent(found.hold.gain)
    return EquityChart(
        title=title,
        alt=f"{title}: {gain}, buy and hold {held}, drawdown {figures.drawdown(found.account.drawdown)}",
        start=float(found.curve.equity[0]),
        times=times,
        equity=tuple(map(float, found.curve.equity)),
        drawdown=tuple(map(float, found.curve.drawdown)),
        hold=tuple(map(float, found.hold_curve.equity)),
        zone=str(zone),
    )
