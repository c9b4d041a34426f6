"""``bot doctor`` takes what ``bot run`` takes, and looks at the very run that it would be."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click import Command
from typer.main import get_command

from bot.cli import app
from bot.run_options import overrides
from config.loader import load
from tests.fakes.command_line import bot
from tests.fakes.program import running

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)


def options(command: str) -> dict[str, tuple[str, ...]]:
    """The options and arguments of a command: how each is written."""
    return {each.name: tuple(each.opts) for each in get_command(app).commands[command].params if each.name}


def test_the_doctor_takes_every_option_of_the_run_that_says_what_is_run():
    of_run = options("run")
    del of_run["accept_balances"]  # it says what is done at the start, and the doctor does nothing
    del of_run["summary"]  # it says what is done at the end
    own = options("doctor")
    del own["models"]  # whether it asks language models, too
    assert own == of_run


def write_candles(folder: Path, name: str, level: int) -> None:
    rows = [f"{(BEGIN + timedelta(hours=hour)).isoformat()},{level},{level},{level},{level},1" for hour in range(500)]
    (folder / name).write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")


def test_the_doctor_looks_at_every_file_and_at_the_database_of_that_run(tmp_path: Path):
    write_candles(tmp_path, "BTCUSDT-1h.csv", 60_000)
    write_candles(tmp_path, "ETHUSDT-1h.csv", 3_000)
    words = ("--data", "BTCUSDT-1h.csv", "ETHUSDT-1h.csv", "--start", "2026-05-10", "--speed", "max", "--until-end")
    looked = bot(tmp_path, "doctor", *words, BOT_WEB__PORT="0")
    assert looked.returncode == 0, looked
    assert "BTCUSDT-1h.csv: 500 candles" in looked.stdout
    assert "ETHUSDT-1h.csv: 500 candles" in looked.stdout
    assert "from 2026-05-10 00:00 UTC on" in looked.stdout
    assert "var/demo/BTCUSDT-1h+ETHUSDT-1h/greenlight.sqlite is new" in looked.stdout
    assert list(tmp_path.glob("var")) == [], "looking changes nothing"


def test_the_doctor_looks_at_the_database_of_that_seed(tmp_path: Path):
    looked = bot(tmp_path, "doctor", "--seed", "3", BOT_WEB__PORT="0")
    assert looked.returncode == 0, looked
    assert "generated from seed 3" in looked.stdout
    assert "var/demo/seed-3/greenlight.sqlite is new" in looked.stdout


async def test_a_running_replay_of_files_is_found_by_its_files(tmp_path: Path):
    write_candles(tmp_path, "BTCUSDT-1h.csv", 60_000)
    sections = {
        "replay": {"data": [str(tmp_path / "BTCUSDT-1h.csv")], "speed": 1},
        "database": {"url": f"sqlite:///{tmp_path}/var/demo/BTCUSDT-1h/greenlight.sqlite"},
        "web": {"port": 0},
    }
    async with running(load(None, None, sections, {}, tmp_path).settings):
        for command in ("status", "emergency"):
            found = await asyncio.to_thread(bot, tmp_path, command, "--data", "BTCUSDT-1h.csv")
            assert (found.returncode, found.stderr) == (0, ""), found
        lost = await asyncio.to_thread(bot, tmp_path, "status")
        assert lost.returncode == 1
        assert "found with its --data or --seed" in lost.stderr


def test_what_a_replay_of_files_left_is_looked_after_by_its_files(tmp_path: Path):
    write_candles(tmp_path, "BTCUSDT-1h.csv", 60_000)
    data = ("--data", "BTCUSDT-1h.csv")
    ran = bot(tmp_path, "run", *data, "--start", "2026-05-20", "--speed", "max", "--until-end", BOT_WEB__PORT="0")
    assert ran.returncode == 0, ran
    checked = bot(tmp_path, "db", "check", *data)
    assert "var/demo/BTCUSDT-1h/greenlight.sqlite is sound" in checked.stdout
    assert bot(tmp_path, "export", "equity", *data).stdout.count("\n") > 10
    assert bot(tmp_path, "db", "backup", "saved.zip", *data).returncode == 0


def test_every_command_that_is_about_an_account_finds_that_of_files_and_of_a_seed():
    def takes(command: Command) -> set[str]:
        return {option for each in command.params for option in each.opts} & {"--profile", "--data", "--seed"}

    groups = get_command(app).commands
    about = [groups[name] for name in ("run", "doctor", "status", "emergency", "viewer")]
    about += [*groups["db"].commands.values(), *groups["export"].commands.values()]
    assert [command.name for command in about if takes(command) != {"--profile", "--data", "--seed"}] == []


def test_what_was_not_asked_for_is_nothing():
    asked = overrides(data=(), start=None, end=BEGIN, speed=None, seed=None, until_end=False)
    assert asked == {"replay": {"end": BEGIN.isoformat()}}
    asked = overrides(data=(), start=None, end=None, speed=None, seed=0, until_end=False)
    assert asked == {"market": {"seed": 0}}
