"""What a person who answered an approval is told, in one or two sentences. Pure."""

from __future__ import annotations

from typing import assert_never

from engine.domain.approvals import Approval, Claimed, Declined, Expired, Ordered, Pending, Refused, Reply
from engine.domain.halt_views import HaltView
from engine.domain.messages import Card
from handlers.cards import phrases, wording


def reply(kind: Reply, asked: Approval, halt: HaltView | None = None) -> str:
    """Put the answer to a press, or to ``/approve`` and ``/reject``, into words.

    Args:
        kind: What the answer came to.
        asked: The approval as it is after it.
        halt: What halts the entry, where that is the answer.
    """
    match kind:
        case Reply.TAKEN:
            return _taken(asked)
        case Reply.COUNTED:
            return f"Your approval counts: {_still_missing(asked)}"
        case Reply.REPEATED:
            return f"You have approved it already: {_still_missing(asked)}"
        case Reply.DECLINED:
            return f"You declined {asked.id}. Nothing is traded."
        case Reply.HALTED:
            return _halted(asked, halt)
        case Reply.TOO_LATE:
            return f"Too late: {asked.id} {_settled_by(asked)}."
        case _:
            assert_never(kind)


def _halted(asked: Approval, halt: HaltView | None) -> str:
    why = f": {phrases.halted(halt)}" if halt else ""
    return f"No new entries{why}. Nothing was done; {asked.id} stays open until {wording.moment(asked.expires_at)}."


def _taken(asked: Approval) -> str:
    match asked.state:
        case Ordered(order_id=order_id, price=price, votes=votes):
            half = "half of " if any(vote.half for vote in votes) else ""
            return f"You approved {half}{asked.id}: order {order_id} at {wording.price(price)}."
        case Refused(reasons=reasons):
            return f"You approved {asked.id}, but it was refused when it was judged again: {'; '.join(reasons)}."
        case Pending():
            until = wording.moment(asked.expires_at)
            return f"{asked.id} could not be checked: fresh prices are missing. It stays open until {until}."
        case Claimed():
            return f"You approved {asked.id}. It is being checked on fresh prices."
        case Declined() | Expired():  # settled meanwhile by somebody else
            return f"Too late: {asked.id} {_settled_by(asked)}."
        case _:
            assert_never(asked.state)


def _still_missing(asked: Approval) -> str:
    votes = asked.state.votes if isinstance(asked.state, Pending) else ()
    until = wording.moment(asked.expires_at)
    return f"{asked.id} has {len(votes)} of {asked.votes_needed}. Another person must approve it before {until}."


def _settled_by(asked: Approval) -> str:
    """Who was first, or when time was up."""
    match asked.state:
        case Ordered(votes=votes) | Claimed(votes=votes):
            return f"was {phrases.consent(votes)} at {wording.moment(votes[-1].at)}"
        case Refused(votes=votes, reasons=reasons):
            return f"was {phrases.consent(votes)}, and refused when it was judged again: {'; '.join(reasons)}"
        case Declined(by=by, at=at):
            return f"was declined by {by} at {wording.moment(at)}"
        case Expired(at=at):
            return f"expired at {wording.moment(at)}"
        case Pending():
            return "is open again: please answer once more"
        case _:
            assert_never(asked.state)


def answered(kind: Reply, asked: Approval, halt: HaltView | None = None) -> Card:
    """What the person who answered an approval is told."""
    return Card(title=reply(kind, asked, halt))
