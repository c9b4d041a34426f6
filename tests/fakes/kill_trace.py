"""Lines of the program as they are reached: counted, looked at, or killed at."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from zlib import crc32

import engine
import handlers
from tests.fakes.kill_notes import NOTES

ROOTS = tuple(str(Path(package.__path__[0]).resolve()) + os.sep for package in (engine, handlers))
Line = tuple[str, int]


@dataclass(frozen=True, order=True, kw_only=True)
class Cut:
    """The n-th time that a line is reached."""

    file: str
    line: int
    time: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.time})"


class Tracer:
    """Tells of every line that any thread reaches, once it is armed.

    Args:
        roots: How the names of the files begin that it looks at.
    """

    def __init__(self, roots: tuple[str, ...], on_line: Callable[[Line], None]) -> None:
        self._roots = roots
        self._on_line = on_line
        self._armed = False

    def install(self) -> None:
        """See to it that the threads which are started from now on can be looked at."""
        threading.settrace(self._call)

    def arm(self) -> None:
        """Begin."""
        self._armed = True
        sys.settrace(self._call)

    def _call(self, frame: FrameType, _event: str, _arg: object) -> Any:
        return self._line if self._armed and frame.f_code.co_filename.startswith(self._roots) else None

    def _line(self, frame: FrameType, event: str, _arg: object) -> Any:
        if event == "line":
            self._on_line((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def recorder() -> tuple[Tracer, Counter[Line]]:
    """A tracer that counts how often each line is reached, in the order in which they first are."""
    counts: Counter[Line] = Counter()

    def count(line: Line) -> None:
        counts[line] += 1

    return Tracer(ROOTS, count), counts


def executioner(cut: Cut) -> Tracer:
    """A tracer that kills this process."""
    wanted, left = (cut.file, cut.line), [cut.time]

    def count(line: Line) -> None:
        if line == wanted:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return Tracer((cut.file,), count)


def cuts(lines: Counter[Line]) -> Iterator[Cut]:
    """Each line once, at the first of the times it is reached, the last or one between: some hash says which."""
    for (file, line), count in lines.items():
        yield Cut(file=file, line=line, time=1 + crc32(f"{Path(file).name}:{line}".encode()) % count)


def chosen(found: Sequence[Cut], only: str, sample: int, shard: int, shards: int) -> list[Cut]:
    """The cuts in files of a name; a sample by hash where asked for, or this shard's share."""
    named = [cut for cut in found if only in cut.file]
    if sample:
        return sorted(named, key=lambda cut: crc32(f"{Path(cut.file).name}:{cut.line}".encode()))[:sample]
    return named[shard::shards]


class Watcher:
    """Copies the files whenever a line finds them changed: a kill there would leave just that.

    A life without threads does nothing between two lines; what it has not committed a kill would take with it.

    Args:
        run: Where the files of the life are.
        shots: Where the copies go, each in a folder of its own, with a note ``where``.
        only: Only at lines of files with this in their name.
    """

    def __init__(self, run: Path, shots: Path, only: str) -> None:
        self._run, self._shots, self._only = run, shots, only
        self.counts: Counter[Line] = Counter()
        self._eyes: list[sqlite3.Connection] = []
        self._seen: object = None

    def look(self, line: Line) -> None:
        """A line is reached."""
        self.counts[line] += 1
        if self._only not in line[0]:
            return
        if not self._eyes:
            self._open()
        # A connection's number for the data grows with every commit of another.
        commits = [eye.execute("PRAGMA data_version").fetchall() for eye in self._eyes]
        now = (commits, [os.stat(self._run / name).st_size for name in NOTES])  # noqa: PTH116 - 100,000 times
        if now != self._seen:
            self._seen = now
            self._shoot(Cut(file=line[0], line=line[1], time=self.counts[line]))

    def _open(self) -> None:
        self._shots.mkdir()
        for name in NOTES:
            (self._run / name).touch()
        self._eyes = [sqlite3.connect(file) for file in sorted(self._run.glob("*.sqlite"))]

    def _shoot(self, at: Cut) -> None:
        """Let a twin copy them: closing a copied file would give up the locks this process has on it."""
        to = self._shots / f"{len(list(self._shots.iterdir())):05}"
        if twin := os.fork():
            assert os.waitpid(twin, 0)[1] == 0
            return
        shutil.copytree(self._run, to)
        (to / "where").write_text(str(at))
        os._exit(0)
