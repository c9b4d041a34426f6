"""Kills the program at every line of its own between a decision and its order, and lets it come back each time.

    warm parent ─ fork ▶ one life, which kills itself at the n-th time it reaches a line
                ─ fork ▶ the next life, on the same files, to the end of the story ─▶ what is in the files then

What a life does follows from the files it finds: where they are the very same as after another cut, its end is known.
So on simulated time, without threads, it is enough to look at the files at every line of one life (``--every-moment``),
each time it is reached; and a chat server, which outlives a kill, can be in the same process.

Run as a program, so that nothing but warm modules is forked: no thread, no loop, no test runner.
``python -m tests.fakes.kill_sweep FOLDER STORY`` prints a :class:`Report` as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import structlog

from bot.externals import Externals
from config.settings import Settings
from tests.chaos.loop import SimulatedLoop
from tests.fakes.database import new_file
from tests.fakes.kill_notes import NOTES, noted
from tests.fakes.kill_story import (
    DEADLY,
    HASTY,
    HONEST,
    LATER,
    STORIES,
    Story,
    complaints,
    live,
    settings_for,
)
from tests.fakes.kill_trace import ROOTS, Cut, Line, Tracer, Watcher, chosen, cuts, executioner, recorder
from tests.fakes.program import ASKED

LIFE_WITHIN = 30
"""Seconds after which a life is taken to hang."""
BEFORE = ASKED - timedelta(hours=1)


def _nothing() -> None:
    """Where nobody needs to be told."""


@dataclass(kw_only=True)
class Report:
    """What a sweep found.

    Attributes:
        lines: How many lines are on the path.
        killed: How many lives ended at their cut; with ``--every-moment``, at how many moments they were looked at.
        states: How many different states of the files they left.
        missed: The cuts that a life came by without reaching them.
        complaints: What was wrong in the end, by cut.
    """

    lines: int = 0
    killed: int = 0
    states: int = 0
    missed: list[str] = field(default_factory=list)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0


class Sweep:
    """One story, told as often as there are lines in it.

    Args:
        folder: Where the files are.
        story: What happens.
        externals: How store and venue are opened in every life.
        simulated: Live on simulated time, without threads; where people are on distant platforms that is always so.
    """

    def __init__(self, folder: Path, story: Story, externals: Externals, *, simulated: bool = False) -> None:
        self._story, self._externals, self._simulated = story, externals, simulated or story.is_simulated
        self._begin, self._run = folder / "begin", folder / "run"
        self._settings: Settings | None = None
        self._ends: dict[str, list[str]] = {}

    def prepare(self) -> None:
        """Bring the files to the moment before the candle that breaks out; everything heavy is warm afterwards."""
        structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
        self._settings = self._new()
        self._live(HONEST, _nothing)
        shutil.rmtree(self._run)
        self._new()
        self._live(HONEST, _nothing, until=BEFORE)
        assert threading.active_count() == 1, "a fork keeps no other thread"
        gc.freeze()
        if self._story.killed_before:
            status = self._fork(DEADLY)
            assert os.WTERMSIG(status) == signal.SIGKILL, self._log()
        self._run.rename(self._begin)

    def _live(self, externals: Externals, on_begin: Callable[[], None], *, until: datetime = LATER) -> None:
        """Live once, here."""
        assert self._settings
        make = (lambda: SimulatedLoop(Random(0))) if self._simulated else None  # noqa: S311 - for threads
        with asyncio.Runner(loop_factory=make) as runner:
            runner.run(live(self._settings, self._story, externals, on_begin=on_begin, until=until))

    def _new(self) -> Settings:
        self._run.mkdir(parents=True)
        new_file(self._run)
        return settings_for(self._run, self._story)

    def lines(self) -> Counter[Line]:
        """Every line of the path and how often it is reached, in order; from a life that nobody cuts off."""
        self._reset()
        tracer, counts = recorder()
        found = self._run / "lines"
        status = self._fork(self._externals, tracer, lambda: found.write_text(json.dumps(list(counts.items()))))
        assert status == 0, self._log()
        assert complaints(self._run, self._story) == []
        return Counter({(file, line): count for (file, line), count in json.loads(found.read_text())})

    def kill(self, cut: Cut) -> tuple[bool, list[str]]:
        """Cut a life off and let the next one go on; whether the cut was reached, and what is wrong in the end."""
        self._reset()
        status = self._fork(self._externals, executioner(cut))
        if status not in (0, signal.SIGKILL):
            return False, [f"the first life ended with {status}: {self._log()}"]
        return status != 0, self._end_of_these()

    def look(self, only: str) -> tuple[Counter[Line], dict[str, list[str]]]:
        """Live on from every different state in which a kill at any line, at any time it is reached, leaves the files.

        Returns:
            How often each line was reached, and what is wrong in the end, by cut.
        """
        self._reset()
        shots, found = self._run.with_name("shots"), self._run / "lines"
        watcher = Watcher(self._run, shots, only)
        status = self._fork(
            self._externals,
            Tracer(ROOTS, watcher.look),
            lambda: found.write_text(json.dumps(list(watcher.counts.items()))),
        )
        assert status == 0, self._log()
        counts = Counter({(file, line): count for (file, line), count in json.loads(found.read_text())})
        wrong: dict[str, list[str]] = {}
        for shot in sorted(shots.iterdir()):
            shutil.rmtree(self._run)
            shot.rename(self._run)
            if complaints := self._end_of_these():
                wrong[(self._run / "where").read_text()] = complaints
        return counts, wrong

    def leaves_what_was_seen(self, cut: Cut) -> list[str]:
        """Really kill a life, and see that it leaves the files in a state that was found by looking."""
        self._reset()
        status = self._fork(self._externals, executioner(cut))
        is_known = status == signal.SIGKILL and self._state() in self._ends
        return [] if is_known else [f"a kill ({status}) leaves what was never seen"]

    def _end_of_these(self) -> list[str]:
        """What is wrong in the end, from the files as they are."""
        state = self._state()
        if state not in self._ends:
            self._ends[state] = self._end()
        return self._ends[state]

    @property
    def states(self) -> int:
        """How many different states of the files were found after a kill."""
        return len(self._ends)

    def _end(self) -> list[str]:
        """Live on, and say what is wrong in the end."""
        status = self._fork(self._externals)
        return [f"the second life ended with {status}: {self._log()}"] if status else complaints(self._run, self._story)

    def _state(self) -> str:
        """A fingerprint of everything in the files; read from a copy, so that nothing is mended in passing."""
        copy = self._run.with_name("copy")
        shutil.copytree(self._run, copy)
        digest = hashlib.sha256()
        for file in sorted(copy.glob("*.sqlite")):
            with closing(sqlite3.connect(file)) as connection:
                for line in connection.iterdump():
                    digest.update(line.encode())
        for name in NOTES:
            digest.update("\n".join(noted(copy, name)).encode() + b"\0")
        shutil.rmtree(copy)
        return digest.hexdigest()

    def _log(self) -> str:
        return (self._run / "log").read_text()[-2000:]

    def _reset(self) -> None:
        shutil.rmtree(self._run, ignore_errors=True)
        shutil.copytree(self._begin, self._run)

    def _fork(self, externals: Externals, tracer: Tracer | None = None, at_end: Callable[[], object] = _nothing) -> int:
        """Live once in a process of its own; its wait status."""
        if child := os.fork():
            return os.waitpid(child, 0)[1]
        code = 1
        try:
            signal.alarm(LIFE_WITHIN)
            log = (self._run / "log").open("a")
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            if tracer:
                tracer.install()
            self._live(externals, tracer.arm if tracer else _nothing)
            at_end()
            code = 0
        finally:
            if code:
                import traceback

                traceback.print_exc()
            sys.stderr.flush()
            os._exit(code)
        raise AssertionError("nobody is left")


def sweep(story: Story, options: argparse.Namespace) -> Report:
    """Cut a story off at the lines that were asked for."""
    began = time.monotonic()
    externals = HASTY if options.hasty else HONEST
    told = Sweep(options.folder / story.name, story, externals, simulated=options.every_moment)
    told.prepare()
    if options.every_moment:
        return _looked(told, options, began)
    lines = told.lines()
    report = Report(lines=len(lines))
    for cut in chosen(list(cuts(lines)), options.only, options.sample, options.shard, options.shards):
        reached, wrong = told.kill(cut)
        if not reached and not wrong and cut.time > 1:
            # Threads do not meet in the same order in every life: the first time is always reached.
            reached, wrong = told.kill(replace(cut, time=1))
        report.killed += reached
        if report.killed % 100 == 0:
            sys.stderr.write(f"{story.name}: {report.killed} killed, {len(report.complaints)} complaints\n")
        if not reached:
            report.missed.append(str(cut))
        if wrong:
            report.complaints[str(cut)] = wrong
            sys.stderr.write(f"{story.name}: {cut}: {wrong}\n")
    report.states, report.seconds = told.states, time.monotonic() - began
    return report


def _looked(told: Sweep, options: argparse.Namespace, began: float) -> Report:
    lines, wrong = told.look(options.only)
    for cut in chosen(list(cuts(lines)), options.only, options.sample, 0, 1) if options.sample else ():
        wrong |= {str(cut): found} if (found := told.leaves_what_was_seen(cut)) else {}
    seconds = time.monotonic() - began
    return Report(lines=len(lines), killed=lines.total(), states=told.states, complaints=wrong, seconds=seconds)


def main() -> None:
    """Sweep as the command line says, and print the reports by story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("stories", nargs="+", choices=STORIES)
    parser.add_argument("--hasty", action="store_true", help="send before the intent is committed")
    parser.add_argument("--every-moment", action="store_true", help="each time a line is reached; see ``Sweep.look``")
    parser.add_argument("--only", default="", help="only lines of files with this in their name")
    parser.add_argument("--sample", type=int, default=0, help="only so many lines, chosen by hash")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args()
    reports = {name: asdict(sweep(STORIES[name], options)) for name in options.stories}
    sys.stdout.write(json.dumps(reports))


if __name__ == "__main__":
    main()
