"""What trading has come to, and how it stands against its limits: the cards of ``engine.views.results``. Pure.

Lists are items of short lines, tables are at most ``WIDTH`` characters wide: a phone shows either whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.account import DayProfit, Profit
from engine.domain.days import Period
from engine.domain.messages import BREAK, Card, Item, Table
from engine.domain.positions import Position
from engine.domain.results import ContextView, Counts, Performance, Strategies, Tally, TradeStats
from handlers.cards import phrases, wording
from handlers.cards.monospace import WIDTH, aligned

_MEANINGS = {"Hold %": "Hold: buy and hold of the markets.", "#": "#: trades closed."}
"""What the columns of periods mean that do not say so."""


def periods(report: Profit, period: Period) -> Card:
    """Profit and loss by day, week or month, net of fees, each under its first date."""
    span = wording.count(len(report.days), str(period))
    table = _narrowed(
        (period.capitalize(), "Net", "%", "Hold %", "#"), [_row(each, period, report.quote) for each in report.days]
    )
    return Card(
        title=f"{wording.gain(report.net, report.share, report.quote)} {BREAK}in {span}",
        fields=(
            ("Since", wording.moment(report.begins)),
            *phrases.payments(report.paid_in, report.paid_out, report.quote),
            *phrases.benchmark(report.benchmark),
            ("Won", phrases.won(report.won, report.closed)),
            *_external(report.external, report.quote),
        ),
        table=table,
        text=wording.lines(*(meaning for column, meaning in _MEANINGS.items() if column in table.head)),
        graph=phrases.course(report.days),
    )


def _row(each: DayProfit, period: Period, quote: str) -> tuple[str, ...]:
    began = f"{each.day:%Y-%m}" if period is Period.MONTH else f"{each.day:%m-%d}"
    shares = (
        wording.signed_percent(share).rstrip("%") if share is not None else "" for share in (each.share, each.benchmark)
    )
    return (began, wording.signed_amount(each.net, quote), *shares, str(each.closed))


def _narrowed(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table without as many of its last columns as do not fit."""
    table = Table(head=tuple(head), rows=tuple(map(tuple, rows)))
    if len(head) > 1 and max(map(len, aligned(table))) > WIDTH:
        return _narrowed(head[:-1], [row[:-1] for row in rows])
    return table


def performance(report: Performance) -> Card:
    """Closed trades by market, then by strategy where there are several, the best first."""
    if not report.total.trades:
        return _none_yet(report.external, report.quote)
    contexts = report.contexts if len(report.contexts) > 1 else ()
    return Card(
        title=f"{_result(report.total, report.quote)}, {BREAK}{wording.count(report.total.trades, 'closed trade')}",
        fields=(
            ("Won", _won(report.total)),
            *_cost(report.total, report.quote),
            *_external(report.external, report.quote),
        ),
        items=(
            *(_tallied(market, counted, report.quote) for market, counted in report.markets),
            *(_tallied(f"Strategy {wording.words(name)}", counted, report.quote) for name, counted in contexts),
        ),
        text=phrases.OF_THEIR_COST,
    )


def _none_yet(external: Tally, quote: str) -> Card:
    return Card(title="No closed trades yet", fields=_external(external, quote), text="/positions shows what is open.")


def _external(counted: Tally, quote: str) -> tuple[tuple[str, str], ...]:
    return phrases.external(counted.trades, counted.net, counted.share, quote)


def _cost(counted: Tally, quote: str) -> tuple[tuple[str, str], ...]:
    return () if counted.cost is None else (("Bought for", wording.money(counted.cost, quote)),)


def _tallied(name: str, counted: Tally, quote: str) -> Item:
    result = wording.gain_amount(counted.net, counted.share, quote)
    return Item(title=f"{name} {result}", text=f"won {_won(counted)}")


def _result(counted: Tally, quote: str) -> str:
    return wording.gain(counted.net, counted.share, quote)


def _won(counted: Tally) -> str:
    return phrases.won(counted.won, counted.trades)


def stats(report: TradeStats) -> Card:
    """How trades ended, how long they took, and what one of them brings."""
    total = report.total
    if not total.trades or report.expectancy is None:
        return _none_yet(report.external, report.quote)
    factor = "nothing was lost" if report.profit_factor is None else f"{report.profit_factor:.2f}"
    return Card(
        title=f"{_result(total, report.quote)}, {BREAK}{wording.count(total.trades, 'closed trade')}",
        fields=(
            ("Won", _won(total)),
            ("Average trade", wording.gain(report.expectancy, total.share, report.quote)),
            ("Profit factor (won / lost)", factor),
            *((("Winners held for", wording.span(report.won_after)),) if report.won_after is not None else ()),
            *((("Losers held for", wording.span(report.lost_after)),) if report.lost_after is not None else ()),
            *((("Best", _trade(report.best)),) if report.best else ()),
            *((("Worst", _trade(report.worst)),) if report.worst else ()),
            ("Longest row of losses", _row_of_losses(report)),
            *_external(report.external, report.quote),
        ),
        text="Closed by:",
        items=tuple(
            _tallied(f"{wording.sentence(phrases.ending(name))}:", counted, report.quote)
            for name, counted in report.endings
        ),
    )


