"""What a rule is and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.domain.judging import RiskView
from engine.domain.plans import TradePlan
from engine.risk.limits import RiskLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How many lots one rule allows of a plan, and why no more."""

    lots: int
    reason: str


Rule = Callable[[TradePlan, RiskView, RiskLimits], Verdict | None]
"""``None`` passes the plan as it is."""


def denied(reason: str) -> Verdict | None:
    """A stop with its reason; nothing where that is empty."""
    return Verdict(lots=0, reason=reason) if reason else None


def at_most(plan: TradePlan, view: RiskView, lots: int, reason: str) -> Verdict | None:
    """A cut to some lots with its reason; nothing where the plan is within them."""
    return None if view.market.lots(plan.quantity) <= lots else Verdict(lots=lots, reason=reason)
