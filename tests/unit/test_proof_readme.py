"""The table of faults in ``tests/proof`` names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TEXT = (TESTS / "proof" / "README.md").read_text()


def test_every_test_that_the_table_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 15
    assert [each for each in sorted(named) if not (TESTS / "scenario" / f"{each}.py").exists()] == []
    paths = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", TEXT))
    assert [each for each in sorted(paths) if not (TESTS.parent / each).exists()] == []


def test_every_fault_of_an_account_has_a_row_with_a_test() -> None:
    rows = {int(number): rest for number, rest in re.findall(r"^\| (\d+) \|(.*)$", TEXT, flags=re.MULTILINE)}
    assert set(rows) == {*range(1, 17), 22, 28, *range(30, 40), 41}
    assert [number for number, rest in rows.items() if "test" not in rest and "trading" not in rest] == []
