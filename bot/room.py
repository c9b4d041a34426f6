"""Whether a file can be written where it is to be, told before there is anything to write."""

from __future__ import annotations

import os
from pathlib import Path


def no_room_for(file: Path) -> tuple[str, str] | None:
    """What is wrong with the place of a file, and what to do about it; a start tells what cannot be seen.

    Nothing is made for it: folders that are missing are made when the file is written. Whether this user may write
    there is not asked: another one may be meant.
    """
    try:
        there = _nearest(file)
        if there == file and file.is_dir():
            return f"{file} is a folder, not a file.", "Name a file in it."
        if there != file and not there.is_dir():
            return f"{file} would lie below {there}, which is a file and no folder.", "Name another place."
    except OSError:
        pass
    return None


def unwritable(file: Path) -> tuple[str, str] | None:
    """The same, and whether this user may write there."""
    if wrong := no_room_for(file):
        return wrong
    try:
        there = _nearest(file)
    except OSError:
        return None
    if os.access(there, os.W_OK):
        return None
    return f"{there} cannot be written to.", "Let this user write there, or name another place."


def _nearest(file: Path) -> Path:
    """What is there of a file and the folders that it is in, the innermost of them."""
    return next(each for each in (file, *file.absolute().parents) if each.exists())
