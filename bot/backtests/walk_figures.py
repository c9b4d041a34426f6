"""What walking forward came to: a table for the terminal, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bot.backtests.varying import Varied
from bot.backtests.walking import Step, Walk
from engine.backtest.returns import ReturnFigures
from engine.domain.market import from_millis
from handlers.backtests.figures import NONE, ratio
from handlers.cards.wording import percent, signed_percent

_HEADS = ("in sample from", "traded from", "to", "Sharpe in", "Sharpe out", "gain out", "trades")


def as_json(varied: Varied, found: Walk) -> str:
    """All windows and the joined account: times in ISO 8601 UTC, shares as fractions, Sharpe ratios of a year."""
    told = {
        "strategy": varied.context.strategy,
        "markets": list(varied.setup.candles),
        "grid": varied.grid.values(),
        "quote": varied.setup.quote,
        "cash": float(varied.setup.cash),
        "stopped": found.stopped,
        "windows": [_step(each) for each in found.steps],
        "account": _returns(found.account),
        "hold": _returns(found.hold),
        "sharpe_kept": found.kept,
        "trials": found.tried.count,
        "probability_of_a_true_sharpe": found.deflated,
        "equity": [
            {"at": from_millis(int(at)), "equity": float(equity)}
            for at, equity in zip(found.curve.at_ms, found.curve.equity, strict=True)
        ],
    }
    return json.dumps(told, indent=2, default=_plain, ensure_ascii=False) + "\n"


def text(varied: Varied, found: Walk) -> str:
    """The windows as a table, and all of them as one account beside holding."""
    names = [axis.name for axis in varied.grid.axes]
    cells = [[*_HEADS, *names], *([*_cells(each), *_params(each, names)] for each in found.steps)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [f"{varied.context.strategy} on {', '.join(varied.setup.candles)}, walking forward"]
    lines += ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([*lines, "", *_joined(found)])


def _cells(step: Step) -> tuple[str, ...]:
    window = step.window
    return (
        _day(window.begins),
        _day(window.splits),
        _day(window.ends),
        ratio(step.best.sharpe) if step.best else NONE,
        ratio(step.sharpe),
        signed_percent(step.gain),
        f"{len(step.outside.trades):,}" if step.outside else "0",
    )


def _params(step: Step, names: list[str]) -> list[str]:
    return [f"{step.best.params[name]}" if step.best else NONE for name in names]


def _joined(found: Walk) -> Iterator[str]:
    own, hold = found.account, found.hold
    yield f"{'':<11}{'out of sample':>14}{'holding':>14}"
    yield f"{'gain':<11}{signed_percent(own.gain):>14}{signed_percent(hold.gain):>14}"
    yield f"{'Sharpe':<11}{ratio(own.sharpe):>14}{ratio(hold.sharpe):>14}"
    yield f"{'drawdown':<11}{_depth(own):>14}{_depth(hold):>14}"
    yield ""
    if found.kept is not None:
        yield f"kept       {percent(found.kept)} of the Sharpe ratio in sample is left out of sample"
    if found.deflated is not None:
        yield f"chance     that the true Sharpe ratio out of sample is above 0: {percent(found.deflated)}"
    yield f"trials     {found.tried.count:,} so far on these markets"
    if found.stopped:
        yield f"stopped    after {len(found.steps):,} windows; --resume goes on from there"


def _depth(found: ReturnFigures) -> str:
    return percent(found.drawdown.depth) if found.drawdown else NONE


def _step(step: Step) -> dict[str, Any]:
    return {
        "begins": step.window.begins,
        "splits": step.window.splits,
        "ends": step.window.ends,
        "tried": step.tried,
        "params": step.best.params if step.best else None,
        "sharpe_in": step.best.sharpe if step.best else None,
        "sharpe_out": step.sharpe,
        "gain_out": step.gain,
        "trades_out": len(step.outside.trades) if step.outside else 0,
    }


def _returns(found: ReturnFigures) -> dict[str, Any]:
    return {
        "gain": found.gain,
        "cagr": found.cagr,
        "sharpe": found.sharpe,
        "drawdown": found.drawdown.depth if found.drawdown else 0.0,
    }


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
