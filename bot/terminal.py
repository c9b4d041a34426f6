"""How the program gets on with the terminal, pipe or file it was started at: it may be full, closed, or of few letters.

Nothing here is slow to import: it is at work before anything else is loaded.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

UNWRITABLE = 1
"""The exit code where what was asked for could not be written out."""
_STDOUT, _STDERR = 1, 2
_OF_WRITING = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EPIPE, errno.EIO, errno.EBADF)
"""What writing to a disk, pipe or terminal ends in."""


@contextmanager
def prepared() -> Iterator[None]:
    """Open what was closed, write as much as can be written, take a hang-up for SIGTERM, and end without a word."""
    _open_what_was_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that is not to be had there is no reason to stop
    _take_hang_up_for_sigterm()
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_WRITING:
            raise
        _say_that_it_cannot_be_written(error)
        raise SystemExit(UNWRITABLE) from None
    finally:
        _drop_what_cannot_be_written()
        _end_at_once_when_interrupted()


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C end the program without a word where nothing has begun that would have to be tidied up."""
    before = signal.getsignal(signal.SIGINT)
    _end_at_once_when_interrupted()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def announce(text: str) -> None:
    """Tell the person at the terminal; that nobody can be told there must not keep the program from its work."""
    try:
        print(text, flush=True)  # noqa: T201 - it is for the person at the terminal
    except OSError:
        _drop_what_cannot_be_written()


def _open_what_was_closed() -> None:
    """Else the files that are opened next would have the numbers of these, and get what is complained of there."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(handle, True)  # noqa: FBT003 - its only form
    os.close(handle)
    sys.stdout = sys.stdout or _opened(_STDOUT)
    sys.stderr = sys.stderr or _opened(_STDERR)


def _opened(handle: int) -> io.TextIOWrapper:
    return open(handle, "w", encoding="utf-8", closefd=False)


def _take_hang_up_for_sigterm() -> None:
    """Whoever asked for hang-ups to be ignored (nohup) goes on being obeyed."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def _end_at_once_when_interrupted() -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _say_that_it_cannot_be_written(error: OSError) -> None:
    with suppress(OSError):
        print(f"What was to be shown cannot be written: {error.strerror}.", file=sys.stderr, flush=True)  # noqa: T201


def _drop_what_cannot_be_written() -> None:
    """Let what waits to be written to a full disk, or to a reader who has gone, go nowhere: Python would complain."""
    for stream, number in ((sys.stdout, _STDOUT), (sys.stderr, _STDERR)):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
            with suppress(OSError, ValueError):
                stream.flush()
