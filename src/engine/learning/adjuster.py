"""The adjuster: what a policy makes of one entry, between its size and the rules of risk. Pure.

plan ─▶ policy ─▶ smaller, less sure, a tighter stop ─▶ (RiskManager has the last word)

It only ever makes less of an entry. Where the policy cannot be asked the static rules hold: the plan as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.adjustments import Adjusted, AdjusterMode, Adjustment
from engine.domain.decisions import Decision
from engine.domain.market import Market
from engine.domain.plans import TradePlan
from engine.learning.features import Shares
from engine.learning.policy import OutOfRange
from engine.learning.sizing import Sizing

if TYPE_CHECKING:
    from engine.domain.market import Floats

Observation = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOAdjuster:
    """Asks a policy.

    Attributes:
        policy: Who says how much; ``None`` where there is nobody, for the reason in ``fault``.
        fault: Why it cannot be asked at all; empty where it can.
        shares: The limits that observations are held against.
        max_age: How long after the end of its training it may be asked; ``None`` for ever.
    """

    mode: AdjusterMode = AdjusterMode.OFF
    policy: Sizing | None = None
    fault: str = ""
    shares: Shares = field(default_factory=Shares)
    max_age: timedelta | None = None

    @property
    def is_on(self) -> bool:
        """Whether it is asked."""
        return self.mode is not AdjusterMode.OFF

    def adjust_decision(self, plan: TradePlan, decision: Decision, market: Market, observation: Floats) -> Adjusted:
        """What is made of an entry.

        Args:
            plan: As it was sized.
            decision: Whose it is.
            market: The market's steps.
            observation: ``float64[17]``, see ``features.FEATURES``.
        """
        try:
            adjustment = self._asked(decision, observation)
        except OutOfRange as error:
            return self._static(plan, observation, error.message)
        whole = market.lots(plan.quantity * Decimal(repr(adjustment.scale)))
        return Adjusted(
            mode=self.mode,
            policy=self.policy.card.name if self.policy else "",
            before=plan.quantity,
            after=market.quantity(whole),
            adjustment=adjustment,
            observation=_told(observation),
        )

    def weight_of(self, timeframe: str, at: datetime, observation: Floats) -> float | None:
        """What it leaves of the weight of a timeframe's prediction, in [0, 1]; ``None`` where it cannot be asked.

        Args:
            timeframe: Whose prediction it is.
            at: When the candle closed that it is decided at.
            observation: ``float64[17]``, of that timeframe.
        """
        if self.policy is None or unfit(self.policy, timeframe, at, self.max_age):
            return None
        try:
            return self.policy.adjust(observation).scale
        except OutOfRange:
            return None

    def _asked(self, decision: Decision, observation: Floats) -> Adjustment:
        if self.policy is None:
            raise OutOfRange(self.fault or "There is no policy.")
        if wrong := unfit(self.policy, decision.timeframe, decision.at, self.max_age):
            raise OutOfRange(wrong)
        return self.policy.adjust(observation)

    def _static(self, plan: TradePlan, observation: Floats, why: str) -> Adjusted:
        return Adjusted(
            mode=self.mode,
            policy=self.policy.card.name if self.policy else "",
            before=plan.quantity,
            after=plan.quantity,
            why=why,
            observation=_told(observation),
        )


def unfit(policy: Sizing, timeframe: str, at: datetime, max_age: timedelta | None) -> str:
    """Why a policy is not asked about candles of a timeframe at a time; empty where it is."""
    card = policy.card
    if card.timeframe and timeframe not in card.timeframe.split(", "):
        return f"It was trained on {card.timeframe} candles, not on {timeframe}."
    return stale(policy, at, max_age)


def stale(policy: Sizing, at: datetime, max_age: timedelta | None) -> str:
    """That a policy is not asked any more, as it is too old, and what to do about it; empty where it is not."""
    if max_age is None or not policy.card.ends:
        return ""
    ends = datetime.fromisoformat(policy.card.ends).replace(tzinfo=at.tzinfo)
    if at - ends <= max_age:
        return ""
    return (
        f"It is stale: its training ended {ends:%Y-%m-%d}, more than {max_age.days} days ago (ppo.max_age). "
        f"bot train makes one on newer candles, and ppo.retrain one each month."
    )


def applied(plan: TradePlan, adjusted: Adjusted, market: Market) -> TradePlan:
    """A plan as it is after what was done to it."""
    if not adjusted.is_done or adjusted.adjustment is None:
        return plan
    share = adjusted.adjustment.stop_share
    smaller = plan.resized(min(plan.quantity, adjusted.after))
    return smaller.tightened(Decimal(repr(share)), market) if share < 1 else smaller


def lowered(decision: Decision, adjusted: Adjusted) -> Decision:
    """A decision as sure as it is after that."""
    if not adjusted.is_done or adjusted.adjustment is None or not adjusted.adjustment.confidence_shift:
        return decision
    shift, found = adjusted.adjustment.confidence_shift, decision.calibration
    less = max(0.0, decision.confidence + shift)
    measured = found and replace(found, measured=max(0.0, found.measured + shift))
    return replace(decision, confidence=less, calibration=measured)


def _told(observation: Floats) -> Observation:
    """What is kept of an observation: what is no number as 0, which JSON has."""
    return tuple(np.where(np.isfinite(observation), observation, 0.0).round(6).tolist())


OFF = PPOAdjuster()
"""Nobody is asked."""
