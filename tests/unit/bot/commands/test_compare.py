"""``bot compare`` as it is typed: strategies, settings and revisions side by side."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from engine.backtest.registry import TrialRegistry
from engine.data.files import write_candles
from tests.fakes.own_strategies import SLOWER
from tests.fakes.series import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "ETHUSDT-1h.parquet", replace(walk(51, 2_000, sigma=0.01), symbol="ETH/USDT"))
    return "ETHUSDT-1h.parquet"


def bot(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def told(*words: str) -> dict:
    answer = bot("compare", *words, "--json", "told.json")
    assert answer.exit_code == 0, answer.output
    return json.loads(Path("told.json").read_text())


@pytest.mark.slow
def test_each_side_is_what_a_backtest_of_it_comes_to(file: str) -> None:
    found = told("sma_cross fast=5 slow=15", "rsi_bands rsi_low=35 fee=0.002 risk=off", "--data", file)
    words = ("--strategy", "rsi_bands", "--set", "rsi_low=35", "--fee", "0.002", "--risk", "off", "--data", file)
    assert bot("backtest", *words, "--json", "one.json").exit_code == 0
    one = json.loads(Path("one.json").read_text())
    assert found["second"]["final_equity"] == one["final_equity"]
    assert found["second"]["sharpe"] == one["account"]["sharpe"]
    assert -1 <= found["correlation"] <= 1
    trades = found["trades"]
    assert trades["same"] + len(trades["other_end"]) + len(trades["only_second"]) == len(one["trades"])
    assert [each.command for each in TrialRegistry(file=Path("var/trials.jsonl")).trials()] == [
        "compare",
        "compare",
        "backtest",
    ]


def test_what_is_the_same_has_no_differences_and_a_fee_changes_no_moment(file: str) -> None:
    found = told("sma_cross", "sma_cross fast=20", "--data", file)
    assert found["first"] == {**found["second"], "asked": "sma_cross"}
    assert found["trades"]["same"] == found["first"]["trades"] > 5
    dear = told("sma_cross", "sma_cross fee=0.01", "--data", file)
    assert dear["trades"] == found["trades"]
    assert dear["first"]["gain"] > dear["second"]["gain"]


def test_files_follow_one_data_whether_before_or_after_the_strategies(file: str, tmp_path: Path) -> None:
    write_candles(tmp_path / "BTCUSDT-1h.parquet", replace(walk(52, 2_000, sigma=0.01), symbol="BTC/USDT"))
    sides, other = ("sma_cross", "rsi_bands"), "BTCUSDT-1h.parquet"
    each_time = told(*sides, "--data", file, "--data", other)
    assert told(*sides, "--data", file, other) == each_time == told("--data", file, other, *sides)
    assert told(*sides, "--data", file) != each_time


def test_a_third_word_that_is_no_file_of_candles_is_refused(file: str) -> None:
    answer = bot("compare", "sma_cross", "rsi_bands", "ma_cross", "--data", file)
    assert answer.exit_code == 2
    assert "ma_cross is neither A nor B" in answer.output


@pytest.mark.slow
def test_two_revisions_of_a_file_of_ones_own(file: str, tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    own = tmp_path / "plans" / "own.py"
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(own.parent))
    subprocess.run([*git, "init", "-q"], check=True)
    for text in (SLOWER, SLOWER.replace("lag: int = 1", "lag: int = 9")):
        own.write_text(text)
        subprocess.run([*git, "add", "own.py"], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
    found = told("./plans/own.py:Slower", "./plans/own.py@HEAD~1:Slower", "--data", file)
    assert found["first"]["final_equity"] != found["second"]["final_equity"]
    gone = bot("compare", "./plans/own.py:Slower", "./plans/own.py@HEAD~9:Slower", "--data", file)
    assert "HEAD~9'. Name one like HEAD~1" in gone.stderr
    same = told("./plans/own.py:Slower", "./plans/own.py@HEAD~1:Slower lag=9", "--data", file)
    assert same["first"]["final_equity"] == same["second"]["final_equity"]


def test_the_terminal_says_both_and_where_they_differ(file: str) -> None:
    said = bot("compare", "sma_cross", "sma_cross slow=60 timeframe=4h", "--data", file).output
    assert "A  sma_cross: ETH/USDT in 1h candles, bare" in said
    assert "B  sma_cross slow=60 timeframe=4h: ETH/USDT in 4h candles, bare" in said
    assert all(word in said for word in ("Sharpe", "holding", "are of A alone", "are of B alone"))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("sma_kross", "There is no strategy sma_kross. Did you mean sma_cross?"),
        ("sma_cross fast", "fast has no value in 'sma_cross fast'"),
        ("sma_cross timefram", "Did you mean timeframe=…?"),
        ("sma_cross fee=2", "fee=2 makes no sense"),
        ("sma_cross risk=perhaps", "risk=perhaps makes no sense"),
        ("", "names no strategy"),
        ("./gone.py@HEAD:Gone", "gone.py at HEAD:"),
    ],
)
def test_what_cannot_be_compared_is_said(file: str, second: str, said: str) -> None:
    answer = bot("compare", "sma_cross", second, "--data", file)
    assert answer.exit_code == 2
    assert said in answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sma_cross",), "Name A and B, or say --layers."),
        (("sma_cross", "rsi_bands", "--layers"), "--layers is about one strategy. Leave B out."),
        (("sma_cross", "rsi_bands", "--sentiment", "fear.csv"), "--sentiment is about layers."),
        (("sma_cross", "--layers", "--sentiment", "gone.csv"), "gone.csv cannot be read"),
        (("sma_kross", "--layers"), "Did you mean sma_cross?"),
    ],
)
def test_layers_that_make_no_sense_are_said(file: str, words: tuple[str, ...], said: str) -> None:
    answer = bot("compare", *words, "--data", file)
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_a_layer_whose_data_is_not_there_has_no_row_and_says_why(file: str) -> None:
    begins = json.loads(bot_json("backtest", "--strategy", "sma_cross", "--full", "--data", file))["begins"]
    day = begins[:10]
    Path("fear.csv").write_text(f"date,value\n{day},20\n")
    Path("late.csv").write_text("date,value\n2039-01-01,20\n")
    rules = json.loads(bot_json("backtest", "--strategy", "sma_cross", "--full", "--data", file))
    found = told("sma_cross", "--layers", "--data", file, "--sentiment", "fear.csv")
    assert [each["name"] for each in found["layers"]] == [
        *("rules", "+ sentiment", "+ prediction", "+ panel", "+ PPO", "+ people")
    ]
    missing = [each["missing"] for each in found["layers"]]
    bare = "a bare run has neither (--risk off)"
    assert missing == [None, None, "no tape (llm.tape)", "no tape (llm.tape)", "no policy (ppo.policy)", bare]
    first, second = (each["parts"][0] for each in found["layers"][:2])
    assert first["figures"]["trades"] == rules["all_trades"]["trades"] > 5
    assert first["figures"]["gain"]["value"] == pytest.approx(rules["account"]["gain"])
    assert first["figures"]["fees"]["value"] == pytest.approx(rules["all_trades"]["fees"])
    assert (first["added"], second["added"]["trades"]) == (None, 0)
    assert second["added"]["sharpe"] == {"value": 0.0, "interval": {"low": 0.0, "high": 0.0}}
    said = bot("compare", "sma_cross", "--layers", "--data", file, "--sentiment", "late.csv").output
    assert "no row: its history has nothing of this time" in said
    assert "ETH/USDT: no headlines." in said
    without = bot("compare", "sma_cross", "--layers", "--data", file).output
    assert "no row: no history (--sentiment, replay.sentiment)" in without


def bot_json(*words: str) -> str:
    assert bot(*words, "--json", "one.json").exit_code == 0
    return Path("one.json").read_text()
