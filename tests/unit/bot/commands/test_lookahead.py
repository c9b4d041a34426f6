"""``bot lookahead`` and what ``bot backtest`` refuses, as they are typed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from engine.data.files import write_candles
from tests.fakes.command_line import begin
from tests.fakes.own_strategies import line_of, with_trigger, written
from tests.fakes.series import walk

PEEKS = with_trigger("candles.close.shift(-1) > candles.close * 1.01")
OWN = ("--strategy", "breakout.py:Breakout", "--data", "BTCUSDT-1h.parquet")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run: it has a file of candles."""
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "BTCUSDT-1h.parquet", walk(5, 300, sigma=0.01))
    return tmp_path


def bot(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_every_candle_is_looked_at(here: Path) -> None:
    written(here)
    answer = bot("lookahead", *OWN, "--set", "length=5")
    assert (answer.exit_code, answer.stdout) == (0, "Breakout on BTC/USDT looks ahead at none of 300 candles.\n")
    assert bot("lookahead", *OWN, "--end", "2024-01-03").stdout.endswith("none of 48 candles.\n")


@pytest.mark.parametrize("words", [("lookahead",), ("backtest", "--risk", "off"), ("backtest", "--full")])
def test_one_that_looks_ahead_is_refused_wherever_it_is_tried(here: Path, words: tuple[str, ...]) -> None:
    written(here, PEEKS)
    answer = bot(*words, *OWN)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "The strategy breakout looks ahead: on BTC/USDT, at the 1h candle that closes 2024-01-" in answer.stderr
    assert "entry is yes once later candles are known, and no with those up to" in answer.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("breakout.py", "breakout.py names no class. Write it like breakout.py:Breakout."),
        ("brekout.py:Breakout", "There is no file brekout.py. Did you mean breakout.py?"),
        ("breakout", "and your own, ./strategies/breakout.py:Breakout."),
    ],
)
def test_one_that_is_not_there_is_told_with_the_way_out(here: Path, name: str, said: str) -> None:
    written(here)
    for command in ("lookahead", "backtest"):
        answer = bot(command, "--strategy", name, "--data", "BTCUSDT-1h.parquet")
        assert answer.exit_code == 2
        assert said in answer.stderr


def test_a_failure_on_the_way_names_its_line(here: Path) -> None:
    line = line_of(written(here, ("said = f", "sight.reading(f'{1 // 0}'); said = f")), "1 // 0")
    assert f"failed: breakout.py, line {line}: ZeroDivisionError: integer division" in bot("backtest", *OWN).stderr


@pytest.mark.slow
def test_ctrl_c_ends_it_with_what_was_looked_at(here: Path) -> None:
    written(here)
    write_candles(here / "BTCUSDT-1h.parquet", walk(5, 60_000, sigma=0.01))
    out, err = here / "out", here / "err"
    process = begin(here, out, err, "lookahead", *OWN)
    while not (err.exists() and err.read_text()):  # the label of what is looked at
        time.sleep(0.05)
    time.sleep(1.0)
    assert process.pid
    os.kill(process.pid, signal.SIGINT)
    process.join(30)
    assert process.exitcode == 130
    assert "Stopped. Breakout on BTC/USDT looked ahead at none of " in out.read_text()
    assert "Traceback" not in err.read_text()
