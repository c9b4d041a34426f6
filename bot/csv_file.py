"""Rows as CSV (RFC 4180): numbers exact, times in UTC, and texts that a spreadsheet takes for no formula."""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from engine.domain.errors import GreenlightError
from engine.support import private_files

Cell = str | Decimal | datetime | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take the wide ones too
"""How a text begins that a spreadsheet would reckon out, or run."""


def write(out: TextIO, head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> int:
    """Write a header and rows; how many rows there were."""
    writer = csv.writer(out)
    writer.writerow(head)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - how many there were
        writer.writerow([text(cell) for cell in row])
    return count


def text(cell: Cell) -> str:
    """A cell as it is written: plain digits, ISO 8601 in UTC; a text that would be a formula gets an apostrophe."""
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell:f}"
        case datetime():
            return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[TextIO]:
    """A file to write to, for this user alone; it is there once all of it is written, and not at all where that fails.

    Args:
        file: Where it is to be.
        force: Whether it may take the place of one that is there.

    Raises:
        GreenlightError: There is one already, or it cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        _refuse(file, force=force)
        with open(part, "x", encoding="utf-8", newline="", opener=private_files.opener) as out:
            yield out
        _refuse(file, force=force)
        part.replace(file)
    except OSError as error:
        raise GreenlightError(f"{file} cannot be written: {error.strerror}.", "Name another file.") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _refuse(file: Path, *, force: bool) -> None:
    """See that nothing is lost: a file only if that was asked for, what is no file (a device, a folder) never."""
    if not os.path.lexists(file):
        return
    if not force:
        raise GreenlightError(f"{file} is there already.", "Name another file, or say --force to replace it.")
    if not stat.S_ISREG(file.lstat().st_mode):
        raise GreenlightError(f"{file} is no plain file.", "Name another one; without --csv it goes to the terminal.")
