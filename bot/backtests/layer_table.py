"""Layers below one another: a table for the terminal, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.backtests.layer_rows import Layers, Part, Row
from engine.backtest.layer_figures import Figure, LayerFigures
from engine.backtest.returns import LEAST
from engine.backtest.setup import BareTerms
from engine.domain.figures import plain
from engine.llm.tape import TapeUse
from handlers.backtests.figures import NONE, amount, signed
from handlers.cards.wording import signed_percent

_HEAD = ("", "trades", "won", "Sharpe", "return", "drawdown", "fees", "models")
_LEGEND = (
    "In brackets: where 95 of 100 resamples of its days and of its trades lie; of a difference, of both in pairs. "
    f"Fewer than {LEAST} say too little for that."
)


def text(found: Layers, said: str) -> str:
    """All rows, and what has to be known of them.

    Args:
        found: The layers.
        said: What was asked for.
    """
    begins, ends = found.span
    terms = "bare" if isinstance(found.setup.terms, BareTerms) else "by the risk limits"
    head = f"Layers of {said}: {', '.join(found.setup.candles)}, {terms}, {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    rows = [_HEAD, *(cells for row in found.rows for cells in _cells(row, found.setup.quote))]
    widths = [max(len(cells[column]) for cells in rows if len(cells) == len(_HEAD)) for column in range(len(_HEAD))]
    widths[0] = max(len(cells[0]) for cells in rows)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip() for cells in rows
    ]
    return "\n".join([head, "", *lines, "", _LEGEND, *found.notes])


def as_json(found: Layers) -> str:
    """The same: times in ISO 8601 UTC, shares as fractions, fees in the quote currency, costs in US dollars."""
    told = {
        "quote": found.setup.quote,
        "begins": found.span[0],
        "ends": found.span[1],
        "layers": [_row(each) for each in found.rows],
        "notes": found.notes,
    }
    return json.dumps(told, indent=2, default=_plain, ensure_ascii=False) + "\n"


def _cells(row: Row, quote: str) -> Iterator[tuple[str, ...]]:
    """A line for each time, and below it one for what is different; a single one where it was not tried."""
    if row.missing:
        yield row.name, f"no row: {row.missing}"
        return
    for part in row.parts:
        yield from _of_part(row, part, quote)


def _of_part(row: Row, part: Part, quote: str) -> Iterator[tuple[str, ...]]:
    own = part.figures
    whole = not part.when
    asked = _asked(row.tape, row.cost) if row.tape and row.cost and whole else ""
    yield (
        f"  {part.when}" if part.when else row.name,
        f"{own.trades:,}",
        *_figures(own, _share, _ratio),
        _told(own.fees, partial(amount, quote=quote)),
        asked,
    )
    against = {row.against: part.added} if part.added is not None else {}
    for name, more in {**against, **part.beside}.items():
        yield (
            f"    against {name}",
            f"{more.trades:+,}",
            *_figures(more, signed_percent, _signed_ratio),
            _told(more.fees, partial(signed, quote=quote)),
            _told(row.cost_added, _more_dollars) if row.cost_added and whole and name == row.against else "",
        )


def _figures(found: LayerFigures, share: Callable[[float], str], ratio: Callable[[float], str]) -> tuple[str, ...]:
    return (
        _told(found.win_rate, share),
        _told(found.sharpe, ratio),
        _told(found.gain, signed_percent),
        _told(found.drawdown, share),
    )


def _told(figure: Figure, word: Callable[[float], str]) -> str:
    if figure.value is None:
        return NONE
    between = figure.interval
    return word(figure.value) + (f" ({word(between.low)} to {word(between.high)})" if between else "")


def _share(value: float) -> str:
    return f"{value:.1%}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"


def _signed_ratio(value: float) -> str:
    return f"{value:+.2f}"


def _dollars(value: float) -> str:
    return f"${plain(Decimal(repr(value)), 4)}"


def _more_dollars(value: float) -> str:
    return f"{'-' if value < 0 else '+'}{_dollars(abs(value))}"


def _asked(use: TapeUse, cost: Figure) -> str:
    """Who answered how often, and what that had cost: ``42 openai gpt-5-mini, 3 by rules, $0.0113``."""
    parts = [f"{count:,} {provider} {model}" for (provider, model), count in use.answered.items()]
    parts += [f"{use.by_rules:,} by rules"] if use.by_rules else []
    parts += [f"{use.missing:,} not on the tape"] if use.missing else []
    return ", ".join([*parts, _told(cost, _dollars)])


def _row(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {"name": row.name, "missing": row.missing or None, "against": row.against or None}
    told["parts"] = [
        {
            "when": each.when or None,
            "figures": _dict(each.figures),
            "added": _dict(each.added),
            "beside": {name: _dict(more) for name, more in each.beside.items()},
        }
        for each in row.parts
    ]
    if row.tape is not None:
        answered = {f"{provider} {model}": count for (provider, model), count in row.tape.answered.items()}
        told["models"] = {
            "answered": answered,
            "by_rules": row.tape.by_rules,
            "missing": row.tape.missing,
            "cost_usd": row.tape.cost,
            "cost": asdict(row.cost) if row.cost else None,
            "cost_added": asdict(row.cost_added) if row.cost_added else None,
        }
    return told


def _dict(found: LayerFigures | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _plain(value: object) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
