"""Work on several processes: all of it is done, an end is clean, and a failure is told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from engine.backtest.workers import Workers
from engine.domain.errors import BadInput, GreenlightError


def test_all_is_done_on_other_processes() -> None:
    with Workers(lambda number: (number, number**2, os.getpid()), 3) as workers:
        found = [each for piece in workers.each(range(500)) for each in piece]
        again = [each for piece in workers.each([7]) for each in piece]
        assert [each for piece in workers.each([]) for each in piece] == []
    assert sorted(each[:2] for each in found) == [(number, number**2) for number in range(500)]
    assert os.getpid() not in {each[2] for each in found}
    assert again[0][:2] == (7, 49)


def test_what_stands_near_one_another_goes_to_one_worker_as_long_as_each_has_something() -> None:
    with Workers(lambda number: (number, os.getpid()), 2) as workers:
        by_number = dict(each for piece in workers.each(range(4)) for each in piece)
    assert by_number[0] == by_number[1] != by_number[2] == by_number[3]


def test_what_is_begun_is_finished_once_it_is_to_stop() -> None:
    seen: list[int] = []
    with Workers(lambda number: number, 2) as workers:
        for piece in workers.each(range(10_000), is_stopped=lambda: len(seen) > 100):
            seen.extend(piece)
    assert 100 < len(seen) < 1_000
    assert len(set(seen)) == len(seen)


def slowly(number: int) -> int:
    """As of candles by the million: each takes a while."""
    time.sleep(0.1)
    return number


def test_of_what_is_slow_each_is_told_as_it_is_done_and_nothing_else_of_its_piece_is_begun_once_it_is_to_stop() -> None:
    seen: list[int] = []
    with Workers(slowly, 2) as workers:
        for piece in workers.each(range(10_000), is_stopped=lambda: bool(seen)):  # in pieces of 64
            seen.extend(piece)
    assert 0 < len(seen) < 64
    assert len(set(seen)) == len(seen)


def test_after_a_stop_they_can_be_asked_again() -> None:
    with Workers(lambda number: number, 2) as workers:
        list(workers.each(range(1_000), is_stopped=lambda: True))
        assert sorted(each for piece in workers.each(range(9)) for each in piece) == list(range(9))


def own_memory(columns: np.ndarray) -> int:
    """What this process shares with no other, in bytes, once it has read all of some columns."""
    assert columns.sum() > 0
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells it")
def test_what_is_here_is_shared_and_not_copied() -> None:
    columns = np.ones((6, 1_000_000))
    with Workers(lambda _: own_memory(columns), 2) as workers:
        assert max(each for piece in workers.each([1, 2]) for each in piece) < columns.nbytes / 2


def refuse(number: int) -> int:
    if number == 3:
        raise BadInput("Three is too many.", "Take two.")
    return number


def test_a_failure_is_told_with_what_to_do() -> None:
    with pytest.raises(GreenlightError, match=r"Three is too many. Take two."), Workers(refuse, 2) as workers:
        list(workers.each(range(9)))


def test_a_worker_that_ends_by_itself_is_told() -> None:
    with pytest.raises(GreenlightError, match=r"ended by itself \(exit code 5\)"), Workers(os._exit, 2) as workers:
        list(workers.each([5]))
