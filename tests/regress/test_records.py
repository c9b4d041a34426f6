"""Two replays are matched row by row, whatever their tables call a column."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.regress.records import differences, read

PLAN = {"side": "buy", "quantity": "1.50", "price": "100", "stop": "90", "target": "120", "reduce_only": False}
AT = "2026-01-01T01:00:00"


def database(
    folder: Path, *, name: str = "market", confidence: float = 0.7, stance: str = "enter", quantity: str = "1.50",
    price: str = "100", equity: str = "10000", ruling: Any = None, status: str = "executed",
) -> Path:  # fmt: skip
    """One decision, one fill and one point of equity; a market is called as that revision calls it."""
    file = folder / f"{len(list(folder.iterdir()))}.sqlite"
    plan = {**PLAN, "quantity": quantity, name: "BTC/USDT"}
    record = json.dumps({"plan": plan, "ruling": ruling or {"plan": plan}})
    with closing(sqlite3.connect(file)) as made, made:
        made.execute(f"CREATE TABLE decisions (number, key, context, {name}, at, stance, confidence, status, record)")
        made.execute(f"CREATE TABLE fills (number, {name}, side, quantity, price, fee, at)")
        made.execute("CREATE TABLE equity (at, equity, cash, drawdown, benchmark)")
        values = (1, f"trend|BTC/USDT|{AT}|{stance}", "trend", "BTC/USDT", AT, stance, confidence, status, record)
        made.execute("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        made.execute("INSERT INTO fills VALUES (1, 'BTC/USDT', 'buy', '1.50', ?, '0.10', ?)", (price, AT))
        made.execute("INSERT INTO equity VALUES (?, ?, '9850.0', '0', NULL)", (AT, equity))
    return file


def told(before: Path, after: Path) -> list[str]:
    return list(differences(read(before), read(after)))


def test_another_name_and_other_zeros_are_no_difference(tmp_path: Path) -> None:
    after = database(tmp_path, name="symbol", quantity="1.5", price="100.00", equity="10000.0")
    assert told(database(tmp_path), after) == []


def test_a_hold_that_was_called_a_refusal_is_no_difference(tmp_path: Path) -> None:
    before = database(tmp_path, status="held", ruling={"reasons": ["the set-up has not appeared"]})
    assert told(before, database(tmp_path, status="held", ruling={"plan": None})) == []


def test_each_difference_is_named_with_both_values(tmp_path: Path) -> None:
    before = database(tmp_path)
    assert told(before, database(tmp_path, confidence=0.6)) == [
        f"decisions trend BTC/USDT {AT} enter: confidence 0.7 → 0.6"
    ]
    (changed,) = told(before, database(tmp_path, quantity="1"))
    assert "plan {'side': 'buy', 'quantity': '1.5'" in changed
    assert "ruling" in changed
    assert told(before, database(tmp_path, price="101")) == ["fills BTC/USDT 1: price 100 → 101"]
    assert told(before, database(tmp_path, equity="1")) == [f"equity {AT}: equity 10000 → 1"]
    (refused,) = told(before, database(tmp_path, ruling={"reasons": ["no room"]}))
    assert refused.endswith("→ refused for 1 reasons")
    other = (database(tmp_path, ruling={"reasons": [words]}) for words in ("no room", "there is none"))
    assert told(*other) == [], "words may become better"


def test_what_was_decided_once_alone_is_gone_or_new(tmp_path: Path) -> None:
    gone, new = told(database(tmp_path), database(tmp_path, stance="exit"))
    assert "enter: gone, was {" in gone
    assert "exit: new, is {" in new
