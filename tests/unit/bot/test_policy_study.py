"""``bot policy study`` as it is typed: tables in a page that people have written, kept and gone on with."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.cli import app
from bot.policy_study_page import BEGIN, END
from engine.data.files import write_candles
from tests.fakes.series import walk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("kernel"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_spec("stable_baselines3") is None, reason="the extra rl is not installed"),
]


def studied(*words: str) -> Result:
    asked = ("--strategy", "momentum", "--data", "ETHUSDT-1h.parquet", "--seeds", "1", "--steps", "4096")
    return CliRunner().invoke(app, ["policy", "study", *asked, *words])


def test_the_tables_of_a_page_are_written_anew_and_nothing_is_trained_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "ETHUSDT-1h.parquet", replace(walk(51, 12_000, sigma=0.01), symbol="ETH/USDT"))
    page = tmp_path / "ppo.md"
    page.write_text("no place for tables")
    refused = studied("--out", "ppo.md")
    assert refused.exit_code == 2
    assert "has no place for the tables" in refused.stderr
    page.write_text(f"# Mine\n\n{BEGIN}\nold\n{END}\n\nWords of mine.\n")
    answer = studied("--out", "ppo.md", "--resume")
    assert answer.exit_code == 0, answer.output
    told = page.read_text()
    assert told.startswith("# Mine\n")
    assert told.endswith(f"{END}\n\nWords of mine.\n")
    assert "old" not in told
    assert "1 seed x 15 splits (2 of 6 groups of the time taken out), 4,096 decisions each: 15 policies." in told
    assert "| against volatility target |" in told
    (kept,) = (tmp_path / "var/trainings").glob("study-*.jsonl")
    assert len(kept.read_text().splitlines()) == 15 * 4, "the second run trained nothing"
