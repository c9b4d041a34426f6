"""What a sweep came to: a table for the terminal, and JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bot.backtests.sweeping import Swept
from bot.backtests.varying import Varied
from engine.backtest.combination import Combination
from engine.backtest.sweep import Sweep
from handlers.backtests.figures import NONE, amount, ratio
from handlers.cards.wording import percent, signed_percent

SHOWN = 10
"""How many combinations are shown at the terminal."""
_HEADS = ("gain", "Sharpe", "drawdown", "trades", "won", "fees")


def as_json(varied: Varied, swept: Swept) -> str:
    """All combinations, the best first: shares as fractions, Sharpe ratios of a year, money in the quote currency."""
    found = swept.sweep
    told = {
        "strategy": varied.context.strategy,
        "markets": list(varied.setup.candles),
        "timeframe": varied.context.timeframe,
        "grid": varied.grid.values(),
        "quote": varied.setup.quote,
        "cash": float(varied.setup.cash),
        "stopped": found.stopped,
        "combinations": [_told(each) for each in found.combinations],
        "left_out": [{"params": each.params, "why": each.why} for each in found.left_out],
        "probability_of_overfitting": swept.overfitting,
        "cross_validation": _elsewhere(swept),
        "deflated_sharpe": swept.deflated,
        "trials": None if swept.tried is None else swept.tried.count,
        "sharpe_by_chance": None if swept.tried is None else swept.tried.expected_best,
        "seconds": swept.seconds,
    }
    return json.dumps(told, indent=2, default=str, ensure_ascii=False) + "\n"


def text(varied: Varied, swept: Swept) -> str:
    """The best ones as a table, and what the best is worth."""
    found = swept.sweep
    lines = [f"Sweep of {varied.context.strategy} on {', '.join(varied.setup.candles)}, {_span(swept)}"]
    if found.combinations:
        lines += table(found.combinations[:SHOWN], varied.setup.quote)
        if len(found.combinations) > SHOWN:
            lines.append(f"… and {len(found.combinations) - SHOWN:,} more; --json has them all.")
    lines += ["", *_worth(swept)]
    for why, count in Counter(each.why for each in found.left_out).most_common():
        lines.append(f"left out   {count:,}: {why}")
    rate = len(found.combinations) / swept.seconds if swept.seconds else 0.0
    lines.append(f"took       {swept.seconds:.1f} s, {rate:,.0f} combinations a second")
    if found.stopped:
        lines.append(f"stopped    {_kept(found)}")
    return "\n".join(lines)


def table(rows: Sequence[Combination], quote: str) -> list[str]:
    """A line for each combination, numbers one under another."""
    names = list(rows[0].params)
    cells = [[*names, *_HEADS], *([*(f"{each.params[name]}" for name in names), *_cells(each, quote)] for each in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells]


def _cells(each: Combination, quote: str) -> tuple[str, ...]:
    return (
        signed_percent(each.gain),
        ratio(each.sharpe),
        percent(each.drawdown),
        f"{each.trades:,}",
        f"{each.won / each.trades:.1%}" if each.trades else NONE,
        amount(each.fees, quote),
    )


def _span(swept: Swept) -> str:
    if swept.best is None:
        return "nothing was traded"
    return f"{swept.best.begins:%Y-%m-%d} to {swept.best.ends:%Y-%m-%d} UTC"


def _worth(swept: Swept) -> list[str]:
    """Whether the best is more than the luckiest of many."""
    lines = []
    if swept.tried is not None and swept.tried.count > 1:
        by_chance = ratio(swept.tried.expected_best)
        lines.append(f"Sharpe     the luckiest of {swept.tried.count:,} tried here has {by_chance} by chance alone")
    if swept.deflated is not None:
        lines.append(f"believed   {percent(swept.deflated)}: how likely the best is truly better than chance makes it")
    if swept.overfitting is not None:
        lines.append(
            f"overfit    {swept.overfitting:.0%}: how often the best of one half of the time"
            " is below the median of the other; choosing at random comes to 50%"
        )
    if swept.elsewhere is not None:
        paths = swept.elsewhere.paths
        lines.append(
            f"elsewhere  Sharpe {ratio(swept.elsewhere.median)}, from {ratio(float(paths.min()))} to"
            f" {ratio(float(paths.max()))}: the best of some of the time in the rest of it, on {len(paths)} paths;"
            f" where it was chosen {ratio(swept.elsewhere.inside)}"
        )
    return lines


def _kept(found: Sweep) -> str:
    done = len(found.combinations) + len(found.left_out)
    return f"after {done:,}, which are kept: --resume goes on from there" if done else "before anything was done"


def _elsewhere(swept: Swept) -> dict[str, Any] | None:
    """Combinatorial purged cross-validation: Sharpe ratios of a year."""
    found = swept.elsewhere
    if found is None:
        return None
    return {"paths": found.paths.tolist(), "median": found.median, "losing": found.losing, "in_sample": found.inside}


def _told(each: Combination) -> dict[str, Any]:
    return {
        "params": each.params,
        "gain": each.gain,
        "sharpe": each.sharpe,
        "drawdown": each.drawdown,
        "trades": each.trades,
        "won": each.won,
        "fees": each.fees,
    }
