"""A replay at full speed is killed again and again, in the middle of what it has not committed, and goes on from there.

It comes to the same history as one that was not killed, unless a kill came between an order's intent and its sending:
that order is then refused for good, and said to be.
"""

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
KILLS = (
    ("2026-01-03", 0.11),
    ("2026-01-05T18", 0.03),
    ("2026-01-08", 0.19),
    ("2026-01-11", 0.07),
    ("2026-01-13T06", 0.0),
)
"""From which day on it is killed, and how many seconds after that was seen."""


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


def refused_after_a_kill(folder: Path) -> list[str]:
    """The orders that were written down and never sent."""
    with closing(sqlite3.connect(f"file:{folder / 'var/demo/greenlight.sqlite'}?mode=ro", uri=True)) as connection:
        return [name for (name,) in connection.execute("SELECT id FROM orders WHERE reason LIKE '%not sent again%'")]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_killed_in_the_middle_of_a_batch_it_decides_the_same_again(tmp_path: Path) -> None:
    whole = begin(tmp_path / "whole")
    expected = history(whole)
    folder, kills = tmp_path / "killed", 0
    for day, after in KILLS:
        run = begin(folder)
        while run.poll() is None and reached(folder) < day:
            time.sleep(0.002)
        time.sleep(after)  # what is seen from outside is a commit, and most of them come right before an order is sent
        kills += run.poll() is None
        run.kill()
        run.communicate()
    assert kills >= 2, "it was too fast to be killed"
    same = history(begin(folder)) == expected
    assert same or refused_after_a_kill(folder)
    assert check_conservation(folder / "var/demo/venue.sqlite") == []
