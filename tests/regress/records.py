"""What a replay decided, filled and was worth, read from its database, and how two of them differ.

Two revisions may call one thing by two names (``RENAMED``), and keep more or less beside it: only what a decision, a
fill and a point of the equity curve are is compared. The words of a reason are not.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

RENAMED = {"market": "symbol", "venue_id": "trade_id", "fee_value": "fee"}
"""Names of before, and what they are called now."""
_PLAN = ("side", "quantity", "price", "stop", "target", "reduce_only")
_FILL = ("side", "quantity", "price", "fee", "at")
_EQUITY = ("equity", "cash", "drawdown", "benchmark")

Key = tuple[str, ...]
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Records:
    """One replay: what is compared, each by what it is matched by.

    Attributes:
        decisions: By context, symbol, time of the candle, stance and tier; of an exit its position too.
        fills: By symbol, and their number among its fills.
        equity: By time.
    """

    decisions: Mapping[Key, Row] = field(default_factory=dict)
    fills: Mapping[Key, Row] = field(default_factory=dict)
    equity: Mapping[Key, Row] = field(default_factory=dict)


def read(database: Path) -> Records:
    """The records of a replay.

    Raises:
        sqlite3.Error: It is no database of a bot.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row

        def rows(query: str) -> Iterator[dict[str, Any]]:
            return (_renamed(dict(row)) for row in connection.execute(query))

        fills, counted = dict[Key, Row](), Counter[str]()
        for row in rows("SELECT * FROM fills ORDER BY number"):
            counted[row["symbol"]] += 1
            fills[row["symbol"], f"{counted[row['symbol']]}"] = {name: _number(row[name]) for name in _FILL}
        return Records(
            decisions={
                (row["context"], row["symbol"], row["at"], row["stance"], *_told_apart(row["key"])): _decision(row)
                for row in rows("SELECT * FROM decisions ORDER BY number")
            },
            fills=fills,
            equity={
                (row["at"],): {name: _number(row[name]) for name in _EQUITY}
                for row in rows("SELECT * FROM equity ORDER BY at")
            },
        )


def _told_apart(key: str) -> tuple[str, ...]:
    """What else a decision's key names: a tier that is not the full one, the position of an exit."""
    return tuple(key.split("|")[4:])


def _decision(row: Row) -> Row:
    record = json.loads(row["record"])
    return {
        "confidence": row["confidence"],
        "status": row["status"],
        "plan": _plan(record.get("plan")),
        "ruling": _ruling(row["status"], record.get("ruling") or {}),
    }


def _ruling(status: str, ruled: Row) -> Row | str | None:
    """What was allowed; what held was allowed nothing, also where it was called a refusal."""
    if status == "held":
        return status
    return _plan(ruled["plan"]) if "plan" in ruled else f"refused for {len(ruled.get('reasons', ()))} reasons"


def _plan(plan: Row | None) -> Row | None:
    return None if plan is None else {name: _number(plan.get(name)) for name in _PLAN}


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): value for name, value in row.items()}


def _number(value: Any) -> Any:
    """A decimal by its value: 1.50 is 1.5."""
    if not isinstance(value, str):
        return value
    try:
        return f"{Decimal(value).normalize():f}"
    except ArithmeticError:
        return value


def differences(before: Records, after: Records) -> Iterator[str]:
    """Each difference in a line, oldest first within decisions, fills and equity."""
    for kind in ("decisions", "fills", "equity"):
        yield from _differences(kind, getattr(before, kind), getattr(after, kind))


def _differences(kind: str, before: Mapping[Key, Row], after: Mapping[Key, Row]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        name = f"{kind} {' '.join(key)}"
        if key not in after:
            yield f"{name}: gone, was {before[key]}"
        elif key not in before:
            yield f"{name}: new, is {after[key]}"
        elif changed := [part for part in before[key] if before[key][part] != after[key][part]]:
            yield f"{name}: " + "; ".join(f"{part} {before[key][part]} → {after[key][part]}" for part in changed)
