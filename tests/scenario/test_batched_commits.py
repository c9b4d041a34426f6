"""A replay at full speed is killed again and again, wherever it happens to be, and comes to the same history."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.auditor import check_conservation
from tests.fakes.told import BOT, quiet

END = "2026-01-15"
RUN = [str(BOT), "run", "--profile", "demo", "--speed", "max", "--end", END, "--until-end"]
PATIENCE = 100.0


def begin(folder: Path) -> subprocess.Popen[str]:
    """Start it, or go on where it was."""
    folder.mkdir(exist_ok=True)
    environ = quiet() | {"BOT_WEB__ENABLED": "false"}
    return subprocess.Popen(RUN, cwd=folder, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def history(run: subprocess.Popen[str]) -> str:
    """The line of the summary with the fingerprint of everything that was decided, ordered, filled and told."""
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, out
    (line,) = [line for line in out.splitlines() if line.startswith("history")]
    return line


def reached(folder: Path) -> str:
    """The newest candle that the database knows of; empty before the first."""
    file = folder / "var/demo/greenlight.sqlite"
    if not file.exists():
        return ""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return str(connection.execute("SELECT coalesce(max(at), '') FROM equity").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are being made
            return ""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_in_the_middle_of_a_batch_it_decides_the_same_again(tmp_path: Path) -> None:
    whole = begin(tmp_path / "whole")
    expected = history(whole)
    folder, kills = tmp_path / "killed", 0
    for day in ("2026-01-03", "2026-01-05T18", "2026-01-08", "2026-01-11", "2026-01-13T06"):
        run = begin(folder)
        while run.poll() is None and reached(folder) < day:
            time.sleep(0.002)
        kills += run.poll() is None
        run.kill()
        run.communicate()
    assert kills >= 2, "it was too fast to be killed"
    assert history(begin(folder)) == expected
    assert check_conservation(folder / "var/demo/venue.sqlite") == []
