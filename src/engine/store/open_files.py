"""The files that a running program has open: whether they still are where they were opened.

A file that was deleted or moved away can be written to for ever, and nobody finds it again: the next start makes a new
account in its place, beside the one that still trades.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.domain.errors import StoreError
from engine.support.private_files import with_sides


class FileReplaced(StoreError):
    """Another file lies where one of ours was: another program may be at work there, and ours cannot come back."""


class OpenFiles:
    """The files as they are now, to be compared with later.

    Args:
        databases: Files of SQLite's that are open; with them what SQLite keeps beside them.
        others: Further files that must stay where they are, such as locks.
    """

    def __init__(self, databases: Iterable[Path], others: Iterable[Path] = ()) -> None:
        opened = [each for database in databases for each in (database.absolute(), *with_sides(database))]
        files = dict.fromkeys([*opened, *(file.absolute() for file in others)])
        self._known = {file: identity for file in files if (identity := _identity(file)) is not None}

    def check(self) -> None:
        """See that every one of them is still there, and still the same.

        Raises:
            FileReplaced: There is another file in the place of one.
            StoreError: One is gone, or cannot be looked at; it may come back.
        """
        found = {file: _identity(file) for file in self._known}
        for file, identity in found.items():
            if identity not in (None, self._known[file]):
                raise FileReplaced(
                    f"Another file is in the place of {file}: another bot may be running there.",
                    "See which of them is the right one, and start the bot again.",
                )
        for file, identity in found.items():
            if identity is None:
                raise StoreError(
                    f"{file} is not where it was any more: what is written now would be lost.",
                    "Put it back as it was, without a copy between; or stop the bot, and start it where its files are.",
                )


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file it is, by its device and its number there; while a program has it open no other gets that number."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
