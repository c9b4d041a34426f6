"""The API's rows about decisions, approvals and people. The same rules hold as for those about the account."""

from __future__ import annotations

from typing import Literal, Self, assert_never

from pydantic import AwareDatetime, BaseModel

from engine.domain.approvals import Approval, Claimed, Declined, Expired, Ordered, Pending, Refused
from engine.domain.autonomy import Refuse, Ruling
from engine.domain.decision_views import ApprovalView
from engine.domain.decisions import Judged
from engine.domain.people import AuditEntry
from engine.domain.plans import TradePlan
from engine.store.decisions import status_of
from handlers.web.amounts import Derived, Exact, Share


class PlanRow(BaseModel):
    """What would be traded."""

    venue: str
    symbol: str
    side: str
    quantity: Exact
    price: Exact
    notional: Derived
    stop: Exact | None
    target: Exact | None

    @classmethod
    def of(cls, plan: TradePlan) -> Self:
        """A plan as a row."""
        return cls.model_validate(plan, from_attributes=True)


class ConditionRow(BaseModel):
    """A named condition that was looked at."""

    name: str
    holds: bool
    weight: float
    detail: str


class ClampRow(BaseModel):
    """A risk rule that changed or stopped the plan."""

    rule: str
    before: Exact
    after: Exact
    reason: str


class DecisionRow(BaseModel):
    """One decision. ``confidence`` is the weighted agreement of the conditions, not a probability."""

    id: str
    status: str
    context: str
    strategy: str
    symbol: str
    at: AwareDatetime
    stance: str
    confidence: Share
    agreement: str
    reasons: list[str]
    refused_for: list[str]
    conditions: list[ConditionRow]
    clamps: list[ClampRow]
    plan: PlanRow | None

    @classmethod
    def of(cls, judged: Judged) -> Self:
        """A judged decision as a row; its status is what became of it in its cycle."""
        decision = judged.decision
        return cls(
            id=decision.id,
            status=status_of(judged),
            context=decision.context,
            strategy=decision.strategy,
            symbol=decision.symbol,
            at=decision.at,
            stance=decision.stance,
            confidence=decision.confidence,
            agreement=decision.agreement,
            reasons=list(decision.reasons),
            refused_for=list(_refusal(judged.ruling)),
            conditions=[ConditionRow.model_validate(c, from_attributes=True) for c in decision.conditions],
            clamps=[ClampRow.model_validate(c, from_attributes=True) for c in judged.clamps],
            plan=PlanRow.of(judged.plan) if judged.plan else None,
        )


def _refusal(ruling: Ruling) -> tuple[str, ...]:
    return ruling.reasons if isinstance(ruling, Refuse) else ()


class VoteRow(BaseModel):
    """One person's consent."""

    person: str
    half: bool
    at: AwareDatetime


class ApprovalRow(BaseModel):
    """A trade that people were asked to approve, and their answer.

    ``price_then`` is the price at which it was judged after the answer; ``by`` are the people who settled it.
    """

    id: str
    status: Literal["pending", "claimed", "ordered", "declined", "refused", "expired"]
    decision_id: str
    context: str
    plan: PlanRow
    asked_at: AwareDatetime
    expires_at: AwareDatetime
    votes_needed: int
    votes: list[VoteRow]
    by: list[str]
    answered_at: AwareDatetime | None
    reasons: list[str]
    order_id: str
    price_then: Exact | None
    price_now: Exact | None
    version: int

    @classmethod
    def of(cls, view: ApprovalView) -> Self:
        """An approval as a row."""
        approval, state = view.approval, view.approval.state
        votes = () if isinstance(state, Declined | Expired) else state.votes
        settled = state if isinstance(state, Ordered | Refused) else None
        return cls.model_validate(
            {
                "id": approval.id,
                "status": approval.status,
                "decision_id": approval.decision_id,
                "context": approval.plan.context,
                "plan": PlanRow.of(approval.plan),
                "asked_at": approval.asked_at,
                "expires_at": approval.expires_at,
                "votes_needed": approval.votes_needed,
                "votes": [VoteRow(person=vote.person, half=vote.half, at=vote.at) for vote in votes],
                "by": settled_by(approval),
                "answered_at": None if isinstance(state, Pending | Claimed | Expired) else state.at,
                "reasons": _reasons(approval),
                "order_id": state.order_id if isinstance(state, Ordered) else "",
                "price_then": settled.price if settled else None,
                "price_now": view.price,
                "version": approval.version,
            }
        )


def settled_by(approval: Approval) -> list[str]:
    """Who answered an approval; nobody while it is open for more votes, or when it expired."""
    match approval.state:
        case Claimed(votes=votes) | Ordered(votes=votes) | Refused(votes=votes):
            return [vote.person for vote in votes]
        case Declined(by=person):
            return [person]
        case Pending() | Expired():
            return []
        case _:
            assert_never(approval.state)


def _reasons(approval: Approval) -> list[str]:
    match approval.state:
        case Declined(reason=reason) if reason:
            return [reason]
        case Refused(reasons=reasons):
            return list(reasons)
        case _:
            return []


class AuditRow(BaseModel):
    """Something a person did or tried; its status is the outcome. ``person`` is empty for strangers."""

    id: str
    status: str
    at: AwareDatetime
    wall_at: AwareDatetime
    platform: str
    user: str
    person: str
    action: str

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """An audit entry as a row."""
        return cls(
            id=entry.id,
            status=entry.outcome,
            at=entry.at,
            wall_at=entry.wall_at,
            platform=entry.platform,
            user=entry.user,
            person=entry.person,
            action=entry.action,
        )
