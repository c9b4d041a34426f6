"""The rows of ``bot compare --layers`` after everybody was heard: a policy beside simple rules, and people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from engine.data.files import write_candles
from engine.learning.policy import BEST_SCALE, BEST_VOLATILITY
from engine.learning.policy_files import save_policy
from tests.fakes.policies import steady_policy
from tests.fakes.series import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
CONFIG = """\
extends: demo
ai: {enabled: false}
approval: {auto_above: 0.4, ask_above: 0.2}
venue: {balances: {USDT: 30000}}
ppo: {policy: own.json, max_age: null}
"""
NAMES = ("rules", "volatility targeting", "constant scale", "+ PPO", "+ people")


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    candles = walk(51, 2_000, sigma=0.01)
    traded = replace(candles, symbol="ETH/USDT", volume=candles.volume * 1_000)  # what may be bought of it is no limit
    write_candles(tmp_path / "ETHUSDT-1h.parquet", traded)
    (tmp_path / "c.yaml").write_text(CONFIG)


def written(figures: Mapping[str, float], tested_from: str = "2024-01-01 00:00", high: float = 1e6) -> None:
    """A policy that buys an eighth of each size."""
    policy = steady_policy(-0.75, -1.0, -1.0, high=high)
    save_policy(replace(policy, card=replace(policy.card, figures=figures, tested_from=tested_from)), Path("own.json"))


def compared(*words: str) -> Result:
    data = ("--data", "ETHUSDT-1h.parquet", "--start", "2024-01-10", "--config", "c.yaml")
    return CliRunner().invoke(app, ["compare", "rsi_bands", "--layers", *data, "--json", "told.json", *words])


def rows() -> dict[str, Any]:
    return {each["name"]: each for each in json.loads(Path("told.json").read_text())["layers"]}


def test_a_policy_is_held_against_the_rules_and_against_what_needs_no_policy():
    written({BEST_SCALE: 0.125, BEST_VOLATILITY: 0.004})
    answer = compared()
    assert answer.exit_code == 0, answer.output
    assert "Fewer than 20 say too little for that." in answer.output
    found = rows()
    assert [each for each in NAMES if found[each]["missing"] is None] == list(NAMES)
    rules, targeted, constant, policy, people = (found[each]["parts"][0] for each in NAMES)
    assert policy["figures"] == constant["figures"], "an eighth of each size is a constant scale of that"
    assert list(policy["beside"]) == ["volatility targeting", "constant scale"]
    assert policy["beside"]["constant scale"]["gain"] == {"value": 0.0, "interval": {"low": 0.0, "high": 0.0}}
    assert found["+ PPO"]["against"] == "rules"
    assert policy["added"]["fees"]["value"] < 0
    assert 0 < targeted["figures"]["fees"]["value"] < rules["figures"]["fees"]["value"]
    assert (found["+ people"]["against"], people["beside"]) == ("+ PPO", {})

    assert "+ PPO: steady answered about" in answer.output
    assert "on average 12% of the size." in answer.output
    assert "    against volatility targeting" in answer.output


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"figures": {}, "tested_from": "2024-02-01 00:00"}, "what came before 2024-02-01 (--start)"),
        ({"figures": {}, "tested_from": ""}, "steady does not say what it was trained and chosen on"),
        ({"figures": {}, "high": -9e5}, "it answered about none of"),
        (None, "own.json cannot be read"),
    ],
)
def test_a_policy_that_tells_nothing_of_this_time_has_no_row(policy: dict[str, Any] | None, said: str):
    if policy is not None:
        written(**policy)
    answer = compared()
    assert answer.exit_code == 0, answer.output
    assert said in rows()["+ PPO"]["missing"]
    assert rows()["+ people"]["against"] == "rules"


def test_a_rule_without_its_number_has_no_row_and_a_bare_run_has_neither_policy_nor_people():
    written({BEST_SCALE: 0.125})
    assert compared().exit_code == 0
    assert rows()["volatility targeting"]["missing"] == "the training of steady tells of none"
    assert list(rows()["+ PPO"]["parts"][0]["beside"]) == ["constant scale"]
    assert compared("--risk", "off").exit_code == 0
    assert {rows()[each]["missing"] for each in ("+ PPO", "+ people")} == {"a bare run has neither (--risk off)"}
