"""Play seeds and tell how they went.

python -m tests.chaos.run --seeds 200
python -m tests.chaos.run --seed 17 --verbose     # one again, with everything that happened
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

from structlog.testing import capture_logs

from bot.externals import Externals
from tests.chaos.loop import SimulatedLoop, Stuck
from tests.chaos.two_venues import TwoVenues, has_two_venues
from tests.chaos.world import Report, World

MEMORY = Path("/dev/shm")  # noqa: S108 - nothing here has to outlive the machine
"""A folder in memory, where the machine has one."""
FRESH_AFTER = 200
"""Seeds after which a process is replaced: libraries keep a little of each."""
EXPECTED = ("candle failed", "card not sent", "job failed", "the outbox could not be read")
"""What may be logged as an error where the venue or a platform is at fault."""


def play(seed: int, *, externals: Callable[[Externals], Externals] = lambda made: made) -> Report:
    """Play one seed.

    Args:
        externals: changes the externals, to build a known fault in.
    """
    logging.disable()  # the libraries' own
    try:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place, capture_logs() as logs:
            folder = Path(place)
            report = _play(seed, folder, externals)
    finally:
        logging.disable(logging.NOTSET)
    report.complaints += [f"logged: {entry}" for entry in logs if _is_alarming(entry)]
    if has_two_venues(seed):
        _add(report, play_two_venues(seed, externals=externals))
    return report


def _add(report: Report, beside: Report) -> None:
    report.complaints += beside.complaints
    report.counts |= beside.counts
    report.trace = sha256(f"{report.trace}{beside.trace}".encode()).hexdigest()


def _play(seed: int, folder: Path, externals: Callable[[Externals], Externals]) -> Report:
    loop = SimulatedLoop(Random(f"{seed}/threads"))
    world = World(seed, folder, loop, externals=externals)
    try:
        loop.run_until_complete(world.play())
    except Stuck as stuck:
        world.complain(f"stuck: {stuck}")
    finally:
        loop.close()
    return world.report


def play_two_venues(seed: int, *, externals: Callable[[Externals], Externals] = lambda made: made) -> Report:
    """Play the engine on two venues, on one seed."""
    report = Report(seed=seed)
    loop = SimulatedLoop(Random(f"{seed}/threads of two"))
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, capture_logs() as logs:
        run = TwoVenues(seed, Path(folder), loop, externals)
        try:
            loop.run_until_complete(run.play())
        except Stuck as stuck:
            run.complaints.append(f"two venues: stuck: {stuck}")
        finally:
            loop.close()
    report.complaints += [*run.complaints, *(f"two venues: {trouble}" for trouble in loop.troubles)]
    report.complaints += [f"logged: {entry}" for entry in logs if _is_alarming(entry)]
    report.counts, report.trace = dict(run.counts), run.trace
    return report


def _is_alarming(entry: dict[str, object]) -> bool:
    return entry["log_level"] in ("error", "critical") and entry["event"] not in EXPECTED


def play_all(seeds: Iterable[int], processes: int) -> Iterator[Report]:
    """Play many seeds, several at a time; in the order in which they end."""
    with multiprocessing.get_context("forkserver").Pool(processes, maxtasksperchild=FRESH_AFTER) as pool:
        yield from pool.imap_unordered(_play_briefly, seeds)


def _play_briefly(seed: int) -> Report:
    report = play(seed)
    report.lines.clear()
    return report


def told(report: Report) -> str:
    """A run that has found something, and how to see it again."""
    again = f"python -m tests.chaos.run --seed {report.seed} --verbose"
    return "\n  ".join((f"seed {report.seed} (trace {report.trace[:16]}; again with {again})", *report.complaints))


def main() -> int:
    """Play what the command line asks for; the exit code says whether anything was found."""
    asked = _arguments()
    began = time.monotonic()
    if asked.seed is not None:
        reports = [play(asked.seed)]
        if asked.verbose:
            print(*reports[0].lines, sep="\n")
        print(f"trace {reports[0].trace}")
    else:
        reports = []
        for report in play_all(range(asked.first, asked.first + asked.seeds), asked.processes):
            reports.append(report)
            if report.complaints:
                print(told(report), flush=True)
    found = [report for report in reports if report.complaints]
    _summarise(reports, time.monotonic() - began)
    return 1 if found else 0


def _summarise(reports: list[Report], seconds: float) -> None:
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
    found = sum(bool(report.complaints) for report in reports)
    print(f"{len(reports)} seeds in {seconds:.0f} s: {found} found something.")
    print(", ".join(f"{name}: {count}" for name, count in sorted(counts.items())))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Play the whole firm on simulated time, one run a seed.")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--verbose", action="store_true", help="print everything that happened in it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
