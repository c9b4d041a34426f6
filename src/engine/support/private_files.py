"""Files that nobody but this user may read or write, whatever the umask says: keys and accounts are in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FILE_MODE = 0o600
FOLDER_MODE = 0o700
OTHERS = 0o077
"""What a group and everybody else might do."""
_SIDES = ("-wal", "-shm", "-journal")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing; one that is there is left as it is: it may be shared.

    Raises:
        OSError: It cannot be made.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)


def make_file(file: Path) -> None:
    """Make an empty file, and its folder, where there is none.

    One that is there is never opened: closing it again would let go of the locks that SQLite has on it in this process.

    Raises:
        OSError: It cannot be made.
    """
    real = file.resolve()
    make_folder(real.parent)
    with suppress(FileExistsError):
        os.close(os.open(real, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))


def opener(path: str, flags: int) -> int:
    """Opens a file for ``open``: a new one is private."""
    return os.open(path, flags, FILE_MODE)


def write_whole(file: Path, write: Callable[[BinaryIO], None]) -> None:
    """Put what is written in the place of a file, on the disk and whole or not at all; its folder is made.

    Raises:
        OSError: It cannot be written; what was there is there.
    """
    part = file.with_name(f".{file.name}.part")
    make_folder(file.parent)
    part.unlink(missing_ok=True)
    with open(part, "wb", opener=opener) as whole:
        write(whole)
        whole.flush()
        os.fsync(whole.fileno())
    part.replace(file)


def with_sides(file: Path) -> tuple[Path, ...]:
    """A file of SQLite's, and those that SQLite keeps beside it: with the mode that the file has as it makes them."""
    real = file.resolve()
    return (real, *(real.with_name(f"{real.name}{side}") for side in _SIDES))


def is_wider(path: Path) -> bool:
    """Whether others may do anything with a file; not where it is none, such as a device."""
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & OTHERS)


def is_wider_folder(path: Path) -> bool:
    """Whether others may list, enter or change a folder."""
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and bool(found.st_mode & OTHERS)


def narrow(path: Path) -> None:
    """Take a file or a folder of this user's from all others; where the system does not let us, it stays as it is."""
    with suppress(OSError):
        found = path.stat()
        kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if kind and found.st_mode & OTHERS and found.st_uid == os.geteuid():
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
