"""Does a piece of work for many parameters, on every core.

A worker is a fork of this process, so it has everything that is here, the candles above all, without a copy: a page of
memory is shared until somebody writes to it, and nobody writes to candles. What differs goes through a pipe.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Generic, Self, TypeVar

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
"""Seconds after which it is seen whether to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    message: str
    remedy: str


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

    def __enter__(self) -> Self:
        for _ in range(self._count):
            ours, theirs = _FORK.Pipe()
            self._pipes.append(ours)
            process = _FORK.Process(target=_serve, args=(theirs, tuple(self._pipes), self._work), daemon=True)
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
            is_stopped: Whether to stop: what is begun is finished, nothing else is begun.

        Raises:
            GreenlightError: One failed, or a worker has ended by itself.
        """
        size = max(1, min(_MOST, len(given) // (self._count * _PIECES)))
        pieces = [given[first : first + size] for first in range(0, len(given), size)]
        each = -(-len(pieces) // self._count)
        parts = {pipe: deque(pieces[n * each : (n + 1) * each]) for n, pipe in enumerate(self._pipes)}
        open_ = dict.fromkeys(self._pipes, 0)
        for pipe in self._pipes * _AHEAD:
            self._give(pipe, parts, open_)
        while busy := [pipe for pipe, count in open_.items() if count]:
            for ready in wait(busy, _LOOK_UP):
                pipe = next(each for each in busy if each is ready)
                found = self._received(pipe)
                open_[pipe] -= 1
                if not is_stopped():
                    self._give(pipe, parts, open_)
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

    def _received(self, pipe: Connection) -> list[Found]:
        try:
            told: list[Found] | _Failure = pipe.recv()
        except (EOFError, ConnectionResetError):
            ended = self._processes[self._pipes.index(pipe)]
            ended.join()
            message = f"A worker process has ended by itself (exit code {ended.exitcode})."
            raise GreenlightError(message, "Memory may have been short: use fewer, --workers 1.") from None
        if isinstance(told, _Failure):
            raise GreenlightError(told.message, told.remedy)
        return told


def _serve(pipe: Connection, others: Sequence[Connection], work: Callable[[Given], Found]) -> None:
    """A worker: it ends when nobody is there any more to ask it; Ctrl-C is for the one who asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what is shared is not looked through for rubbish: that would write to it
    gc.set_threshold(_RUBBISH)
    for each in others:
        each.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pipe.send(_worked(pipe.recv(), work))


def _worked(piece: Sequence[Given], work: Callable[[Given], Found]) -> list[Found] | _Failure:
    try:
        return [work(each) for each in piece]
    except GreenlightError as error:
        return _Failure(message=error.message, remedy=error.remedy)
