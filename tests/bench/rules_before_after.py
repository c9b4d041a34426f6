"""Writes a section of docs/performance-log.md: each built-in strategy on one market, before the new rules and after.

    python -m tests.bench.rules_before_after

It needs BTCUSDT-1h and ETHUSDT-1h as candle files in ``$GREENLIGHT_DATA/candles``. Every run goes through the live
cycle (``--full``), for some of the rules can only be told there.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bot.backtests.asked import Asked
from bot.backtests.full import full_backtest
from bot.backtests.setups import setup_of
from config.loader import load
from engine.backtest.registry import TrialRegistry
from engine.backtest.report import BacktestReport, report_of
from handlers.backtests import figures
from handlers.cards.wording import percent, signed_percent
from tests.bench.performance_log import PAGE, ROOT, RULES, SEED, STRATEGIES

MARKETS = {"BTC/USDT": "BTCUSDT-1h.parquet", "ETH/USDT": "ETHUSDT-1h.parquet"}
BEGINS, ENDS = datetime(2021, 12, 30, tzinfo=UTC), datetime(2023, 12, 30, tzinfo=UTC)
"""The newest 24 months that both files have."""
BEFORE: Mapping[str, Any] = {"risk": {"max_daily_volume": None}}
"""The rules that there were: all of the others were added since."""
AFTER: Mapping[str, Any] = {
    "risk": {
        "max_drawdown": 0.05,
        "max_total_drawdown": 0.1,
        "max_open_risk": 0.04,
        "risk_per_day": 0.01,
        "max_var": 0.03,
        "max_cvar": 0.05,
        "max_volatility": 0.08,
        "max_fall": 0.1,
        "fall_within": "4h",
        "max_losses": 5,
        "losing_pause": "48h",
    }
}
"""What a careful account may set, beside ``max_daily_volume``, which is on by itself."""
END = "<!-- end of what is written -->"
INTRODUCTION = """\
## Before the new rules and after: one market alone, 24 months

From 2021-12-30 to 2023-12-30, the newest 24 months of both files: a fall and a recovery. Each run begins with
10,000 USDT in hourly candles and goes through the live cycle (`--full`); everything that is asked is approved, so
that rules have something to hold back. *Before* is the profile `paper` with the rules that there were; *after* has,
beside `max_daily_volume`, which is on by itself, what a careful account may set: entries pause at each 5 % of drawdown
and end at 10 % until an admin says so, which nobody does here, `max_open_risk` 4 %, `risk_per_day` 1 %, `max_var` 3 %
and `max_cvar` 5 %, `max_volatility` 8 %, `max_fall` 10 % within 4 hours, and 48 hours of rest after five losses in a
row. The numbers were set before any run with them. *Stopped* is every halt for a drawdown.

What it comes to: with these rules the drawdown ends where it is set to end. Over all six there were two fifths fewer
trades and a third less was lost, but the trades that were made won no more often: rules limit what a strategy loses,
and give it no edge.

| market | strategy | rules | gain | holding | Sharpe | drawdown | trades | won | stopped |
|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Write the section at the end of the page, in the place of the one that is there."""
    candles = Path(os.environ.get("GREENLIGHT_DATA", ROOT / ".." / "shared" / "data")) / "candles"
    if missing := [name for name in MARKETS.values() if not (candles / name).exists()]:
        sys.exit(f"{', '.join(missing)} not found in {candles}: set GREENLIGHT_DATA.")
    before = PAGE.read_text().partition(RULES)[0].rstrip()
    lines = [before, "", RULES, INTRODUCTION, *rows(candles), END]
    PAGE.write_text("\n".join(lines) + "\n")


def rows(candles: Path) -> Iterator[str]:
    """The rows of the table; each takes a minute or two."""
    for symbol, name in MARKETS.items():
        for strategy in STRATEGIES:
            for rules, overrides in (("before", BEFORE), ("after", AFTER)):
                yield row(symbol, strategy, rules, *run(candles / name, strategy, overrides))


def run(file: Path, strategy: str, overrides: Mapping[str, Any]) -> tuple[BacktestReport, list[str]]:
    """One run, and what stopped it when."""
    with TemporaryDirectory() as named:
        folder = Path(named)
        settings = load("paper", None, overrides, environ={}, directory=folder).settings
        asked = Asked(strategy=strategy, data=(file,), start=BEGINS, end=ENDS, approved=True, full=True)
        setup = setup_of(asked, settings)
        result = full_backtest(setup, settings, folder=folder)
        registry, rng = TrialRegistry(file=folder / "trials.jsonl"), np.random.default_rng(SEED)
        found = report_of(setup, result, registry, at=datetime.now(UTC), rng=rng)
        return found, stops(folder / "greenlight.sqlite")


def stops(file: Path) -> list[str]:
    """The day of each halt for a drawdown."""
    query = "SELECT since FROM halts WHERE kind = 'drawdown' ORDER BY number"
    with closing(sqlite3.connect(file)) as connection:
        return [str(since)[:10] for (since,) in connection.execute(query)]


def row(symbol: str, strategy: str, rules: str, found: BacktestReport, stopped: list[str]) -> str:
    """One run as a row of the table."""
    own = found.statistics
    cells = (
        symbol,
        f"`{strategy}`",
        rules,
        signed_percent(own.account.gain),
        signed_percent(own.hold.gain),
        figures.ratio(own.account.sharpe),
        percent(own.account.drawdown.depth) if own.account.drawdown else "none",
        f"{own.trades.trades:,}",
        figures.NONE if own.trades.win_rate is None else percent(own.trades.win_rate),
        ", ".join(stopped) or "never",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
