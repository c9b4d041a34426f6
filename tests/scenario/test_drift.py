"""A bot that ran for days against a backtest of the same days: the same trades, and a cause for each that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


def bot(folder: Path, *words: str, panel: bool = False) -> Result:
    names = {"BOT_DATABASE__URL": f"sqlite:///{folder}/greenlight.sqlite", "BOT_WEB__ENABLED": "false"}
    return CliRunner(env=names | {"BOT_AI__ENABLED": str(panel)}).invoke(app, list(words))


def kinds(folder: Path, *words: str) -> dict[str, list[Any]]:
    file = folder / "drift.json"
    answer = bot(folder, "drift", "--profile", "demo", "--json", str(file), *words)
    assert answer.exit_code == 0, answer.output
    found: dict[str, list[Any]] = {}
    for each in json.loads(file.read_text())["trades"]:
        found.setdefault(each["kind"], []).append(each)
    return found


def test_days_of_the_demo_are_the_same_to_the_cent_and_what_people_would_have_changed_is_told(tmp_path: Path):
    ran = bot(tmp_path, "run", "--profile", "demo", "--speed", "max", "--end", "2026-01-21", "--until-end")
    assert ran.exit_code == 0, ran.output

    alone = kinds(tmp_path)
    assert list(alone) == ["same"], alone
    assert len(alone["same"]) > 10

    with_people = kinds(tmp_path, "--approve", "all")
    assert with_people["missing"]
    told = {each["cause"].partition(" (")[0] for each in with_people["missing"]}
    assert "nobody answered in time" in told
    assert {each["account"]["id"] for kind in ("same", "different", "extra") for each in with_people.get(kind, [])} == {
        each["account"]["id"] for each in alone["same"]
    }


def test_what_a_panel_has_made_of_a_trade_is_its_cause(tmp_path: Path):
    ran = bot(tmp_path, "run", "--profile", "demo", "--speed", "max", "--end", "2026-01-08", "--until-end", panel=True)
    assert ran.exit_code == 0, ran.output
    (first, *_) = kinds(tmp_path)["different"]
    assert "the panel left" in first["cause"]
    assert "% of its size (D" in first["cause"]


def test_what_cannot_be_compared_says_what_to_do(tmp_path: Path):
    assert "Start the bot first" in bot(tmp_path, "drift", "--profile", "demo").output
    assert "Give the candles of that time with --candles" in bot(tmp_path, "drift", "--profile", "paper").output


def test_what_is_bought_at_a_limit_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context = {"name": "a", "strategy": "momentum", "markets": ["BTC/USDT"], "entry": {"type": "limit"}}
    monkeypatch.setenv("BOT_CONTEXTS", json.dumps([context]))
    assert "a: entry.type limit buys later than it decides" in bot(tmp_path, "drift", "--profile", "demo").output
