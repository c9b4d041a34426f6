"""Who decides: the bot alone, a person, or nobody. Pure; the last step before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from engine.domain.figures import plain
from engine.domain.judging import Allowed, Denied, Judgement
from engine.domain.plans import TradePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Autonomy:
    """How far the bot may go alone.

    Attributes:
        auto_above: From this confidence on it trades alone; above 1 it never does.
        ask_above: From this confidence on it asks; below, it refuses.
        expires_after: How long an approval stays open.
        max_price_drift: How far the price may leave the asked price, as a fraction of it.
        two_people_above: Orders worth more than this, in the quote currency, need two distinct people to approve.
    """

    auto_above: float
    ask_above: float
    expires_after: timedelta
    max_price_drift: Decimal
    two_people_above: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """Do it now, alone."""

    plan: TradePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHuman:
    """Ask; nothing happens until enough people agree."""

    plan: TradePlan
    votes_needed: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Do nothing of what was wanted, for these reasons."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing was wanted; the decision says why."""


Ruling = Execute | AskHuman | Refuse | Hold


def route(confidence: float, judgement: Judgement, autonomy: Autonomy, now: datetime) -> Ruling:
    """Decide who decides. Orders that only reduce risk never ask.

    Args:
        confidence: The lowest confidence along the way, in [0, 1].
        judgement: What the risk rules left of the plan.
        autonomy: The bands and limits in force.
        now: The time of the decision.
    """
    match judgement:
        case Denied(reasons=reasons):
            return Refuse(reasons=reasons)
        case Allowed(plan=plan) if plan.reduce_only or confidence >= autonomy.auto_above:
            return Execute(plan=plan)
        case Allowed(plan=plan) if confidence >= autonomy.ask_above:
            return AskHuman(
                plan=plan,
                votes_needed=votes_needed(plan.notional, autonomy),
                expires_at=now + autonomy.expires_after,
            )
        case Allowed():
            asked = plain(autonomy.ask_above, 4)
            return Refuse(reasons=(f"confidence {plain(confidence, 4)} is below {asked}, from where people are asked",))
        case _:
            assert_never(judgement)


def votes_needed(notional: Decimal, autonomy: Autonomy) -> int:
    """How many distinct people must approve an order of this value."""
    return 2 if autonomy.two_people_above is not None and notional > autonomy.two_people_above else 1


def drift(asked: Decimal, price: Decimal) -> Decimal:
    """How far a price has left the asked price, as a signed fraction of the asked price."""
    return (price - asked) / asked
