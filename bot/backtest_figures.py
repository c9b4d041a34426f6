"""What a backtest came to: for the terminal, and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from engine.backtest.setup import BacktestSetup, BareTerms
from engine.domain.backtests import BacktestResult, Counted
from engine.domain.market import from_millis

_LOADED = 3.0
"""Seconds that it takes at most to load a kernel that was compiled before."""


def as_json(setup: BacktestSetup, result: BacktestResult) -> str:
    """All of it: times in ISO 8601 UTC, money in the quote currency, shares as fractions."""
    told = {
        "quote": result.quote,
        "begins": result.begins,
        "ends": result.ends,
        "candles": result.candles,
        "terms": "bare" if isinstance(setup.terms, BareTerms) else "risk",
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
        "slippage": result.slippage,
        "entries_ended": result.entries_ended,
        "trades": [{**asdict(trade), "net": trade.net} for trade in result.trades],
        "held": [asdict(each) for each in result.held],
        "by_symbol": _groups(result.by_symbol()),
        "by_context": _groups(result.by_context()),
        "by_reason": _groups(result.by_reason()),
        "daily": [
            {"at": from_millis(int(at)), "equity": float(equity), "exposure": float(exposure)}
            for at, equity, exposure in zip(result.daily.at_ms, result.daily.equity, result.daily.exposure, strict=True)
        ],
        "kernel_seconds": result.seconds,
        "compile_seconds": result.compile_seconds,
    }
    return json.dumps(told, indent=2, default=_plain, ensure_ascii=False) + "\n"


def text(setup: BacktestSetup, result: BacktestResult) -> str:
    """The figures as lines."""
    bare = isinstance(setup.terms, BareTerms)
    terms = "bare: no lots, no book, no limits" if bare else "by the risk limits, on the book of the paper venue"
    won, count = sum(trade.net > 0 for trade in result.trades), len(result.trades)
    rate = result.candles / result.seconds if result.seconds else 0.0
    lines = {
        "traded": f"{', '.join(_told(setup))}; {terms}",
        "candles": f"{result.candles:,} in {result.seconds:.4f} s, {rate / 1e6:.1f} million a second",
        "trades": f"{count:,}" + (f", won {won:,} ({won / count:.1%})" if count else ""),
        "closed by": _counts(result.by_reason()),
        "markets": "; ".join(
            f"{symbol} {each.trades:,} trades, {each.net:+,.2f}" for symbol, each in result.by_symbol().items()
        ),
        "held": ", ".join(f"{each.quantity:.8g} {each.symbol} at {each.price:,.8g}" for each in result.held)
        or "nothing",
        "fees": f"{result.fees:,.2f} {result.quote}"
        + ("" if result.slippage is None else f", and {result.slippage:,.2f} of slippage"),
        "equity": f"{result.final_equity:,.2f} {result.quote}, {result.net:+,.2f} ({result.net / result.cash:+.2%})",
    }
    if result.entries_ended is not None:
        lines["ended"] = f"nothing was entered after {_moment(result.entries_ended)}: the total limit of drawdown"
    if result.compile_seconds > _LOADED:
        lines["compiled"] = f"in {result.compile_seconds:.1f} s, once on this machine"
    head = f"Backtest from {_moment(result.begins)} to {_moment(result.ends)} UTC"
    return "\n".join((head, *(f"{name:<11}{line}" for name, line in lines.items() if line)))


def _told(setup: BacktestSetup) -> list[str]:
    return [f"{each.name} on {', '.join(each.markets)} in {each.timeframe} candles" for each in setup.contexts]


def _groups(groups: dict[str, Counted]) -> dict[str, dict[str, Any]]:
    return {name: asdict(each) for name, each in groups.items()}


def _counts(groups: dict[str, Counted]) -> str:
    return ", ".join(f"{each.trades:,} {name} ({each.net:+,.2f})" for name, each in groups.items())


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
