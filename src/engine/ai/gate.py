"""Whether a panel is worth asking: not again where nothing has changed, nor where it costs more than it may. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.domain.briefs import Brief, BriefField
from engine.domain.decisions import Opinion, Verdict, spoken

_CONDITION = "strategy.condition_"
"""Fields whose remark repeats figures that other fields tell."""
_UNTESTED = ("strategy.trigger",)
"""Fields that say that there is a proposal, and nothing about the market."""


class LastWord(StrEnum):
    """When a supervisor is asked, where nobody is against a trade."""

    ALWAYS = "always"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelAnswer:
    """What a panel said of a context's last proposal of a market, and what it was told then.

    Attributes:
        told: The brief's fields by their names: each figure, or a text.
    """

    context: str
    symbol: str
    at: datetime
    told: Mapping[str, Decimal | str]
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When a panel is not asked.

    Attributes:
        min_change: By how much of itself a figure of the brief must have moved since it was last asked; a text must be
            another one. With 0 it is always asked.
        max_cost_share: The most that asking may usually cost, as a share of the money at risk; ``None`` for no limit.
        last_word: When a supervisor is asked: always, or where not all of the others have spoken.
    """

    min_change: Decimal
    max_cost_share: Decimal | None = None
    last_word: LastWord = LastWord.ALWAYS

    def is_the_same(self, brief: Brief, last: PanelAnswer | None) -> bool:
        """Whether nothing that is told has changed since the panel last spoke of this."""
        if last is None or not self.min_change:
            return False
        now = told_in(brief)
        return now.keys() == last.told.keys() and not any(
            self._moved(now[name], last.told[name]) for name in now if name not in _UNTESTED
        )

    def is_too_dear(self, cost: Decimal, at_risk: Decimal | None) -> bool:
        """Whether asking costs more than it may, in US dollars, beside what the trade may lose in its currency."""
        return self.max_cost_share is not None and at_risk is not None and cost > at_risk * self.max_cost_share

    def spares_the_last_word(self, heard: Sequence[Opinion]) -> str:
        """Why the supervisor is not asked after the others; empty where it is.

        Nobody outvotes a veto, so whatever it said after one would change nothing. Where all approve it could still be
        against it: it is spared then by ``last_word`` alone, and the strictest of them holds.
        """
        against = [spoken(opinion.agent) for opinion in heard if opinion.verdict is Verdict.VETO]
        if against:
            return f"it was not asked: nobody outvotes the veto of {' and '.join(against)}"
        if self.last_word is LastWord.IN_DOUBT and heard and all(each.verdict is Verdict.APPROVE for each in heard):
            return "it was not asked: all others approve, and the strictest of them holds"
        return ""

    def _moved(self, now: Decimal | str, before: Decimal | str) -> bool:
        if isinstance(now, Decimal) and isinstance(before, Decimal):
            return abs(now - before) > self.min_change * max(abs(now), abs(before))
        return now != before


def told_in(brief: Brief) -> dict[str, Decimal | str]:
    """What a brief tells, by the names of its fields."""
    return {field.name: _text(field) if field.figure is None else field.figure for field in brief.fields}


def _text(field: BriefField) -> str:
    return field.text.partition(" (")[0] if field.name.startswith(_CONDITION) else field.text
