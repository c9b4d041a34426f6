"""One instance per account: locks of the operating system beside the files that an instance writes.

The system lets go of a lock when its process ends, however it ends: one that was killed never keeps the next from
starting. What stands in a lock file only says who holds it; the file itself stays, because unlinking it would race.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bot.venues import venue_files
from config.settings import Settings
from engine.domain.errors import GreenlightError, StoreError
from engine.store.location import file_of
from engine.support import private_files


def account_files(settings: Settings) -> tuple[Path, ...]:
    """The files that only one instance may write: those of the venues, and the database's where it is a file."""
    database = file_of(settings.database.url)
    return (*venue_files(settings).values(), *([database] if database else []))


@contextmanager
def only_instance(settings: Settings) -> Iterator[None]:
    """Be the only one on this account while in it.

    Raises:
        StoreError: Another one is (it is named), or a lock file cannot be written.
    """
    with ExitStack() as held:
        for file in account_files(settings):
            held.enter_context(locked(file, partial(_in_use, file)))
        yield


def holder(file: Path) -> str:
    """Who has the lock of a file, e.g. ``pid 17 on lark``; empty where nobody has."""
    try:
        handle = os.open(lock_file(file), os.O_RDWR)
    except OSError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _who(handle)
    else:
        return ""
    finally:
        os.close(handle)


def _in_use(file: Path, who: str) -> StoreError:
    return StoreError(
        f"{file} is in use: another bot ({who}) is running on this account.",
        "Stop that one first, or set BOT_DATABASE__URL to start on another account.",
    )


@contextmanager
def locked(file: Path, in_use: Callable[[str], GreenlightError]) -> Iterator[None]:
    """Have a file's lock while in it.

    Args:
        file: The file, or folder, beside which the lock is.
        in_use: What is raised where somebody else has it, of who that is.

    Raises:
        GreenlightError: Somebody else has it.
        StoreError: The lock file cannot be written.
    """
    handle = _opened(lock_file(file))
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise in_use(_who(handle)) from None
        _sign(handle)
        yield
    finally:
        os.close(handle)


def lock_file(file: Path) -> Path:
    """Where the lock of a file is: beside the file itself, wherever a link to it may lie: one file, one lock."""
    real = file.resolve()
    return real.with_name(f"{real.name}.lock")


def _opened(lock: Path) -> int:
    try:
        private_files.make_folder(lock.parent)
        return os.open(lock, os.O_RDWR | os.O_CREAT, private_files.FILE_MODE)
    except OSError as error:
        raise StoreError(f"{lock} cannot be written: {error.strerror}.", "Set BOT_DATABASE__URL.") from None


def _sign(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)


def _who(handle: int) -> str:
    """As the holder has signed; it may have had no time to."""
    try:
        signed = json.loads(os.pread(handle, 1000, 0))
        return f"pid {signed['pid']} on {signed['host']}"
    except (ValueError, KeyError, TypeError):
        return "which has not said its pid"
