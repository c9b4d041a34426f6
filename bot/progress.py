"""Long work at the terminal: how far it has come with an estimate, and Ctrl-C as a wish to stop in good order."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SHOWN_EVERY = 0.2
_TOLD_EVERY = 10.0
"""Seconds between two lines where nobody watches a terminal."""
INTERRUPTED = 130
"""The exit code of what was stopped by Ctrl-C."""


class Progress:
    """A line that is written anew, on the error stream.

    Args:
        total: How much there is to do.
        clock: Seconds that pass.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._watched = sys.stderr.isatty()
        self._begun = self._shown = clock()
        self._done = self._before = 0

    def done(self, count: int, said: str = "", *, before: bool = False) -> None:
        """So much more is done, or was done before; what else there is to say of it."""
        self._done += count
        self._before += count if before else 0
        now = self._clock()
        if now - self._shown >= (_SHOWN_EVERY if self._watched else _TOLD_EVERY):
            self._shown = now
            self._write(f"{self.told(now)}{said}")

    def told(self, now: float) -> str:
        """How far it has come: ``1,240 of 5,000 (25 %), 2,310 a second, 2 s left``."""
        text = f"{self._done:,} of {self._total:,} ({self._done / max(self._total, 1):.0%})"
        rate = (self._done - self._before) / max(now - self._begun, 1e-9)
        if rate > 0:
            text += f", {rate:,.0f} a second, {_length((self._total - self._done) / rate)} left"
        return text

    def close(self) -> None:
        """Take the line away."""
        if self._watched:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}" if self._watched else f"{text}\n")
        sys.stderr.flush()


@contextmanager
def stopped_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether somebody has pressed Ctrl-C; a second time ends everything at once.

    Where it is ignored, as in the background of a shell, it goes on being ignored.
    """
    pressed = False

    def press(_: int, __: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _length(seconds: float) -> str:
    """A time to wait, roughly."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
