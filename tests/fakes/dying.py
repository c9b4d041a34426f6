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


_STRATEGY = '''"""Averages that cross, and a process of a cluster that ends the first time it is asked about them."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.strategies.sma_cross import SmaCross

MARK = Path("{mark}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dying(SmaCross):
    name: ClassVar[str] = "dying"

    def triggers(self, sight):
        if "default_worker" in sys.argv[0] and not MARK.exists():
            MARK.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return SmaCross.triggers(self, sight)
'''


def dying_strategy(file: Path) -> Path:
    """Write a strategy of somebody's own whose first process of a cluster dies; the file that tells that it has."""
    mark = file.with_suffix(".died").resolve()
    file.write_text(_STRATEGY.format(mark=mark))
    return mark
