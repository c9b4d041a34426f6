"""Two backtests side by side: a table for the terminal, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.backtests.comparing import Comparison, Side
from engine.backtest.setup import BareTerms
from engine.domain.backtests import BacktestTrade
from handlers.backtests.figures import NONE, amount, ratio, signed
from handlers.cards.wording import percent, signed_percent

SHOWN = 10
"""How many trades of a kind are shown at the terminal."""


def as_json(found: Comparison) -> str:
    """Both runs, and the trades that differ: times in ISO 8601 UTC, money in quote currency, shares as fractions."""
    differences = found.differences
    told = {
        "first": _side(found.first),
        "second": _side(found.second),
        "correlation": found.together,
        "trades": {
            "same": len(differences.same),
            "other_end": [[_trade(one), _trade(other)] for one, other in differences.other_end],
            "only_first": [_trade(each) for each in differences.only_first],
            "only_second": [_trade(each) for each in differences.only_second],
        },
    }
    return json.dumps(told, indent=2, default=_plain, ensure_ascii=False) + "\n"


def text(found: Comparison) -> str:
    """The figures of both in columns, then their trades."""
    first, second = found.first, found.second
    cells = [("", "A", "B"), *_rows(first, second)]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    lines = [f"A  {first.said}: {_terms(first)}", f"B  {second.said}: {_terms(second)}", ""]
    lines += [f"{name:<{widths[0]}}  {a:>{widths[1]}}  {b:>{widths[2]}}" for name, a, b in cells]
    return "\n".join([*lines, "", *_differences(found)])


def _rows(first: Side, second: Side) -> Iterator[tuple[str, str, str]]:
    for one, other in zip(_figures(first), _figures(second), strict=True):
        yield one[0], one[1], other[1]


def _figures(side: Side) -> Iterator[tuple[str, str]]:
    result, found = side.result, side.figures
    yield "equity", amount(result.final_equity, result.quote)
    yield "gain", signed_percent(found.account.gain)
    yield "holding", signed_percent(found.hold.gain)
    yield "a year", NONE if found.account.cagr is None else signed_percent(found.account.cagr)
    yield "Sharpe", ratio(found.account.sharpe)
    yield "Sortino", ratio(found.account.sortino)
    yield "drawdown", percent(found.account.drawdown.depth) if found.account.drawdown else NONE
    yield "trades", f"{found.trades.trades:,}"
    yield "won", NONE if found.trades.win_rate is None else percent(found.trades.win_rate)
    yield "profit factor", ratio(found.trades.profit_factor)
    yield "in market", percent(found.in_market)
    yield "fees", amount(result.fees, result.quote)
    yield "entries ended", NONE if result.entries_ended is None else f"{result.entries_ended:%Y-%m-%d}"


def _terms(side: Side) -> str:
    [context] = side.setup.contexts
    terms = "bare" if isinstance(side.setup.terms, BareTerms) else "by the risk limits"
    return f"{', '.join(context.markets)} in {context.timeframe} candles, {terms}"


def _differences(found: Comparison) -> Iterator[str]:
    trades, quote = found.differences, found.first.result.quote
    if found.together is not None:
        yield f"days go together by {found.together:.2f} (1 is always, 0 not at all)"
    yield f"{len(trades.same):,} trades begin and end alike"
    if trades.other_end:
        nets = (_net([pair[side] for pair in trades.other_end], quote) for side in (0, 1))
        yield f"{len(trades.other_end):,} begin alike and end otherwise: A {next(nets)}, B {next(nets)}"
        for one, other in trades.other_end[:SHOWN]:
            yield f"  {one.symbol} {_moment(one.opened_at)}: {_end(one, quote)}; {_end(other, quote)}"
        yield from _more(trades.other_end)
    for name, alone in (("A", trades.only_first), ("B", trades.only_second)):
        if alone:
            yield f"{len(alone):,} are of {name} alone: {_net(alone, quote)}"
            for each in alone[:SHOWN]:
                yield f"  {each.symbol} {_moment(each.opened_at)}: {_end(each, quote)}"
            yield from _more(alone)


def _more(trades: Sequence[object]) -> Iterator[str]:
    if len(trades) > SHOWN:
        yield f"  … and {len(trades) - SHOWN:,} more; --json has them all"


def _end(trade: BacktestTrade, quote: str) -> str:
    return f"{trade.reason} {_moment(trade.closed_at)}, {signed(trade.net, quote)}"


def _net(trades: Sequence[BacktestTrade], quote: str) -> str:
    return f"{signed(sum(each.net for each in trades), quote)} {quote}"


def _side(side: Side) -> dict[str, Any]:
    found = side.figures
    return {
        "asked": side.said,
        "terms": "bare" if isinstance(side.setup.terms, BareTerms) else "risk",
        "final_equity": side.result.final_equity,
        "gain": found.account.gain,
        "hold": found.hold.gain,
        "cagr": found.account.cagr,
        "sharpe": found.account.sharpe,
        "sortino": found.account.sortino,
        "drawdown": found.account.drawdown.depth if found.account.drawdown else 0.0,
        "trades": found.trades.trades,
        "win_rate": found.trades.win_rate,
        "profit_factor": found.trades.profit_factor,
        "in_market": found.in_market,
        "fees": side.result.fees,
        "entries_ended": side.result.entries_ended,
    }


def _trade(trade: BacktestTrade) -> dict[str, Any]:
    return {**asdict(trade), "net": trade.net}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
