"""A newcomer's story: a strategy written, checked, tried on candles and traded, and one that fails beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.command_line import bot
from tests.fakes.own_strategies import written

pytestmark = pytest.mark.slow

LATER = 1_767_225_600_000
"""The demo's market begins in 2026, the one that a strategy is tried on before a run does not."""
SETTINGS = """\
extends: demo
web: {enabled: false}
approval: {auto_above: 0.5, ask_above: 0.4}
contexts:
  - {name: fails, strategy: ./strategies/fails/breakout.py:Breakout, markets: [BTC/USDT], timeframe: 1h}
  - {name: mine, strategy: ./strategies/my_idea.py:MyIdea, markets: [BTC/USDT, SOL/USDT], params: {length: 9}}
"""


def told(folder: Path, *words: str, code: int = 0) -> str:
    ran = bot(folder, *words)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout if code == 0 else ran.stderr


def test_from_an_idea_to_trades(tmp_path: Path) -> None:
    own = "strategies/my_idea.py:MyIdea"
    told(tmp_path, "strategy", "new", "my_idea")
    assert "All is well." in told(tmp_path, "strategy", "check", own)
    told(tmp_path, "data", "generate", "candles", "--length", "40d")
    file = "candles/BTCUSDT-1h.parquet"
    figures = [
        json.loads((tmp_path / "out.json").read_text())
        for full in ((), ("--full",))
        if told(
            tmp_path, "backtest", "--data", file, "--strategy", own, "--approve", "all", "--json", "out.json", *full
        )
    ]
    assert figures[0]["trades"]
    assert figures[0]["final_equity"] == pytest.approx(figures[1]["final_equity"], abs=5e-5)
    assert "looks ahead at none of" in told(tmp_path, "lookahead", "--data", file, "--strategy", own)

    written(
        tmp_path / "strategies" / "fails",
        ("said = f", f"{{}}[1] if sight.candles.open_ms[-1] > {LATER} else 0; said = f"),
    )
    (tmp_path / "my.yaml").write_text(SETTINGS)
    told(tmp_path, "config", "validate", "--config", "my.yaml")
    ran = bot(
        tmp_path,
        "run",
        "--config",
        "my.yaml",
        *["--speed", "max", "--end", "2026-01-15", "--until-end", "--json", "sum.json"],
    )
    assert ran.returncode == 0, ran.stderr
    assert "strategies/fails/breakout.py, line 50: KeyError" in ran.stderr
    assert json.loads((tmp_path / "sum.json").read_text())["closed"] > 0

    (tmp_path / "my.yaml").write_text(SETTINGS.replace("fails/breakout.py", "fails/breakuot.py"))
    refused = told(tmp_path, "run", "--config", "my.yaml", code=2)
    assert (
        "my.yaml, line 5: contexts.0.strategy: There is no file strategies/fails/breakuot.py. Did you mean" in refused
    )
