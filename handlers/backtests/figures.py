"""The figures of a backtest in words, for the terminal and the page alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from engine.backtest.bootstrap import Interval
from engine.backtest.report import BacktestReport
from engine.backtest.returns import Drawdown, ReturnFigures
from engine.backtest.setup import BareTerms
from engine.domain.backtests import Asked, BookFills, Counted, ShorterCandles
from engine.simulation.latency import Latency
from handlers.cards import wording
from handlers.cards.wording import count, percent, signed_percent, span

NONE = "—"
"""What there is nothing to say of."""
_BELIEVED = 0.95


class Row(NamedTuple):
    """A figure of the strategy beside that of holding; ``is_good`` says which way its colour goes, where it has one."""

    name: str
    own: str
    hold: str
    is_good: bool | None = None


def comparison(report: BacktestReport) -> tuple[Row, ...]:
    """The account against the same cash in the same markets."""
    own, hold = report.statistics.account, report.statistics.hold
    return (
        Row("gain", signed_percent(own.gain), signed_percent(hold.gain), own.gain >= 0),
        Row("a year", _change(own.cagr), _change(hold.cagr), None if own.cagr is None else own.cagr >= 0),
        Row("volatility", _share(own.volatility), _share(hold.volatility)),
        Row("Sharpe", ratio(own.sharpe), ratio(hold.sharpe)),
        Row("Sortino", ratio(own.sortino), ratio(hold.sortino)),
        Row("Calmar", ratio(own.calmar), ratio(hold.calmar)),
        Row("drawdown", _depth(own), _depth(hold), False if own.drawdown else None),
        Row("below peak", _water(own), _water(hold)),
        Row("VaR 95%", _share(own.var), _share(hold.var)),
        Row("CVaR 95%", _share(own.cvar), _share(hold.cvar)),
        Row("best day", _change(own.best_day), _change(hold.best_day)),
        Row("worst day", _change(own.worst_day), _change(hold.worst_day)),
    )


def drawdown(fallen: Drawdown | None) -> str:
    """The deepest fall with its dates: ``62.78% from 2021-05-02 to 2023-01-08, not made good since``."""
    if fallen is None:
        return "none at the end of any day"
    again = f"made good {day(fallen.recovered_at)}" if fallen.recovered_at else "not made good since"
    return f"{percent(fallen.depth)} from {day(fallen.peak_at)} to {day(fallen.lowest_at)}, {again}"


def evidence(report: BacktestReport) -> tuple[str, ...]:
    """How far the figures are more than chance, a sentence each."""
    days, trades_ = count(report.statistics.account.days, "day"), count(report.statistics.trades.trades, "trade")
    return tuple(_evidence(report)) or (f"nothing to say of chance: {days}, {trades_}",)


def _evidence(report: BacktestReport) -> Iterator[str]:
    found, own = report.evidence, report.statistics
    if found.sharpe:
        yield f"Sharpe {ratio(own.account.sharpe)}, 95% between {_between(found.sharpe)}"
    if found.win_rate and own.trades.win_rate is not None:
        between = f"{found.win_rate.low:.1%} and {found.win_rate.high:.1%}"
        yield f"{own.trades.win_rate:.1%} of trades won, 95% between {between}"
    if found.beats_hold is not None:
        yield f"beats holding: {_yes(1 - found.beats_hold)}, p {found.beats_hold:.3f} (superior ability)"
    if found.deflated is not None:
        by_chance = f", whose best has a Sharpe of {ratio(found.tried.expected_best)} by chance"
        tried = count(found.tried.count, "trial") + (by_chance if found.tried.count > 1 else "")
        yield f"more than chance: {_yes(found.deflated)}, {found.deflated:.3f} (deflated Sharpe) after {tried}"


def trades(counted: Counted, quote: str) -> str:
    """Trades in a line: ``659, won 215 (32.6%); +59.40 each, profit factor 1.12``."""
    if not counted.trades:
        return "none"
    won = f"{counted.trades:,}, won {counted.won:,} ({counted.win_rate:.1%})"
    return f"{won}; {signed(counted.expectancy or 0.0, quote)} each, profit factor {ratio(counted.profit_factor)}"


def groups(report: BacktestReport) -> Iterator[tuple[str, dict[str, Counted]]]:
    """Trades by what they have in common, each with its heading; by strategy and market where there are several."""
    found = report.statistics
    if len(report.setup.contexts) > 1:
        yield "strategy", found.by_context
    if len(report.setup.candles) > 1:
        yield "market", found.by_symbol
    yield "closed by", found.by_reason


def asked(found: Asked) -> str:
    """What people were asked: ``23 questions: 15 ordered, 1 declined, 2 refused by the rules of then, 5 expired``."""
    became = (
        (found.ordered, "ordered"),
        (found.declined, "declined"),
        (found.refused, "refused by the rules of then"),
        (found.expired, "expired"),
    )
    told = ", ".join(f"{number:,} {what}" for number, what in became if number)
    return f"{count(found.count, 'question')}{': ' if told else ''}{told}"


def use(report: BacktestReport) -> str:
    """How much of the account and of the time was in the market."""
    found = report.statistics
    parts = f"{percent(found.exposure)} of the account, {percent(found.in_market)} of the time"
    return f"{parts}; turned over {found.turnover:,.1f} times a year"


def terms(report: BacktestReport) -> str:
    """How it was traded."""
    bare = isinstance(report.setup.terms, BareTerms)
    how = "bare: no lots, no book, no limits" if bare else "by the risk limits, on the book of the paper venue"
    latency = report.setup.live.latency if report.setup.live else None
    return f"{how}; orders under way for {_length(latency)}" if latency else how


def short(report: BacktestReport) -> str:
    """How many entries were left out for their confidence; empty for none, or where that does not decide."""
    terms, number = report.setup.terms, report.result.short_entries
    if isinstance(terms, BareTerms) or not number:
        return ""
    setting = "approval.ask_above" if terms.approved else "approval.auto_above"
    entries = "entry" if number == 1 else "entries"
    return f"{number:,} {entries} with a confidence below {terms.confidence:g} ({setting})"


def fills(report: BacktestReport) -> str:
    """In how many parts was traded: ``131; of 60 trades 4 waited for a part``; empty where nobody noted them."""
    parts, trades_ = sum(len(each.fills) for each in report.result.trades), report.result.trades
    waited = sum(each.waited for each in trades_)
    return f"{parts:,}; {waited:,} of {count(len(trades_), 'trade')} waited for a part" if parts else ""


def shorter(report: BacktestReport) -> tuple[str, ...]:
    """How far fills have followed shorter candles, a line each market.

    ``BTC/USDT in 1m candles: 41 of 52 fills, 700 of 744 1h candles; 40 have gaps, 4 say something else``.
    """
    return tuple(_shorter(report, each) for each in report.result.shorter)


def _shorter(report: BacktestReport, found: ShorterCandles) -> str:
    whole = found.followed + found.gaps + found.others
    longer = report.setup.candles[found.symbol].timeframe
    left = [
        f"{number:,} {why}"
        for number, why in ((found.gaps, "have gaps"), (found.others, "say something else"))
        if number
    ]
    told = f"{found.symbol} in {found.timeframe} candles: {count(found.fills, 'fill')}"
    return f"{told}, {found.followed:,} of {whole:,} {longer} candles{'; ' if left else ''}{', '.join(left)}"


def books(found: BookFills) -> str:
    """What fills took from: ``60 fills: 12 from recorded books, 40 from price and volume, 8 at their targets``."""
    told = (
        (found.recorded, "from recorded books"),
        (found.modelled, "from price and volume"),
        (found.targets, "at their targets"),
    )
    fills = found.recorded + found.modelled + found.targets
    return f"{count(fills, 'fill')}: {', '.join(f'{number:,} {what}' for number, what in told)}"


def predicted(found: Mapping[str, int]) -> str:
    """Who has made the predictions that were traded on: ``5,120: 5,120 by the offline analyst``."""
    told = ", ".join(f"{number:,} by {by}" for by, number in found.items())
    return f"{sum(found.values()):,}: {told}" if found else "none were made, and so nothing was entered on them"


def _length(latency: Latency) -> str:
    """How long an order is under way: ``2 s``, ``0.2 to 3 s``."""
    ends = (f"{each.total_seconds():g}" for each in (latency.least, latency.most))
    return f"{' to '.join(dict.fromkeys(ends))} s"


def strategies(report: BacktestReport) -> tuple[str, ...]:
    """What was traded: ``trend on BTC/USDT in 1h candles``."""
    return tuple(
        f"{each.name} on {', '.join(each.markets)} in {each.timeframe} candles" for each in report.setup.contexts
    )


def amount(value: float, quote: str) -> str:
    """Money with the decimals of its currency: ``49,144.75``."""
    return wording.amount(Decimal(repr(value)), quote)


def signed(value: float, quote: str) -> str:
    """A profit or loss: ``+59.40``."""
    return wording.signed_amount(Decimal(repr(value)), quote)


def ratio(value: float | None) -> str:
    """A number without a unit: ``1.24``."""
    return NONE if value is None else f"{value + 0.0:,.2f}"


def day(at: datetime) -> str:
    """A day: ``2026-01-03``."""
    return f"{at:%Y-%m-%d}"


def _yes(probability: float) -> str:
    return "yes" if probability > _BELIEVED else "not shown"


def _change(fraction: float | None) -> str:
    return NONE if fraction is None else signed_percent(fraction)


def _share(fraction: float | None) -> str:
    return NONE if fraction is None else percent(fraction)


def _depth(found: ReturnFigures) -> str:
    return percent(-found.drawdown.depth) if found.drawdown else NONE


def _water(found: ReturnFigures) -> str:
    return span(found.under_water) if found.under_water > timedelta(0) else NONE


def _between(interval: Interval) -> str:
    return f"{interval.low:.2f} and {interval.high:.2f}"
