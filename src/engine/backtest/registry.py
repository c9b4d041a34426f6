"""The register of trials: a file to which every backtest adds a line, and from which nothing is taken.

A line is a JSON object. Several processes may add at once: each has the file to itself for as long. A line that a power
cut has left without its end was never added, and the next one takes its place.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from engine.backtest.trials import Trial
from engine.domain.errors import StoreError
from engine.support import private_files

_PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRegistry:
    """The trials of a file, which is made, for this user alone, when the first is added."""

    file: Path

    def add(self, trial: Trial) -> None:
        """Write a trial down, so that it is there after a power cut.

        Raises:
            StoreError: The file cannot be written.
        """
        line = json.dumps(asdict(trial), default=_plain, ensure_ascii=False).encode() + b"\n"
        with self._opened() as handle:
            os.ftruncate(handle, _end_of_lines(handle))
            _write(handle, line)
            os.fsync(handle)

    def trials(self) -> tuple[Trial, ...]:
        """All of them, oldest first.

        Raises:
            StoreError: The file cannot be read, or a line is no trial.
        """
        try:
            lines = self.file.read_bytes().split(b"\n")[:-1]  # what follows the last end of a line was never added
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unusable(error) from None
        return tuple(self._trial(number, line) for number, line in enumerate(lines, start=1) if line.strip())

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The file to add to, while nobody else does."""
        try:
            private_files.make_folder(self.file.resolve().parent)
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, private_files.FILE_MODE)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        except OSError as error:
            raise self._unusable(error) from None
        finally:
            os.close(handle)

    def _trial(self, number: int, line: bytes) -> Trial:
        try:
            told = json.loads(line)
            told["symbols"] = tuple(told["symbols"])
            told.update({name: datetime.fromisoformat(told[name]) for name in ("at", "begins", "ends")})
            return Trial(**told)
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"{self.file}, line {number} is no trial."
            raise StoreError(message, "Mend it, or take the line out: then it is not counted any more.") from None

    def _unusable(self, error: OSError) -> StoreError:
        message = f"The register of trials {self.file} cannot be used: {error.strerror}."
        return StoreError(message, "Set BOT_BACKTEST__TRIALS to a file of yours.")


def _end_of_lines(handle: int) -> int:
    """Where the last line ends that has an end."""
    begin = os.fstat(handle).st_size
    while begin > 0:
        piece, end = max(0, begin - _PIECE), begin
        found = os.pread(handle, end - piece, piece).rfind(b"\n")
        if found >= 0:
            return piece + found + 1
        begin = piece
    return 0


def _write(handle: int, told: bytes) -> None:
    while told:
        told = told[os.write(handle, told) :]


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
