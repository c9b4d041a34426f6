"""What is said of a file that cannot be read, whoever wanted to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine.domain.errors import DataError
from engine.domain.printable import printable

if TYPE_CHECKING:
    from pathlib import Path


def unreadable(path: Path, error: Exception) -> DataError:
    """The refusal of a file, from what was raised when it was read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"There is no file {path}.", "Check how it is written, and the folder.")
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error).partition("\n")[0]
    return DataError(f"{path}: it cannot be read ({printable(reason)}).", "Check that the file is whole.")
