"""Does a piece of work for many parameters, on every core.

A worker is a fork of this process, so it has everything that is here, the candles above all, without a copy: a page of
memory is shared until somebody writes to it, and nobody writes to candles. What differs goes through a pipe.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from engine.domain.errors import GreenlightError

Given = TypeVar("Given")
Found = TypeVar("Found")

_FORK = multiprocessing.get_context("fork")
_AHEAD = 2
"""How many pieces a worker is given at a time, so that it need not wait for the next one."""
_MOST = 64
"""How much there is in a piece at most: a pipe holds as much."""
_PIECES = 16
"""How many pieces each worker gets at least, where there is enough: the last ones end together."""
_RUBBISH = 50_000
"""New objects after which a worker looks for rubbish: nearly all of what it makes goes by itself."""
_LOOK_UP = 0.2
"""Seconds after which it is seen whether to stop, and after which a worker tells what it has of a piece so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    message: str
    remedy: str


_Told = tuple[list[Any], bool] | _Failure
"""What was found since the last time, and whether the piece ends with it."""


class Workers(Generic[Given, Found]):
    """Processes that work side by side; they end with the block.

    Args:
        work: What is done with each thing that is given.
        count: How many there are; ``None`` for one a core.
    """

    def __init__(self, work: Callable[[Given], Found], count: int | None = None) -> None:
        self._work = work
        self._count = count or len(os.sched_getaffinity(0))
        self._pipes: list[Connection] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._stop = mmap.mmap(-1, 1)  # a byte that all see: 1 once nothing more is to be begun

    def __enter__(self) -> Self:
        for _ in range(self._count):
            ours, theirs = _FORK.Pipe()
            self._pipes.append(ours)
            process = _FORK.Process(
                target=_serve, args=(theirs, tuple(self._pipes), self._work, self._stop), daemon=True
            )
            with warnings.catch_warnings():  # of other threads: none of them has what a worker needs
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            theirs.close()
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            if kind is not None:
                process.terminate()
            process.join()

    def each(self, given: Sequence[Given], is_stopped: Callable[[], bool] = lambda: False) -> Iterator[list[Found]]:
        """Do it for all, in any order, and tell what came of it as soon as it is there.

        Each worker goes over a part of its own first: what stands near one another may have much in common.

        Args:
            given: Everything.
            is_stopped: Whether to stop: each worker finishes the one that it is at, and begins nothing else.

        Raises:
            GreenlightError: One failed, or a worker has ended by itself.
        """
        self._stop[0] = 0
        size = max(1, min(_MOST, len(given) // (self._count * _PIECES)))
        pieces = [given[first : first + size] for first in range(0, len(given), size)]
        each = -(-len(pieces) // self._count)
        parts = {pipe: deque(pieces[n * each : (n + 1) * each]) for n, pipe in enumerate(self._pipes)}
        open_ = dict.fromkeys(self._pipes, 0)
        for pipe in self._pipes * _AHEAD:
            self._give(pipe, parts, open_)
        while busy := [pipe for pipe, count in open_.items() if count]:
            if is_stopped():
                self._stop[0] = 1
            for ready in wait(busy, _LOOK_UP):
                pipe = next(each for each in busy if each is ready)
                found, ends = self._received(pipe)
                open_[pipe] -= ends
                if ends and not is_stopped():
                    self._give(pipe, parts, open_)
                if found:
                    yield found

    def _give(
        self, pipe: Connection, parts: dict[Connection, deque[Sequence[Given]]], open_: dict[Connection, int]
    ) -> None:
        longest = max(parts.values(), key=len)
        if longest:
            piece = parts[pipe].popleft() if parts[pipe] else longest.pop()
            with suppress(BrokenPipeError):  # that it has ended is told by what is read
                pipe.send(piece)
            open_[pipe] += 1

    def _received(self, pipe: Connection) -> tuple[list[Found], bool]:
        try:
            told: _Told = pipe.recv()
        except (EOFError, ConnectionResetError):
            ended = self._processes[self._pipes.index(pipe)]
            ended.join()
            message = f"A worker process has ended by itself (exit code {ended.exitcode})."
            raise GreenlightError(message, "Memory may have been short: use fewer, --workers 1.") from None
        if isinstance(told, _Failure):
            raise GreenlightError(told.message, told.remedy)
        return told


def _serve(pipe: Connection, others: Sequence[Connection], work: Callable[[Given], Found], stop: mmap.mmap) -> None:
    """A worker: it ends when nobody is there any more to ask it; Ctrl-C is for the one who asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what is shared is not looked through for rubbish: that would write to it
    gc.set_threshold(_RUBBISH)
    for each in others:
        each.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for told in _worked(pipe.recv(), work, stop):
                pipe.send(told)


def _worked(piece: Sequence[Given], work: Callable[[Given], Found], stop: mmap.mmap) -> Iterator[_Told]:
    """What comes of a piece, as far as it is done: slow things are told one by one, quick ones together."""
    found: list[Found] = []
    told_at = time.monotonic()
    try:
        for each in piece:
            if stop[0]:
                break
            found.append(work(each))
            if time.monotonic() - told_at >= _LOOK_UP:
                yield found, False
                found, told_at = [], time.monotonic()
    except GreenlightError as error:
        yield _Failure(message=error.message, remedy=error.remedy)
    else:
        yield found, True
