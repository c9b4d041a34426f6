"""Work whose process dies once, as one of a machine that goes does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.domain.errors import BadInput


@dataclass(frozen=True)
class DiesOnce:
    """Doubles numbers; the process that is given a certain one ends by itself, the first time.

    Attributes:
        mark: A file with the number of that process, there once that has happened.
    """

    mark: Path
    deadly: int

    def __call__(self, number: int) -> tuple[int, int]:
        if number < 0:
            raise BadInput(f"{number} is below 0.", "Give another one.")
        if number == self.deadly and not self.mark.exists():
            self.mark.write_text(str(os.getpid()))
            os._exit(1)
        return 2 * number, os.getpid()