def _row_of_losses(report: TradeStats) -> str:
    """How long it was, and of which strategy: others may have won meanwhile."""
    of = f", {wording.words(report.losing_context)}" if report.losing_context else ""
    return f"{report.losing_streak}{of}"


def _trade(held: Position) -> str:
    return f"{held.id} {held.symbol} {wording.gain_amount(held.net, held.share(held.net), wording.quote(held.symbol))}"


def count(report: Counts) -> Card:
    """What is open against what may be."""
    of_equity = wording.in_brackets(report.asked, report.equity)
    worth = f"\n{wording.money(report.asked, report.quote)}{of_equity} if approved" if report.approvals else ""
    return Card(
        title=f"{report.positions} of {wording.count(report.possible, 'position')} open",
        fields=(
            *((("Held beside them", _others(report.others)),) if report.others else ()),
            ("Open approvals", f"{report.approvals}{worth}"),
            ("Exposure", _against(report.exposure, report.max_exposure, report)),
            *((_smaller(report),) if report.size < 1 else ()),
        ),
        items=tuple(
            Item(
                title=f"{coin} {wording.amount(value, report.quote)}{wording.in_brackets(value, report.equity)}",
                text=_most(value, report),
            )
            for coin, value in report.coins
        ),
        text="At most one a strategy and market.\nPer cent is of equity.",
    )


def _others(number: int) -> str:
    return f"{wording.count(number, 'position')} that no strategy here holds"


def _against(amount: Decimal, limit: Decimal, report: Counts) -> str:
    now, most = wording.in_brackets(amount, report.equity), wording.in_brackets(limit, report.equity)
    return f"{wording.amount(amount, report.quote)}{now}\nof {wording.money(limit, report.quote)}{most}"


def _most(value: Decimal, report: Counts) -> str:
    over = "above the limit of" if value > report.max_coin else "of at most"
    return (
        f"{over} {wording.amount(report.max_coin, report.quote)}{wording.in_brackets(report.max_coin, report.equity)}"
    )


def _smaller(report: Counts) -> tuple[str, str]:
    return ("Limits", f"{wording.percent(report.size)} of the usual ones {BREAK}until the drawdown has been made good")


def strategies(report: Strategies) -> Card:
    """The strategies at work, how each stands, and whether it may enter now."""
    return Card(
        title=f"{wording.count(len(report.contexts), 'strategy', 'strategies')} at work",
        fields=_bands(report),
        items=tuple(_context(view, report.quote) for view in report.contexts),
    )


def _bands(report: Strategies) -> tuple[tuple[str, str], ...]:
    """From which confidence on the bot acts alone, and from which on it asks."""
    alone = f"from {report.auto_above:.2f} on" if report.auto_above <= 1 else "never"
    asks = f"from {report.ask_above:.2f} on" if report.ask_above < report.auto_above else "never"
    return (("Acts alone", alone), ("Asks", asks))


def _context(view: ContextView, quote: str) -> Item:
    at_work = view.at_work
    does = "" if at_work.strategy == at_work.name else f"strategy {wording.words(at_work.strategy)}"
    closed = (f"won {_won(view.closed)}", _result(view.closed, quote)) if view.closed.trades else ("no closed trades",)
    return Item(
        title=f"{wording.words(at_work.name)} on {at_work.timeframe}",
        text=wording.lines(
            _may_enter(view),
            does,
            ", ".join(at_work.markets),
            f"{view.held} open",
            *closed,
            *_obstacles(view),
        ),
    )


def _may_enter(view: ContextView) -> str:
    blocked = dict(view.obstacles)
    free = [market for market in view.at_work.markets if market not in blocked]
    if not blocked:
        return "may enter"
    return f"may enter {wording.listing(free)}" if free else "no entries now"


def _obstacles(view: ContextView) -> tuple[str, ...]:
    """Why not: once where it is the same for all of its markets."""
    reasons = dict.fromkeys(reason for _, reason in view.obstacles)
    if len(reasons) == 1 and len(view.obstacles) == len(view.at_work.markets):
        return (f"Not now: {next(iter(reasons))}",)
    return tuple(f"Not {market}: {BREAK}{reason}" for market, reason in view.obstacles)
