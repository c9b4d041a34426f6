"""One venue of two, as a seed has it: what trades there, what it takes, and a line that may be dead for hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

from engine.simulation.fills import FillModel
from tests.chaos.faults import VENUE, Faults
from tests.chaos.venue import Line
from tests.fakes.feed import Row


class Away(Faults):
    """The faults of a line whose venue is away altogether for some time."""

    def __init__(self, seed: int, now: Callable[[], float], *, length: float) -> None:
        super().__init__(seed, {"venue": VENUE}, now, length=length)
        chance = Random(f"{seed}/away")
        self._clock = now
        self._begins = chance.uniform(0, length) if chance.random() < 0.6 else length
        self._ends = self._begins + chance.uniform(120, 480)

    @property
    def is_away(self) -> bool:
        return not self.over and self._begins <= self._clock() < self._ends

    def draw(self, place: str, at_least: float = 0.0) -> str:
        if place == "venue" and self.is_away:
            self.counts["venue: away"] += 1
            return "deaf"
        return super().draw(place, at_least)


@dataclass(kw_only=True)
class Site:
    """One venue as a seed has it."""

    name: str
    symbols: tuple[str, ...]
    rows: Mapping[str, list[Row]]
    model: FillModel
    balances: Mapping[str, Decimal]
    file: Path
    faults: Away
    line: Line = field(init=False)
