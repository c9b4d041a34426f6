"""What goes wrong, when, and how: drawn from the seed. Calm times with a fault here and there, spells in which little
works, and outages in which nothing does; until the faults are over for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

PLATFORM = ("cut", "lost", "late", "hang", "bad gateway", "html", "flood", "slow")
"""Between the program and a chat server; ``lost`` and ``late`` requests are done all the same."""
SLACK = ("cut", "lost", "late", "hang", "unavailable", "html", "internal", "rate limited", "slow")
VENUE = ("deaf", "lost", "slow")
"""Between the program and the venue; what is ``lost`` was done."""
SALES = ("refused",)
"""What the venue does with an order to sell."""


@dataclass(frozen=True, kw_only=True)
class Spell:
    """A time in which a share of all calls to one place goes wrong."""

    place: str
    begins: float
    ends: float
    share: float


class Faults:
    """Decides for each call whether it goes wrong.

    Args:
        seed: Of the run.
        kinds: What can go wrong at each place.
        now: Simulated seconds.
        length: Simulated seconds in which spells begin.
    """

    def __init__(
        self, seed: int, kinds: Mapping[str, Sequence[str]], now: Callable[[], float], *, length: float
    ) -> None:
        self._chances = {place: Random(f"{seed}/{place}") for place in kinds}
        self._kinds = kinds
        self._now = now
        self._calm = Random(f"{seed}/calm").choice((0.0, 0.005, 0.03))
        self._spells = [spell for place in kinds for spell in _spells(Random(f"{seed}/{place}/spells"), place, length)]
        self.over = False
        self.counts: Counter[str] = Counter()

    def draw(self, place: str, at_least: float = 0.0) -> str:
        """What goes wrong with a call that is made now; empty for nothing.

        Args:
            at_least: The share of these calls that goes wrong in calm times too.
        """
        if self.over or place not in self._kinds:
            return ""
        chance = self._chances[place]
        now = self._now()
        bad = [spell.share for spell in self._spells if spell.place == place and spell.begins <= now < spell.ends]
        share = max(self._calm, at_least, *bad) if bad else max(self._calm, at_least)
        if chance.random() >= share:
            return ""
        kind = chance.choice(self._kinds[place])
        self.counts[f"{place}: {kind}"] += 1
        return kind

    def happened(self, what: str) -> None:
        """Count something else that was done to the program."""
        self.counts[what] += 1


def _spells(chance: Random, place: str, length: float) -> list[Spell]:
    return [
        Spell(
            place=place, begins=begins, ends=begins + chance.expovariate(1 / 8), share=chance.choice((0.15, 0.5, 1.0))
        )
        for begins in sorted(chance.uniform(0, length) for _ in range(chance.choice((0, 1, 1, 2, 3))))
    ]
