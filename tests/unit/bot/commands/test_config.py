"""``bot config``: what it prints, and how it refuses."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.commands.config import app
from engine.data.files import write_candles
from tests.fakes.command_line import bot
from tests.fakes.series import walk

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
ROOT = Path(__file__).parents[4]


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
    (room / "my.yaml").write_text("indicators:\n  - {name: cmf}\n  - {name: adxx, length: 14}\n")
    answer = CliRunner().invoke(app, ["validate", "--config", "my.yaml"])
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.splitlines() == [
        "The configuration cannot be used:",
        "  my.yaml, line 3: indicators.1.name: There is no such indicator. Did you mean adx?",
    ]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("config validate", "The configuration is good: profile base."),
        ("run --until-end --speed max", "Replayed LTCUSDT-1h, BTCUSDT-1h (2024-01-01 to 2024-01-17)"),
        ("doctor", "ok       market: LTCUSDT-1h, BTCUSDT-1h (2024-01-01 to 2024-01-17)"),
    ],
)
def test_validate_run_and_doctor_agree_on_what_they_are_given(room: Path, command: str, words: str):
    """Seen: a profile for candle files was refused by the one and run by the other, and the reverse without files."""
    (room / "my.yaml").write_text(
        "extends: base\nweb: {enabled: false}\n"
        "contexts: [{name: a, strategy: momentum, markets: [LTC/USDT], timeframe: 1h, higher: []}]\n"
    )
    for name in ("LTCUSDT-1h.csv", "BTCUSDT-1h.csv"):
        write_candles(room / name, replace(walk(1, 400), symbol=f"{name[:3]}/USDT"))
    asked = [*command.split(), "--config", "my.yaml"]
    files = ["--data", "LTCUSDT-1h.csv", "BTCUSDT-1h.csv"]
    assert words in bot(room, *asked, *files).stdout
    for options, wrong in (
        ([], "market.markets: There is no market to trade."),
        ([*files, "--start", "2030-01-01"], "replay.start: The candle files reach from 2024-01-01 00:00 to 2024-01-17"),
    ):
        refused = bot(room, *asked, *options)
        assert refused.returncode == (1 if command == "doctor" else 2)
        assert wrong in refused.stdout + refused.stderr


def test_what_does_not_run_a_market_does_not_ask_for_one(room: Path):
    """Seen: a profile for candle files could not be shown, and the bot on it not be asked how it is."""
    (room / "my.yaml").write_text("contexts: [{name: a, strategy: momentum, markets: [LTC/USDT]}]\n")
    assert CliRunner().invoke(app, ["show", "--config", "my.yaml"]).exit_code == 0


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
    script = "from bot.commands.config import app; app()"
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "BOT_WEB__PRT": "1", "BOT_WEB__TOKEN": TOKEN}
    done = subprocess.run(
        [sys.executable, "-c", script, "validate"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "BOT_WEB__PRT" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr
