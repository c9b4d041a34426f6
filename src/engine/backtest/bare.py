"""A bare run through the live cycle: what stands in the place of risk, and a market without lots, ticks and costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from engine.analysis.quality import QualityLimits
from engine.domain.decisions import Decision, Signals
from engine.domain.judging import Allowed, Denied, Judgement, RiskView
from engine.domain.market import Market
from engine.domain.orders import Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk.limits import RiskLimits
from engine.risk.manager import RiskManager
from engine.risk.rules import taken
from engine.simulation.fills import FillModel

_FINE = Decimal("1e-10")
"""A lot and a tick so fine that nobody sees them."""
_DEEP = Decimal(100_000)
"""What a book holds, in volumes of the last candle: more than anybody buys."""
_LONG = timedelta(days=100_000)
ANYTHING = QualityLimits(
    min_candles=1, max_missing=10**9, max_move=math.inf, max_factor=1e300, gone_for=_LONG, idle_for=_LONG
)
"""Candles are taken as they are."""
_NO_LIMITS = RiskLimits(max_drawdown=Decimal(2), max_total_drawdown=Decimal(2))
"""Nothing falls by more than all of it, so nothing is halted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BareRisk(RiskManager):
    """Buys for a share of the free cash, once a context and market, whatever there is to lose.

    Attributes:
        size: The share.
        fee: What comes on top of what is bought, as a fraction of it.
    """

    limits: RiskLimits = _NO_LIMITS
    size: Decimal
    fee: Decimal

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
        """Units are the share of the free cash over the price; stop and target are so far from it."""
        free = portfolio.spendable(venue) - portfolio.reserved * self.fee
        stop, target = signals.stop_distance, signals.target_distance
        return TradePlan(
            key=decision.key,
            context=decision.context,
            venue=venue,
            symbol=decision.symbol,
            side=Side.BUY,
            quantity=market.quantity(market.lots(self.size * free / price)),
            price=price,
            stop=market.price(price - Decimal(repr(stop))) if stop else None,
            target=market.price(price + Decimal(repr(target))) if target else None,
        )

    def judge(self, plan: TradePlan, view: RiskView) -> Judgement:
        """No limits: a context holds a market once, and something must be bought."""
        if plan.reduce_only:
            return RiskManager.judge(self, plan, view)
        reason = taken(plan.context, plan.symbol, view.portfolio)
        if not reason and plan.quantity <= 0:
            reason = "there is no cash left"
        return Denied(reasons=(reason,), clamps=()) if reason else Allowed(plan=plan)


def bare_market(market: Market) -> Market:
    """A market without lots, ticks and a smallest order."""
    return replace(market, lot=_FINE, tick=_FINE, min_notional=Decimal(0))


def bare_model(model: FillModel) -> FillModel:
    """A book of one price, which holds all that is wanted; the fee stays."""
    return replace(
        model,
        spread=Decimal(0),
        depth=_DEEP,
        levels=1,
        reserve=Decimal(0),
        max_factor=Decimal("1e300"),
        gone_for=_LONG,
    )
