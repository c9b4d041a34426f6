"""One instance per account: locks of the operating system beside the files that an instance writes.

The system lets go of a lock when its process ends, however it ends: one that was killed never keeps the next from
starting. What stands in a lock file only says who holds it; the file itself stays, because unlinking it would race.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from config.settings import Settings
from engine.domain.errors import StoreError


def account_files(settings: Settings) -> tuple[Path, ...]:
    """The files that only one instance may write: the venue's, and the database's where it is a file."""
    url = make_url(settings.database.url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return (settings.venue_file, *([Path(url.database or "")] if is_file else []))


@contextmanager
def only_instance(settings: Settings) -> Iterator[None]:
    """Be the only one on this account while in it.

    Raises:
        StoreError: Another one is (it is named), or a lock file cannot be written.
    """
    with ExitStack() as held:
        for file in account_files(settings):
            held.enter_context(_locked(file))
        yield


def holder(file: Path) -> str:
    """Who has the lock of a file, e.g. ``pid 17 on lark``; empty where nobody has."""
    try:
        handle = os.open(_lock_file(file), os.O_RDWR)
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


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    handle = _opened(_lock_file(file))
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"{file} is in use: another bot ({_who(handle)}) is running on this account.",
                "Stop that one first, or set BOT_DATABASE__URL to start on another account.",
            ) from None
        _sign(handle)
        yield
    finally:
        os.close(handle)


def _lock_file(file: Path) -> Path:
    """Beside the file itself, wherever a link to it may lie: one file, one lock."""
    real = file.resolve()
    return real.with_name(f"{real.name}.lock")


def _opened(lock: Path) -> int:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
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
