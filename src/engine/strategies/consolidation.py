"""What becomes of contexts that want opposite things of one coin at one close. Pure.

A context that leaves its position wants out, one that holds none and has a signal wants in. Where both are there, one
side is heard and the other gives way, so that nothing is bought that is being sold:

    own          nobody gives way: each trades for itself
    prioritised  heard is whoever has the highest priority; of equal ones who wants out
    weighted     heard is the side whose weights times confidences are more; of equal ones who wants out
    netted       one in and one out are nothing: who wants out is heard

Who wants out waits only for an entry that is ordered at that very close, with its stop standing; any other entry may
still come to nothing. So an entry that others have to think about first always gives way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum

from engine.domain.decisions import Stance


class Consolidation(StrEnum):
    """How contexts on one coin are consolidated."""

    OWN = "own"
    PRIORITISED = "prioritised"
    WEIGHTED = "weighted"
    NETTED = "netted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What one context wants of a coin.

    Attributes:
        context: Its name.
        stance: ``ENTER`` or ``EXIT``.
        confidence: Of an entry, in [0, 1]; an exit has all of it.
        weight: Above 0.
        at_once: Whether an entry is decided on at the close, nobody being asked.
    """

    context: str
    stance: Stance
    confidence: float = 1.0
    weight: float = 1.0
    priority: int = 0
    at_once: bool = True

    @property
    def vote(self) -> float:
        """Its weight times its confidence."""
        return self.weight * self.confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Who gives way, by name, each with the reason.

    Attributes:
        held_back: Entries that are not made.
        waiting: Exits that wait where one of ``heard`` has bought.
        heard: Contexts whose entries are made before anybody leaves.
    """

    held_back: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    heard: frozenset[str] = frozenset()


UNOPPOSED = Settlement()


def settle(mode: Consolidation, coin: str, voices: Sequence[Voice]) -> Settlement:
    """Who is heard on a coin and who gives way; nobody does where nobody wants the opposite of another.

    Args:
        mode: How.
        coin: Its name, for the reasons.
        voices: One of each context that wants in or out, whichever venue it trades at.
    """
    entries = [each for each in voices if each.stance is Stance.ENTER]
    exits = [each for each in voices if each.stance is Stance.EXIT]
    if mode is Consolidation.OWN or not entries or not exits:
        return UNOPPOSED
    certain = [each for each in entries if each.at_once]
    heard = frozenset(each.context for each in _heard(mode, certain, exits))
    return Settlement(
        held_back={
            each.context: _why_not_in(mode, coin, each, certain, exits) for each in entries if each.context not in heard
        },
        waiting={each.context: _why_not_out(mode, coin, each, certain, heard) for each in exits} if heard else {},
        heard=heard,
    )


def turns(mode: Consolidation, weight: float, priority: int) -> float:
    """Where a context of some weight and priority stands in the order in which contexts are asked; lower is earlier.

    Who is asked first takes what room the limits leave for a coin.
    """
    match mode:
        case Consolidation.PRIORITISED:
            return -priority
        case Consolidation.WEIGHTED:
            return -weight
        case Consolidation.OWN | Consolidation.NETTED:
            return 0


def _heard(mode: Consolidation, entries: Sequence[Voice], exits: Sequence[Voice]) -> Sequence[Voice]:
    """The entries that are stronger than every exit."""
    match mode:
        case Consolidation.PRIORITISED:
            highest = max(each.priority for each in exits)
            return [each for each in entries if each.priority > highest]
        case Consolidation.WEIGHTED:
            return entries if _votes(entries) > _votes(exits) else ()
        case Consolidation.OWN | Consolidation.NETTED:
            return ()


def _votes(voices: Sequence[Voice]) -> float:
    return fsum(each.vote for each in voices)


def _why_not_in(mode: Consolidation, coin: str, own: Voice, entries: Sequence[Voice], exits: Sequence[Voice]) -> str:
    first = max(exits, key=lambda each: each.priority)
    why = f"{_names(exits)} {'wants' if len(exits) == 1 else 'want'} out of {coin} at this close"
    if not own.at_once:
        against = "an entry that others are asked about first gives way"
    elif mode is Consolidation.PRIORITISED:
        why = f"{first.context} wants out of {coin} at this close"
        against = f"its priority is {first.priority}, that of {own.context} {own.priority}"
    elif mode is Consolidation.WEIGHTED:
        against = f"{_votes(exits):.2f} of weight for leaving, {_votes(entries):.2f} for entering"
    else:
        against = "in and out are nothing"
    return f"{why}: {against} (consolidation: {mode})"


def _why_not_out(mode: Consolidation, coin: str, own: Voice, entries: Sequence[Voice], heard: frozenset[str]) -> str:
    winners = [each for each in entries if each.context in heard]
    if mode is Consolidation.PRIORITISED:
        priority = max(each.priority for each in winners)
        against = f"priority {priority} against {own.priority}"
    else:
        against = f"{_votes(winners):.2f} of weight for entering"
    why = f"{_names(winners)} {'buys' if len(winners) == 1 else 'buy'} {coin} at this close"
    return f"{why}: {against}; the stop stands until the next (consolidation: {mode})"


def _names(voices: Sequence[Voice]) -> str:
    return ", ".join(each.context for each in voices)
