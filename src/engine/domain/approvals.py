"""The life of an approval as a pure state machine.

    Pending ──approve, enough votes──▶ Claimed ──judged again──▶ Ordered | Refused
       │  ▲                               │
       │  └─── missing data, or halted ───┘
       ├──reject──▶ Declined
       └──time is up──▶ Expired

Whoever stores the result must do so by compare-and-swap on ``Approval.version``: of two presses that saw the same
version exactly one is stored, the other is stepped again on what it then finds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from engine.domain.plans import TradePlan

CLAIM_LASTS = timedelta(seconds=30)
"""How long a claim may take to be judged before anybody may judge it again."""


class Verb(StrEnum):
    """What a person can say to an approval; also the words on its buttons."""

    APPROVE = "approve"
    HALF = "half"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's consent, on whichever platform it was given."""

    person: str
    half: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Open: waiting for people."""

    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Enough people agreed; being judged again on fresh data."""

    votes: tuple[Vote, ...]
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """It became exactly one order."""

    votes: tuple[Vote, ...]
    order_id: str
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """A person said no."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """People agreed, but on fresh data the rules did not. ``price`` is the price then, where it was known."""

    votes: tuple[Vote, ...]
    reasons: tuple[str, ...]
    price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Nobody answered in time; nothing trades."""

    at: datetime


State = Pending | Claimed | Ordered | Declined | Refused | Expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One plan that people are asked to approve."""

    id: str
    decision_id: str
    plan: TradePlan
    asked_at: datetime
    expires_at: datetime
    votes_needed: int
    state: State
    version: int = 0

    @property
    def status(self) -> str:
        """The state's name in lower case: pending, claimed, ordered, declined, refused or expired."""
        return type(self.state).__name__.lower()

    @property
    def is_open(self) -> bool:
        """Whether it still waits for people or for its judgement."""
        return isinstance(self.state, Pending | Claimed)


LONGEST_REASON = 500
"""Characters of what somebody says to an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A known person with the right role answered.

    Attributes:
        reason: Why, in their words: what cannot be printed is a blank, and of a long one there is the beginning.
    """

    person: str
    verb: Verb
    reason: str = ""

    def __post_init__(self) -> None:
        printable = "".join(each if each.isprintable() else " " for each in self.reason[:LONGEST_REASON])
        object.__setattr__(self, "reason", " ".join(printable.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The program came back and found this approval as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOrder:
    """Judged again, and allowed: the order with this id has been written down."""

    order_id: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledRefusal:
    """Judged again, and refused."""

    reasons: tuple[str, ...]
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """Not now: data was missing, or entries are halted."""

    reason: str


Happening = Press | Tick | Restarted | RuledOrder | RuledRefusal | GivenBack


class Reply(StrEnum):
    """What the person who pressed is told."""

    TAKEN = "taken"
    """Their press won; the order is being judged."""
    COUNTED = "counted"
    """Their vote counts; another person is needed."""
    REPEATED = "repeated"
    """They had voted already, and another person is needed."""
    DECLINED = "declined"
    """Their no won."""
    HALTED = "halted"
    """Entries are halted: nothing was done, and the approval is as open as before."""
    TOO_LATE = "too late"
    """Somebody else was first, or time was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Fetch fresh data and judge the plan again, ``half`` of it where anybody asked for half."""

    half: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Answer the person who pressed."""

    reply: Reply


Effect = Judge | Tell


def step(approval: Approval, happening: Happening, now: datetime) -> tuple[Approval, tuple[Effect, ...]]:
    """What an approval becomes when something happens to it, and what must be done about it.

    Happenings that do not concern its state leave it as it is. The version is raised with every change.
    """
    match approval.state:
        case Pending() as state:
            state_after, effects = _step_pending(approval, state, happening, now)
        case Claimed() as state:
            state_after, effects = _step_claimed(approval, state, happening, now)
        case Ordered() | Declined() | Refused() | Expired() as state:
            state_after, effects = state, _too_late(happening)
        case _:
            assert_never(approval.state)
    if state_after is approval.state:
        return approval, effects
    return replace(approval, state=state_after, version=approval.version + 1), effects


def _step_pending(
    approval: Approval, state: Pending, happening: Happening, now: datetime
) -> tuple[State, tuple[Effect, ...]]:
    if now >= approval.expires_at:
        return Expired(at=approval.expires_at), _too_late(happening)
    match happening:
        case Press(person=person, verb=Verb.REJECT, reason=reason):
            return Declined(by=person, reason=reason, at=now), (Tell(reply=Reply.DECLINED),)
        case Press(person=person) if any(vote.person == person for vote in state.votes):
            return state, (Tell(reply=Reply.REPEATED),)
        case Press(person=person, verb=verb):
            votes = (*state.votes, Vote(person=person, half=verb is Verb.HALF, at=now))
            if len(votes) < approval.votes_needed:
                return Pending(votes=votes), (Tell(reply=Reply.COUNTED),)
            return Claimed(votes=votes, until=now + CLAIM_LASTS), (Tell(reply=Reply.TAKEN), _judge(votes))
        case _:
            return state, ()


def _step_claimed(
    approval: Approval, state: Claimed, happening: Happening, now: datetime
) -> tuple[State, tuple[Effect, ...]]:
    match happening:
        case RuledOrder(order_id=order_id, price=price):
            return Ordered(votes=state.votes, order_id=order_id, price=price, at=now), ()
        case RuledRefusal(reasons=reasons, price=price):
            return Refused(votes=state.votes, reasons=reasons, price=price, at=now), ()
        case GivenBack() if now < approval.expires_at:
            return Pending(votes=state.votes[:-1]), ()
        case GivenBack(reason=reason):
            return Refused(votes=state.votes, reasons=(reason,), price=None, at=now), ()
        case Restarted() if now < approval.expires_at:
            return replace(state, until=now + CLAIM_LASTS), (_judge(state.votes),)
        case Tick() if now >= state.until and now < approval.expires_at:
            return replace(state, until=now + CLAIM_LASTS), (_judge(state.votes),)
        case Restarted() | Tick() if now >= approval.expires_at and now >= state.until:
            reason = "it was approved, but time was up before it could be judged again"
            return Refused(votes=state.votes, reasons=(reason,), price=None, at=now), ()
        case Restarted():
            reason = "it was approved, but the bot stopped before it was judged, and time was up when it came back"
            return Refused(votes=state.votes, reasons=(reason,), price=None, at=now), ()
        case Press() | Tick():
            return state, _too_late(happening)
        case _:
            assert_never(happening)


def _judge(votes: tuple[Vote, ...]) -> Judge:
    return Judge(half=any(vote.half for vote in votes))


def _too_late(happening: Happening) -> tuple[Effect, ...]:
    return (Tell(reply=Reply.TOO_LATE),) if isinstance(happening, Press) else ()
