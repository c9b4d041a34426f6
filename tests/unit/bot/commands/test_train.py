"""``bot train`` and ``bot policy`` as they are typed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot import training
from bot.cli import app
from engine.data.files import write_candles
from engine.learning.policy_files import load_policy, save_policy
from tests.fakes.policies import any_policy
from tests.fakes.series import walk

needs_torch = pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed")


def bot(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


@pytest.fixture
def candles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A candle file, in whose folder the command runs."""
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "BTCUSDT-1h.parquet", walk(7, 9_000, sigma=0.01))
    return str(tmp_path / "BTCUSDT-1h.parquet")


@needs_torch
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_policy_is_trained_tested_written_shown_and_verified(candles: str) -> None:
    trained = bot(
        "train", "--strategy", "rsi_bands", "--data", candles, "--quick", "--seeds", "1", "--out", "p/own.json"
    )
    assert trained.exit_code == 0, trained.output
    assert "static rules" in trained.output
    assert "constant scale" in trained.output
    card = load_policy(Path("p/own.json")).card
    assert (card.name, card.seeds, card.contexts) == ("own", (1,), ("rsi_bands: BTC/USDT",))
    assert not list(Path("var/trainings").glob("*"))
    assert json.loads(Path("p/own.json").read_text())["data"]
    shown = bot("policy", "show", "p/own.json")
    assert "sentiment            never changed in training: not looked at" in shown.output
    assert bot("policy", "verify", "p/own.json").exit_code == 0


@needs_torch
def test_too_few_candles_are_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "BTCUSDT-1h.parquet", walk(7, 900, sigma=0.01))
    answer = bot("train", "--strategy", "rsi_bands", "--data", "BTCUSDT-1h.parquet", "--out", "p.json")
    assert answer.exit_code == 2
    assert "There is too little time for training. Give more candles" in answer.output


@needs_torch
def test_a_file_of_another_ending_is_refused(candles: str) -> None:
    answer = bot("train", "--strategy", "rsi_bands", "--data", candles, "--out", "p.zip")
    assert (answer.exit_code, answer.output) == (2, "--out p.zip does not end in .json. Write p.json.\n")


def test_a_policy_that_is_damaged_is_named(tmp_path: Path) -> None:
    save_policy(any_policy(), tmp_path / "own.json")
    (tmp_path / "own.npz").write_bytes(b"")
    for command in ("show", "verify"):
        answer = bot("policy", command, str(tmp_path / "own.json"))
        assert answer.exit_code == 2
        assert "own.npz is not the file that was written with its JSON." in answer.output


def test_torch_is_loaded_by_who_trains_alone() -> None:
    import subprocess
    import sys

    asked = f"import sys, {training.__name__}, bot.commands.train; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
