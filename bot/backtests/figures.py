"""What a backtest came to: for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from engine.backtest.report import BacktestReport, Evidence
from engine.backtest.returns import ReturnFigures
from engine.backtest.setup import BareTerms, LiveTerms
from engine.domain.backtests import Counted
from engine.domain.market import from_millis
from handlers.backtests import figures
from handlers.backtests.figures import amount, signed

_LOADED = 3.0
"""Seconds that it takes at most to load a kernel that was compiled before."""
_DAY = timedelta(days=1)
_NAME, _COLUMN = 11, 14


def as_json(report: BacktestReport) -> str:
    """All of it: times in ISO 8601 UTC, money in the quote currency, shares as fractions, ratios those of a year."""
    setup, result, found = report.setup, report.result, report.statistics
    told = {
        "quote": result.quote,
        "begins": result.begins,
        "ends": result.ends,
        "candles": result.candles,
        "terms": "bare" if isinstance(setup.terms, BareTerms) else "risk",
        "live": _live(setup.live),
        "strategies": [
            {
                "context": context.name,
                "strategy": context.strategy.name,
                "markets": context.markets,
                "timeframe": context.timeframe,
            }
            for context in setup.contexts
        ],
        "cash": result.cash,
        "final_equity": result.final_equity,
        "net": result.net,
        "fees": result.fees,
        "fees_by_currency": _fees_by_currency(report),
        "slippage": result.slippage,
        "exposure": found.exposure,
        "in_market": found.in_market,
        "turnover": found.turnover,
        "account": _returns(found.account),
        "hold": _returns(found.hold),
        "evidence": _evidence(report.evidence),
        "books": None if result.books is None else asdict(result.books),
        "predicted": result.predicted,
        "shorter": [asdict(each) for each in result.shorter],
        "asked": None if result.asked is None else asdict(result.asked),
        "entries_ended": result.entries_ended,
        "short_entries": result.short_entries,
        "trades": [{**asdict(trade), "net": trade.net} for trade in result.trades],
        "held": [asdict(each) for each in result.held],
        "all_trades": _counted(found.trades),
        "by_symbol": _groups(found.by_symbol),
        "by_context": _groups(found.by_context),
        "by_reason": _groups(found.by_reason),
        "daily": [
            {"at": from_millis(int(at)), "equity": float(equity), "exposure": float(exposure)}
            for at, equity, exposure in zip(result.daily.at_ms, result.daily.equity, result.daily.exposure, strict=True)
        ],
        "kernel_seconds": result.seconds,
        "compile_seconds": result.compile_seconds,
    }
    return json.dumps(told, indent=2, default=_plain, ensure_ascii=False) + "\n"


def text(report: BacktestReport) -> str:
    """The figures as lines."""
    result, found = report.result, report.statistics
    rate = result.candles / result.seconds if result.seconds else 0.0
    money = f"{amount(result.final_equity, result.quote)} {result.quote}, {signed(result.net, result.quote)}"
    lines = [
        ("traded", f"{', '.join(figures.strategies(report))}; {figures.terms(report)}"),
        ("candles", f"{result.candles:,} in {result.seconds:.4f} s, {rate / 1e6:.1f} million a second"),
        ("equity", money),
        ("", ""),
        ("", f"{'strategy':>{_COLUMN}}{'holding':>{_COLUMN}}"),
        *((row.name, f"{row.own:>{_COLUMN}}{row.hold:>{_COLUMN}}") for row in figures.comparison(report)),
        ("", ""),
        ("drawdown", figures.drawdown(found.account.drawdown)),
        ("trades", figures.trades(found.trades, result.quote)),
        *((name, _told(groups, result.quote)) for name, groups in figures.groups(report) if groups),
        ("in market", figures.use(report)),
        *([("left out", told)] if (told := figures.short(report)) else []),
        *([("fills", told)] if (told := figures.fills(report)) else []),
        *([("people", figures.asked(result.asked))] if result.asked else []),
        *zip(("followed", *[""] * len(result.shorter)), figures.shorter(report), strict=False),
        *([("predicted", figures.predicted(result.predicted))] if result.predicted is not None else []),
        *([("books", figures.books(result.books))] if result.books else []),
        ("fees", _costs(report)),
        ("held", _held(report)),
        *zip(("chance", *[""] * 9), figures.evidence(report), strict=False),
    ]
    if result.entries_ended is not None:
        lines.append(
            ("ended", f"nothing was entered after {_moment(result.entries_ended)}: the total limit of drawdown")
        )
    if result.compile_seconds > _LOADED:
        lines.append(("compiled", f"in {result.compile_seconds:.1f} s, once on this machine"))
    head = f"Backtest from {_moment(result.begins)} to {_moment(result.ends)} UTC"
    return "\n".join((head, *(f"{name:<{_NAME}}{line}".rstrip() for name, line in lines)))


def _live(terms: LiveTerms | None) -> dict[str, Any] | None:
    """What only the live cycle counts; times in seconds."""
    if terms is None:
        return None
    return {"latency": [each.total_seconds() for each in (terms.latency.least, terms.latency.most)]}


def _told(groups: dict[str, Counted], quote: str) -> str:
    return "; ".join(f"{each.trades:,} {name} ({signed(each.net, quote)})" for name, each in groups.items())


def _costs(report: BacktestReport) -> str:
    result = report.result
    slipped = "" if result.slippage is None else f", and {amount(result.slippage, result.quote)} of slippage"
    taken = [each for each in _fees_by_currency(report) if each != result.quote]
    in_them = f", taken in {' and '.join(taken)}" if taken else ""
    return f"{amount(result.fees, result.quote)} {result.quote}{slipped}{in_them}"


def _fees_by_currency(report: BacktestReport) -> dict[str, float]:
    """What was taken of each currency by the fills of trades, where they were noted."""
    found: dict[str, float] = {}
    for fill in (fill for trade in report.result.trades for fill in trade.fills):
        found[fill.fee_currency] = found.get(fill.fee_currency, 0.0) + fill.fee
    return found


def _held(report: BacktestReport) -> str:
    held = (f"{each.quantity:.8g} {each.symbol} at {each.price:,.8g}" for each in report.result.held)
    return ", ".join(held) or "nothing"


def _returns(found: ReturnFigures) -> dict[str, Any]:
    return {**asdict(found), "under_water": found.under_water / _DAY}


def _evidence(found: Evidence) -> dict[str, Any]:
    return {**asdict(found), "tried": {**asdict(found.tried), "expected_best": found.tried.expected_best}}


def _groups(groups: dict[str, Counted]) -> dict[str, dict[str, Any]]:
    return {name: _counted(each) for name, each in groups.items()}


def _counted(each: Counted) -> dict[str, Any]:
    ratios = {"win_rate": each.win_rate, "expectancy": each.expectancy, "profit_factor": each.profit_factor}
    return {**asdict(each), "held": each.held / _DAY, **ratios}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
