"""What a panel said of an entry: in three lines on the card of its approval, and whole for ``/agents``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from engine.domain.decision_views import Why
from engine.domain.decisions import Opinion, Verdict, spoken
from engine.domain.errors import UnknownId
from engine.domain.figures import plain
from engine.domain.market import named
from engine.domain.messages import Card, Item
from handlers.cards import wording
from handlers.cards.foreign import inert
from handlers.cards.lines import entry, listed
from handlers.cards.models import dollars

Fields = tuple[tuple[str, str], ...]

_SAID = {Verdict.APPROVE: "approves", Verdict.VETO: "is against it", Verdict.ABSTAIN: "abstains"}

_ADVOCATE = "devils_advocate"

_NOBODY = "nobody answered: the strategy's own word stands"


def card(story: Why) -> Card:
    """Everything that each member said.

    Raises:
        UnknownId: Nobody was asked.
    """
    decision, opinions = story.judged.decision, story.judged.opinions
    if not opinions:
        raise UnknownId(f"No panel was asked about {decision.id}.", f"/why {decision.id} tells its story.")
    cost = sum((opinion.cost for opinion in opinions), Decimal(0))
    return Card(
        title=f"The panel on {decision.id}: {decision.stance} {named(decision.symbol, story.at)}",
        fields=(
            ("Strategy", listed(f"{decision.strategy}, {decision.agreement}")),
            ("Confidence", f"{decision.confidence:.2f}{'' if _is_silent(opinions) else ' with the panel'}"),
            *((("Panel", _NOBODY),) if _is_silent(opinions) else ()),
            *((("Cost", dollars(cost)),) if cost else ()),
        ),
        items=tuple(map(_whole, opinions)),
        text=f"/why {decision.id} tells what became of it.",
    )


def in_short(opinions: Sequence[Opinion]) -> Fields:
    """The panel in three lines: who says what, the strongest objection, and what would change that mind."""
    if not opinions:
        return ()
    if _is_silent(opinions):
        return (("Panel", _NOBODY),)
    found = _objection(opinions)
    return (
        ("Panel", listed(f"{', '.join(map(verdict, opinions))}{_by(opinions)}")),
        *((("Objection", inert(found.reasons[0])),) if found and found.reasons else ()),
        *((("Would change it", inert(found.flip)),) if found and found.flip else ()),
    )


def _is_silent(opinions: Sequence[Opinion]) -> bool:
    """Whether nobody has said anything: all abstain."""
    return all(opinion.verdict is Verdict.ABSTAIN for opinion in opinions)


def verdict(opinion: Opinion) -> str:
    """What a member says, in some words: ``risk approves 50% of it``."""
    if opinion.verdict is Verdict.APPROVE and opinion.share < 1:
        return f"{spoken(opinion.agent)} approves {_part(opinion.share)} of it"
    return f"{spoken(opinion.agent)} {_SAID[opinion.verdict]}"


def _part(share: float) -> str:
    """A share as a model says it, with no more digits than it has: ``40%``, ``12.5%``."""
    return f"{plain(Decimal(repr(share)) * 100, 3)}%"


def _by(opinions: Sequence[Opinion]) -> str:
    """Who spoke for all of them, where that was one."""
    speakers = {opinion.by for opinion in opinions if opinion.by}
    return f" ({speakers.pop()})" if len(speakers) == 1 else ""


def _objection(opinions: Sequence[Opinion]) -> Opinion | None:
    """Who is most against it: a veto, else whoever would make least of it, else the devil's advocate.

    What others say who would make all of it speaks for it, and is no objection.
    """
    heard = [opinion for opinion in opinions if opinion.verdict is not Verdict.ABSTAIN and not opinion.last_word]
    vetoes = [opinion for opinion in heard if opinion.verdict is Verdict.VETO]
    if vetoes:
        return vetoes[0]
    advocates = [opinion for opinion in heard if opinion.agent == _ADVOCATE]
    less = [opinion for opinion in heard if opinion.share < 1 or opinion.stop is not None]
    return min((*advocates, *less), key=lambda opinion: opinion.share, default=None)


def _whole(opinion: Opinion) -> Item:
    wanted = opinion.stop if opinion.verdict is Verdict.APPROVE else None
    stop = f"stop not below {wording.price(wanted)}" if wanted is not None else ""
    return Item(
        title=wording.sentence(verdict(opinion)),
        text=wording.lines(
            *(listed(inert(reason)) for reason in opinion.reasons),
            f"confidence {opinion.confidence:.2f}, as measured" if opinion.confidence < 1 else "",
            stop,
            entry("cites", ", ".join(opinion.evidence)) if opinion.evidence else "",
            entry("would change it", inert(opinion.flip)) if opinion.flip else "",
            entry("by", opinion.by) if opinion.by else "",
            entry("prompt", opinion.prompt) if opinion.prompt else "",
        ),
    )
