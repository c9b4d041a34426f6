"""Writes docs/performance-log.md: the built-in strategies over markets of different weather, whatever that looks like.

    python -m tests.bench.performance_log

It needs BTCUSDT-1h and ETHUSDT-1h as candle files in ``$GREENLIGHT_DATA/candles``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.backtests.asked import Asked
from bot.backtests.full import full_backtest
from bot.backtests.setups import setup_of
from config.loader import load
from config.settings import Settings
from engine.backtest.kernel_run import backtest
from engine.backtest.registry import TrialRegistry
from engine.backtest.report import BacktestReport, report_of
from handlers.backtests import figures
from handlers.cards.wording import percent, signed_percent

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance-log.md"
RULES = "<!-- written by python -m tests.bench.rules_before_after -->"
"""Where the section begins that is another program's."""
FILES = ("BTCUSDT-1h.parquet", "ETHUSDT-1h.parquet")
STRATEGIES = ("ma_cross", "momentum", "mean_reversion")
BARE = ("sma_cross", "rsi_bands")
SEED = 1


@dataclass(frozen=True)
class Weather:
    """A time in which a market was of one kind."""

    name: str
    begins: datetime
    ends: datetime


WEATHERS = (
    Weather("a long fall", datetime(2018, 1, 8, tzinfo=UTC), datetime(2018, 12, 17, tzinfo=UTC)),
    Weather("up and down", datetime(2019, 7, 1, tzinfo=UTC), datetime(2020, 7, 1, tzinfo=UTC)),
    Weather("a steep rise", datetime(2020, 10, 1, tzinfo=UTC), datetime(2021, 4, 15, tzinfo=UTC)),
    Weather("a fall in steps", datetime(2021, 11, 10, tzinfo=UTC), datetime(2022, 11, 21, tzinfo=UTC)),
    Weather("sideways", datetime(2023, 3, 20, tzinfo=UTC), datetime(2023, 10, 15, tzinfo=UTC)),
)
PEOPLE = {
    "nobody": "what it is not sure of is not traded (`--approve none`)",
    "all": "everything asked is approved at once (`--approve all`)",
    "human": "people who take five minutes in the median, sleep from 23 to 8, and err in 2% (`--full --approve human`)",
}
INTRODUCTION = """\
Written by `python -m tests.bench.performance_log`; no line is chosen, and no parameter was fitted. Each run begins with
10,000 USDT and trades BTC/USDT and ETH/USDT on one portfolio in hourly candles, by the limits and costs of the profile
`paper` (fee 0.1 %); `sma_cross` and `rsi_bands` bare, as textbooks do (`--risk off`). Sharpe ratios are a year's, of
daily returns; drawdowns are those at the ends of days. Past results say little of those to come.

What it comes to: over these times together none of them earned what its costs take, and the more was approved of what
they were unsure of, the more that shows. They lose far less than holding where markets fall, for they are seldom in it,
and gain far less where these rise. The one that gained most in the rise, `sma_cross`, lost a third and more in each
fall. Who wants to earn with Greenlight needs a strategy of their own ([strategies.md](strategies.md)).
""".splitlines()
HEAD = (
    "| strategy | people | gain | holding | Sharpe | 95% of resamples | drawdown | trades | won | questions |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Write the page."""
    candles = Path(os.environ.get("GREENLIGHT_DATA", ROOT / ".." / "shared" / "data")) / "candles"
    if missing := [name for name in FILES if not (candles / name).exists()]:
        sys.exit(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in {candles}: set GREENLIGHT_DATA.")
    with TemporaryDirectory() as folder:
        registry = TrialRegistry(file=Path(folder) / "trials.jsonl")
        settings = load("paper", None, {}, environ={}, directory=Path(folder)).settings
        section = "".join(PAGE.read_text().partition(RULES)[1:])
        lines = "\n".join(page(settings, registry, [candles / name for name in FILES])) + "\n"
        PAGE.write_text(f"{lines}\n{section}" if section else lines)


def page(settings: Settings, registry: TrialRegistry, files: list[Path]) -> Iterator[str]:
    """The lines of the page."""
    yield "# What the built-in strategies come to\n"
    yield from INTRODUCTION
    yield "Who is asked what the bot is of two minds about:\n"
    yield from (f"- *{who}*: {what}" for who, what in PEOPLE.items())
    for weather in WEATHERS:
        yield f"\n## {weather.name.capitalize()}: {weather.begins:%Y-%m-%d} to {weather.ends:%Y-%m-%d}\n"
        yield HEAD
        for strategy in (*STRATEGIES, *BARE):
            for who in PEOPLE if strategy in STRATEGIES else ("nobody",):
                yield row(strategy, who, report(settings, registry, files, weather, strategy, who))


def report(
    settings: Settings, registry: TrialRegistry, files: list[Path], weather: Weather, strategy: str, who: str
) -> BacktestReport:
    """One run; people are asked in the live cycle alone."""
    full = who == "human"
    asked = Asked(
        strategy=strategy,
        data=tuple(files),
        start=weather.begins,
        end=weather.ends,
        bare=strategy in BARE,
        size=0.45 if strategy in BARE else None,
        approved=who == "all",
        people=full,
        full=full,
    )
    setup = setup_of(asked, settings)
    result = full_backtest(setup, settings) if full else backtest(setup)
    return report_of(setup, result, registry, at=datetime.now(UTC), rng=np.random.default_rng(SEED))


def row(strategy: str, who: str, found: BacktestReport) -> str:
    """One run as a row of its table."""
    own, interval, asked = found.statistics, found.evidence.sharpe, found.result.asked
    cells = (
        f"`{strategy}`",
        who if strategy in STRATEGIES else "",
        signed_percent(own.account.gain),
        signed_percent(own.hold.gain),
        figures.ratio(own.account.sharpe),
        f"{interval.low:.2f} to {interval.high:.2f}" if interval else figures.NONE,
        percent(own.account.drawdown.depth) if own.account.drawdown else "none",
        f"{own.trades.trades:,}",
        figures.NONE if own.trades.win_rate is None else percent(own.trades.win_rate),
        f"{asked.count:,}, {asked.expired:,} expired" if asked else "",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
