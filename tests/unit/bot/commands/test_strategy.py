"""``bot strategy new`` and ``bot strategy check`` as they are typed, and what was written put to work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from bot.doctor.check import Case
from bot.doctor.trading import CHECKS
from bot.markets import source
from bot.run_rules import RULES
from config.loader import load
from engine.backtest.strategy_contract import RULES as CONTRACT
from engine.data.files import write_candles
from engine.domain.market import Timeframe
from engine.strategies.guarded import GuardedStrategy
from engine.timing.clocks import wall
from tests.fakes.own_strategies import written
from tests.fakes.series import walk


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def strategy(*words: str) -> Result:
    return CliRunner().invoke(app, ["strategy", *words])


@pytest.mark.parametrize(
    ("said", "file"), [("my_idea", "my_idea"), ("MyIdea", "my_idea"), ("my-2nd-idea", "my_2nd_idea")]
)
def test_a_new_one_is_written_with_its_test_and_what_to_do_next(here: Path, said: str, file: str) -> None:
    answer = strategy("new", said)
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"Wrote strategies/{file}.py and strategies/test_{file}.py.")
    kind = "".join(part.capitalize() for part in file.split("_"))
    assert f"bot strategy check strategies/{file}.py:{kind}" in answer.stdout
    again = strategy("new", said)
    assert (again.exit_code, again.stderr) == (
        2,
        f"strategies/{file}.py is there already. Choose another name, or another --folder.\n",
    )


def test_the_lines_that_it_prints_are_a_settings_file_that_a_run_takes(here: Path) -> None:
    printed = strategy("new", "my_idea").stdout
    lines = printed[printed.index("extends: demo") :]
    assert yaml.safe_load(lines)["contexts"][0]["strategy"] == "./strategies/my_idea.py:MyIdea"
    (here / "my.yaml").write_text(lines)
    settings = load(None, here / "my.yaml", {}, {}, here, RULES).settings
    (context,) = source(settings).contexts
    assert isinstance(context.strategy, GuardedStrategy)
    assert context.strategy.warmup == 22
    check = next(each for each in CHECKS if each.name == "strategies")
    assert check.look(Case(settings=settings, wall=wall)) == "profile demo; my_idea"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2nd", "No strategy can be called 2nd."),
        ("class", "No strategy can be called class."),
        ("../up", "No strategy can be called ../up."),
        ("momentum", "momentum is a strategy of the house."),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(here: Path, name: str, said: str) -> None:
    answer = strategy("new", name)
    assert answer.exit_code == 2
    assert answer.stderr.startswith(said)
    assert not list(here.iterdir())


def test_a_folder_that_cannot_be_written_is_named(here: Path) -> None:
    (here / "file").write_text("")
    assert strategy("new", "idea", "--folder", "file").stderr.startswith("file cannot be written: File exists.")


def test_a_good_one_is_told_rule_by_rule(here: Path) -> None:
    written(here)
    write_candles(here / "BTCUSDT-4h.parquet", walk(5, 250, sigma=0.01, timeframe=Timeframe.H4))
    answer = strategy("check", "breakout.py:Breakout", "--set", "length=9", "--data", "BTCUSDT-4h.parquet")
    assert answer.exit_code == 0
    *rules, last = answer.stdout.splitlines()
    assert len(rules) == len(CONTRACT)
    assert all(line.startswith("ok       ") for line in rules)
    assert last.startswith("It entered ")
    assert last.endswith(" times in 250 candles. All is well.")


def test_what_is_wrong_is_told_once_with_its_line(here: Path) -> None:
    written(here, ("said = f", "[][1]; said = f"))
    write_candles(here / "BTCUSDT-1h.parquet", walk(5, 200))
    answer = strategy("check", "breakout.py:Breakout", "--data", "BTCUSDT-1h.parquet")
    assert answer.exit_code == 1
    wrong = [line for line in answer.stdout.splitlines() if line.startswith("wrong")]
    assert "failed: breakout.py, line 50: IndexError" in wrong[0]
    assert len(wrong) == 1
    assert answer.stdout.count(": first put that right\n") > 5
    assert answer.stdout.endswith("To put right: 1.\n")


@pytest.mark.slow
def test_readings_of_the_settings_are_known_and_others_are_not(here: Path) -> None:
    written(here, ('sight.reading("rsi")', 'sight.reading("ADX_14")'))
    write_candles(here / "BTCUSDT-1h.parquet", walk(5, 200))
    (here / "my.yaml").write_text("extends: demo\nindicators: [{name: adx}]\n")
    words = ("check", "breakout.py:Breakout", "--data", "BTCUSDT-1h.parquet")
    assert "asks for the reading ADX_14, which there is not." in strategy(*words).stdout
    assert strategy(*words, "--config", "my.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("breakout.py",), "breakout.py names no class. Write it like breakout.py:Breakout."),
        (("breakout.py:Brekout",), "breakout.py has no Brekout. Did you mean Breakout?"),
        (("momentm",), "There is no strategy momentm. Did you mean momentum?"),
        (("breakout.py:Breakout", "--set", "lenght=3"), "--set lenght: Breakout has no such parameter. Did you mean"),
    ],
)
def test_what_cannot_be_checked_is_said_with_the_way_out(here: Path, words: tuple[str, ...], said: str) -> None:
    written(here)
    answer = strategy("check", *words)
    assert answer.exit_code == 2
    assert said in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("timeframe", ["15m", "1h", "1d"])
def test_it_is_looked_at_on_made_up_markets_of_its_candles(here: Path, timeframe: str) -> None:
    written(here)
    words = ("breakout.py:Breakout", "--timeframe", timeframe)
    if timeframe == "1d":
        words = (*words, "--set", "length=9")
    answer = strategy("check", *words)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.endswith("times in 6,000 candles. All is well.\n")


@pytest.mark.slow
def test_the_test_that_was_written_passes_and_can_fail(here: Path) -> None:
    strategy("new", "my_idea")

    def passed() -> bool:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "strategies"]
        return subprocess.run(command, cwd=here, capture_output=True, check=False).returncode == 0

    assert passed()
    file = here / "strategies" / "my_idea.py"
    file.write_text(file.read_text().replace("crossed_above(above_channel, 0.0)", "above_channel < 0"))
    assert not passed()
