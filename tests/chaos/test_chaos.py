"""Two hundred runs of the whole firm, on simulated time; and that the simulation would find what it looks for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.externals import Externals
from tests.chaos.bugs import BUGS, OF_TWO_VENUES
from tests.chaos.run import play, play_two_venues, told

ROOT = Path(__file__).parents[2]
SEEDS, CHUNK = 200, 10
ALWAYS = 2
"""The seeds that are played by whoever runs the tests; the others wait for those who run the slow ones too."""
CHUNKS = [range(ALWAYS + 1, CHUNK + 1), *(range(first, first + CHUNK) for first in range(CHUNK + 1, SEEDS + 1, CHUNK))]
FOUND_WITHIN = 40
"""Seeds in which a known bug must have been found."""


@pytest.mark.parametrize(
    "seeds", [range(1, ALWAYS + 1), *(pytest.param(chunk, marks=pytest.mark.slow) for chunk in CHUNKS)], ids=str
)
def test_nothing_is_found_whatever_goes_wrong(seeds: range) -> None:
    reports = map(play, seeds)
    assert [told(report) for report in reports if report.complaints] == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_known_bug_is_found(bug: Callable[[Externals], Externals]) -> None:
    found = next(filter(None, (play(seed, externals=bug).complaints for seed in range(1, FOUND_WITHIN + 1))), [])
    assert found
    assert not any(complaint.startswith("the program died") for complaint in found), "it is not the bug that was found"


@pytest.mark.slow
@pytest.mark.parametrize("bug", OF_TWO_VENUES, ids=lambda bug: bug.__name__)
def test_a_known_bug_of_two_venues_is_found(bug: Callable[[Externals], Externals]) -> None:
    found = [play_two_venues(seed, externals=bug).complaints for seed in range(1, FOUND_WITHIN // 2)]
    assert [complaint for complaints in found for complaint in complaints if complaint.startswith("two venues: ")]


@pytest.mark.parametrize("seed", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_nothing_is_found_at_two_venues(seed: int) -> None:
    report = play_two_venues(seed)
    assert report.complaints == []
    assert report.counts["two venues: fills at paper"] + report.counts["two venues: fills at other"] > 0
    assert play_two_venues(seed).trace == report.trace


@pytest.mark.slow
def test_a_seed_replays_exactly() -> None:
    once, again = play(3), play(3)
    assert once.lines == again.lines
    assert once.trace == again.trace


@pytest.mark.slow
def test_a_seed_is_the_same_run_in_every_process() -> None:
    traces = {_trace(seed=5, hash_seed=hash_seed) for hash_seed in ("1", "22")}
    assert traces == {play(5).trace}


def _trace(*, seed: int, hash_seed: str) -> str:
    """What another process prints as the trace of a seed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.run", "--seed", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[0].removeprefix("trace ")
