"""What cannot be written is said before a run, and not after all of it."""

import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.room import no_room_for, unwritable
from tests.fakes.forks import FORKS

NOBODY = 65534
COMMANDS = {
    "backtest": ["backtest", "--strategy", "momentum"],
    "backtest --html": ["backtest", "--strategy", "momentum"],
    "compare": ["compare", "momentum", "sma_cross"],
    "sweep": ["sweep", "--strategy", "momentum", "--grid", "fast=5,6"],
    "walkforward": ["walkforward", "--strategy", "momentum", "--grid", "fast=5,6"],
    "drift": ["drift"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_there_is_no_room_for_is_refused_before_anything_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").touch()
    option = "--html" if name.endswith("--html") else "--json"
    told = str(tmp_path / "taken" / "told")
    candles = ["--data", str(tmp_path / "BTCUSDT-1h.csv")]
    answer = CliRunner().invoke(app, [*COMMANDS[name], "--profile", "demo", option, told, *candles])
    assert answer.exit_code == 2, answer.output
    assert answer.stderr.startswith(f"{option}: {told} would lie below {tmp_path / 'taken'}, which is a file")


def _look(said: Connection) -> None:
    if os.geteuid() == 0:  # who may write everywhere looks as somebody who may not
        os.setuid(NOBODY)
    said.send((no_room_for(Path("/none/told.json")), unwritable(Path("/none/told.json"))))


def test_a_folder_that_this_user_may_not_write_to_has_no_room() -> None:
    ours, theirs = FORKS.Pipe()
    looking = FORKS.Process(target=_look, args=(theirs,))
    looking.start()
    assert ours.poll(60)
    assert ours.recv() == (None, ("/ cannot be written to.", "Let this user write there, or name another place."))
    looking.join()
    ours.close()
    theirs.close()


def test_there_is_room_where_folders_are_missing_only(tmp_path: Path) -> None:
    assert unwritable(tmp_path / "a" / "b" / "told.json") is None
    assert not (tmp_path / "a").exists()
