"""Killed at every line between a decision and its acknowledged, protected order, and started again (fault 1).

Whatever line it was: one order for the decision or a recorded refusal, the database agrees with the venue in orders,
fills, cash and holdings, what is held is protected, every press is answered once, on whatever platform, everything is
shown, and nobody is let in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WITH_THREADS = ("alone", "asked", "comes_back")
ON_PLATFORMS = ("telegram", "slack")
SHARDS = 4


def swept(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """What a sweep found, by story."""
    command = [sys.executable, "-m", "tests.fakes.kill_sweep", str(folder), *words]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def must_be_whole(report: dict[str, Any]) -> None:
    assert report["complaints"] == {}
    assert len(report["missed"]) <= report["killed"] / 50, report["missed"]
    assert report["lines"] > 1000, "the whole path is looked at"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_at_a_sample_of_the_lines_it_comes_to_a_good_end(tmp_path):
    for report in swept(tmp_path, "comes_back", "telegram", "--sample", "3").values():
        must_be_whole(report)
        assert report["killed"] == 3


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_at_every_line_it_comes_to_a_good_end(tmp_path, shard):
    report = swept(tmp_path, "alone", "--shard", str(shard), "--shards", str(SHARDS))["alone"]
    must_be_whole(report)
    assert report["killed"] + len(report["missed"]) >= report["lines"] // SHARDS


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("story", ["asked", "comes_back"])
def test_killed_with_its_threads_at_many_lines_it_comes_to_a_good_end(tmp_path, story):
    """All of them (without ``--sample``) take ten minutes a story: for a quiet hour, by the command line."""
    report = swept(tmp_path, story, "--sample", "150")[story]
    must_be_whole(report)
    assert report["killed"] > 140


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", [*WITH_THREADS, *ON_PLATFORMS])
def test_killed_every_time_it_reaches_any_line_it_comes_to_a_good_end(tmp_path, story):
    """On simulated time, without threads: every state in which a kill can leave the files is found, and lived on from.

    A few lives are really killed: that leaves nothing else.
    """
    report = swept(tmp_path, story, "--every-moment", "--sample", "8")[story]
    must_be_whole(report)
    assert report["killed"] > 5 * report["lines"], "each time counts"
    assert report["states"] > 8


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_order_that_is_sent_before_it_is_written_down_is_found_out(tmp_path):
    """The same story with a venue that does not call for its client's commits first; uncut, it is whole."""
    found = swept(tmp_path, "alone", "--every-moment", "--only", "execution/", "--hasty")["alone"]["complaints"]
    wrong = [words for each in found.values() for words in each]
    known = ("only at the venue", "decisions to enter", "was sent 2 times")
    assert any(sign in words for words in wrong for sign in known), wrong
