"""The last word before anything is done: it only shrinks or stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.decisions import Decision, Signals
from engine.domain.judging import Allowed, Clamp, Denied, Judgement, RiskView
from engine.domain.market import Market
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk import sizing
from engine.risk.limits import RiskLimits
from engine.risk.rules import ENTRY_RULES
from engine.risk.slices import sliced


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskManager:
    """Plans trades, and judges plans by the rules. Pure: the same plan and view give the same judgement."""

    limits: RiskLimits = field(default_factory=RiskLimits)

    def plan(
        self,
        decision: Decision,
        signals: Signals,
        *,
        venue: str,
        market: Market,
        price: Decimal,
        portfolio: Portfolio,
    ) -> TradePlan | None:
        """The trade that an entry asks for, before any rule has looked at it; see ``sizing.plan``."""
        return sizing.plan(
            decision,
            signals,
            venue=venue,
            market=market,
            price=price,
            portfolio=portfolio,
            risk_per_trade=self.limits.of(decision.context).risk_per_trade,
        )

    def judge(self, plan: TradePlan, view: RiskView) -> Judgement:
        """Ask every rule in turn; the first that allows nothing stops the plan.

        Plans that only reduce risk pass, cut to what is held.
        """
        return self._judge_exit(plan, view) if plan.reduce_only else self._judge_entry(plan, view)

    def _judge_entry(self, plan: TradePlan, view: RiskView) -> Judgement:
        clamps: tuple[Clamp, ...] = ()
        limits = self.limits.of(plan.context)
        for rule in ENTRY_RULES:
            verdict = rule(plan, view, limits)
            if verdict is None:
                continue
            allowed = min(plan.quantity, view.market.quantity(verdict.lots))
            clamps += (Clamp(rule=rule.__name__, before=plan.quantity, after=allowed, reason=verdict.reason),)
            if allowed <= 0:
                return Denied(reasons=(verdict.reason,), clamps=clamps)
            plan = plan.resized(allowed)
        return Allowed(plan=sliced(plan, view, limits), clamps=clamps)

    def _judge_exit(self, plan: TradePlan, view: RiskView) -> Judgement:
        held = sum((p.quantity for p in view.portfolio.positions if p.id == plan.position_id), Decimal(0))
        if held <= 0:
            return Denied(reasons=(f"{plan.position_id} is already closed",))
        return Allowed(plan=plan.resized(min(plan.quantity, held)))
