"""``bot config``: what it prints, and how it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli_config import app

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BOT_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_a_good_configuration_is_called_good(room: Path):
    answer = CliRunner().invoke(app, ["validate"])
    assert (answer.exit_code, answer.stdout) == (0, "The configuration is good: profile demo.\n")


def test_a_bad_one_is_refused_in_plain_lines(room: Path):
    (room / "my.yaml").write_text("web:\n  port: x\n")
    answer = CliRunner().invoke(app, ["validate", "--config", "my.yaml"], env={"BOT_DIGEST__AT": "noon"})
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.splitlines() == [
        "The configuration cannot be used:",
        "  my.yaml, line 2: web.port: must be a whole number",
        "  environment (BOT_DIGEST__AT): digest.at: must be a time of day between 00:00 and 23:59",
    ]


def test_an_indicator_that_does_not_exist_is_refused_before_a_candle_needs_it(room: Path):
    (room / "my.yaml").write_text("indicators:\n  extra: [cmf, adxx_14]\n")
    answer = CliRunner().invoke(app, ["validate", "--config", "my.yaml"])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.splitlines() == [
        "The configuration cannot be used:",
        "  my.yaml, line 2: indicators.extra: There is no indicator 'adxx_14'. Did you mean 'adx'?",
    ]


def test_show_says_what_is_in_force_and_where_it_was_written(room: Path):
    (room / "my.yaml").write_text("extends: base\nweb:\n  port: 81\n")
    answer = CliRunner().invoke(app, ["show", "--config", "my.yaml"], env={"BOT_TELEGRAM__CHAT_ID": "-5"})
    lines = answer.stdout.splitlines()
    assert "web.port = 81  # my.yaml, line 3" in lines
    assert 'telegram.chat_id = "-5"  # environment (BOT_TELEGRAM__CHAT_ID)' in lines
    assert "web.enabled = true  # default" in lines


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_show_masks_secrets(room: Path, options: list[str]):
    answer = CliRunner().invoke(app, ["show", *options], env={"BOT_TELEGRAM__TOKEN": TOKEN})
    assert answer.exit_code == 0
    assert TOKEN not in answer.output
    assert "********" in answer.output


def test_show_as_json_can_be_read(room: Path):
    answer = CliRunner().invoke(app, ["show", "--json", "--profile", "base"])
    assert json.loads(answer.stdout)["profile"] == "base"


def test_the_schema_is_a_json_schema_of_every_section(room: Path):
    sections = json.loads(CliRunner().invoke(app, ["schema"]).stdout)["properties"]
    assert {"database", "web", "telegram", "people", "approval", "risk", "contexts"} <= set(sections)


def test_a_process_that_is_refused_shows_no_traceback(room: Path):
    script = "from bot.cli_config import app; app()"
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "BOT_WEB__PRT": "1", "BOT_WEB__TOKEN": TOKEN}
    done = subprocess.run(
        [sys.executable, "-c", script, "validate"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "BOT_WEB__PRT" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr
