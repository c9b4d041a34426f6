"""What a sweep has done so far, in a file: a line each, so that what was interrupted goes on from there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.backtest.combination import Combination, LeftOut
from engine.backtest.grid import Params
from engine.domain.errors import StoreError
from engine.support import private_files

Done = Combination | LeftOut
_BEGUN = "begun"


def key_of(params: Params) -> str:
    """The same for the same values, whatever their order."""
    return json.dumps(params, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSweep:
    """A file of what is done; it is this user's alone.

    Attributes:
        file: Named after what is swept, so that nothing else goes on from it.
    """

    file: Path

    def begun(self, now: datetime) -> datetime:
        """When it was begun: now, where nothing is kept.

        Raises:
            StoreError: The file cannot be read or written.
        """
        for line in self._lines():
            with suppress(ValueError, KeyError, TypeError):
                return datetime.fromisoformat(json.loads(line)[_BEGUN])
        self._append(json.dumps({_BEGUN: now.isoformat()}) + "\n")
        return now

    def done(self) -> dict[str, Done]:
        """What is done, by ``key_of``; a line that was cut off is not.

        Raises:
            StoreError: The file cannot be read.
        """
        found = (_read(line) for line in self._lines())
        return {key_of(each.params): each for each in found if each is not None}

    def add(self, done: Iterable[Done]) -> None:
        """Write down what was done.

        Raises:
            StoreError: The file cannot be written.
        """
        self._append("".join(f"{_written(each)}\n" for each in done))

    def forget(self) -> None:
        """Begin anew.

        Raises:
            StoreError: The file cannot be removed.
        """
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from None

    def _lines(self) -> list[bytes]:
        try:
            return self.file.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error) from None

    def _append(self, told: str) -> None:
        try:
            private_files.make_folder(self.file.parent)
            with open(self.file, "a", encoding="utf-8", opener=private_files.opener) as file:
                file.write(told)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"What the sweep has done cannot be kept in {self.file}: {error.strerror}.",
            "Set BOT_BACKTEST__TRIALS to a file in a folder of yours.",
        )


def _written(done: Done) -> str:
    told = {each.name: getattr(done, each.name) for each in fields(done)}
    if isinstance(done, Combination):
        told["returns"] = base64.b64encode(done.returns.tobytes()).decode()
    return json.dumps(told, default=str)


def _read(line: bytes) -> Done | None:
    try:
        told: dict[str, Any] = json.loads(line)
        if "why" in told:
            return LeftOut(**told)
        returns = np.frombuffer(base64.b64decode(told.pop("returns")), dtype=np.float32)
        return Combination(**told, returns=returns)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # it is done once more
