"""``docs/backtest.ipynb`` runs from top to bottom, and shows what it says."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel")]
NOTEBOOK = json.loads((Path(__file__).parents[4] / "docs" / "backtest.ipynb").read_text())
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def run(code: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - the notebook is ours
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None  # noqa: S307


def test_it_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [run(code, names) for code in CODE]
    assert len(names["result"].trades) > 20
    assert sum(isinstance(each, pd.DataFrame) for each in shown) == 3
    assert "more than chance" in capsys.readouterr().out
    assert shown[-1].startswith("<!DOCTYPE html>")
    assert "srcdoc=" in shown[-1]._repr_html_()
    assert (tmp_path / "var" / "trials.jsonl").exists()


def test_it_keeps_nothing_of_an_earlier_run() -> None:
    assert all(
        cell["outputs"] == [] and cell["execution_count"] is None for cell in NOTEBOOK["cells"] if "outputs" in cell
    )
