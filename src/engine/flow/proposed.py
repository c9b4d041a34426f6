"""A proposal with everything that it is decided on: what is planned, judged and written down of it.

decision ─▶ plan ─▶ adjuster ─▶ risk ─▶ autonomy ─▶ record
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.ai.autonomy import calibrated_route
from engine.ai.fusion import Fused
from engine.domain.adjustments import Adjusted
from engine.domain.autonomy import AskHuman, Refuse, Ruling
from engine.domain.decisions import Decision, Input, Judged, Opinion, Stance, Tier
from engine.domain.judging import Allowed, Clamp, Judgement, RiskView
from engine.domain.market import Book, Market
from engine.domain.order_routing import Quote
from engine.domain.orders import Order
from engine.domain.outcomes import Calibrated
from engine.domain.plans import AT_MARKET, ExecutionPlan, TradePlan
from engine.domain.proposals import Proposal
from engine.domain.risk_stats import RiskStats
from engine.execution.streaks import losses_of
from engine.flow.adjusting import adjusted_entry
from engine.flow.services import CycleServices
from engine.risk.rules import taken
from engine.risk.stats import told
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext


def key_of(context: str, symbol: str, candle_at: datetime, stance: Stance, tier: Tier = Tier.FULL) -> str:
    """What makes a decision this one and no other; order ids derive from it. That of the full tier names no tier."""
    key = f"{context}|{symbol}|{candle_at.isoformat()}|{stance}"
    return key if tier is Tier.FULL else f"{key}|{tier}"


def key_of_whole(key: str) -> str:
    """The key of the decision on a whole trade, of which the one with this key is or has begun a part."""
    return key.removesuffix(f"|{Tier.FAST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One proposal, in one transaction.

    Attributes:
        market, book: Of the venue that an entry goes to, or that something is sold at; the order book of now, ``None``
            where there is none.
        venue: Which that is; empty for the context's own.
        quotes: What the entry would come to at each of the context's venues, where it has several.
    """

    services: CycleServices
    uow: UnitOfWork
    context: StrategyContext
    proposal: Proposal
    market: Market
    book: Book | None
    now: datetime
    venue: str = ""
    quotes: tuple[Quote, ...] = ()

    def planned(self, book: Book | None, decision: Decision, left: Fused) -> tuple[Book, TradePlan] | Refuse:
        """So much of what an entry asks for, before any rule has looked at it; or why there is none."""
        if book is None:
            return Refuse(reasons=("there is no order book to price it with",))
        execution = self._execution(book)
        plan = self.services.risk.plan(
            decision,
            self.proposal.signals,
            venue=self.venue or self.proposal.venue,
            market=self.market,
            price=execution.limit_price or book.ask,
            portfolio=self.uow.account.portfolio(),
        )
        if plan is None:
            return Refuse(reasons=("there is no room for a stop below the price",))
        if left.share < 1:
            share = Decimal(repr(left.share))
            plan = plan.resized(self.market.quantity(self.market.lots(plan.quantity * share)))
        if left.stop is not None:
            plan = plan.stopped_above(left.stop, self.market)
        return book, replace(plan, execution=execution)

    def _execution(self, book: Book) -> ExecutionPlan:
        """How an entry is bought: at market, or at a limit where strategy or context say so."""
        entry = self.proposal.signals.entry or self.context.entry
        limit = entry.limit_below(book.bid, self.market) if entry else None
        at_market = replace(AT_MARKET, slicing=self.context.slicing)
        return entry.planned(limit) if entry and limit is not None else at_market

    def adjusted(self, decision: Decision, plan: TradePlan, starter: Order | None = None) -> Adjusted | None:
        """What the adjuster makes of an entry.

        As in training, of one that people would at least be asked about, where nothing is held or being bought yet but
        what the trade was begun with: anything else is refused by the rules, whatever a policy says of it.
        """
        if not self.context.adjusted:
            return None
        if starter is None and taken(plan.context, plan.symbol, self.uow.account.portfolio()):
            return None
        measured = decision.calibration.measured if decision.calibration else decision.confidence
        if measured < min(self.services.autonomy.ask_above, self.services.autonomy.auto_above):
            return None
        return adjusted_entry(
            self.services.adjuster,
            self.uow,
            self.proposal,
            decision,
            plan,
            market=self.market,
            stats=self.stats,
            limits=self.services.risk.limits,
            now=self.now,
        )

    @property
    def stats(self) -> RiskStats | None:
        """What is known of how the market has moved."""
        return self.services.stats.last(self.proposal.listing, self.proposal.timeframe)

    def route(self, decision: Decision, judgement: Judgement) -> Ruling:
        """What autonomy makes of it: traded alone, asked about, or refused."""
        ruling = calibrated_route(decision, judgement, self.services.autonomy, self.now)
        if decision.tier is Tier.FAST and isinstance(ruling, AskHuman) and isinstance(judgement, Allowed):
            return Refuse(reasons=("nobody is asked about a start: the whole trade is asked about",))
        return ruling

    def judge(self, book: Book, plan: TradePlan, stats: RiskStats | None) -> Judgement:
        """What the rules of risk leave of a plan, on the portfolio of now."""
        view = RiskView(
            market=self.market,
            portfolio=self.uow.account.portfolio(),
            book=book,
            close=Decimal(repr(self.proposal.close)),
            stats=stats,
            halts=tuple(found.halt for found in self.uow.halts.open()),
            now=self.now,
            no_entry=self.services.no_entry(plan.context),
            losses=losses_of(self.uow, plan.context),
        )
        return self.services.risk.judge(plan, view)

    def record(
        self,
        decision: Decision,
        ruling: Ruling,
        *,
        plan: TradePlan | None = None,
        clamps: tuple[Clamp, ...] = (),
        stats: RiskStats | None = None,
        opinions: tuple[Opinion, ...] = (),
        adjusted: Adjusted | None = None,
    ) -> Judged:
        """Write a decision down with everything it was made from."""
        is_entry = plan is not None and not plan.reduce_only
        judged = Judged(
            decision=decision,
            inputs=(*self.proposal.inputs, self._figures(stats)) if is_entry else self.proposal.inputs,
            signals=self.proposal.readings,
            quality=self.proposal.quality,
            ruling=ruling,
            plan=plan,
            clamps=clamps,
            opinions=opinions,
            market_context=self.proposal.market_context,
            adjustment=adjusted,
            quotes=self.quotes if decision.stance is Stance.ENTER else (),
        )
        self.uow.decisions.add(judged)
        return judged

    def _figures(self, stats: RiskStats | None) -> Input:
        """What risk was judged by, for an entry."""
        return Input(
            name="risk figures",
            age=stats.age(self.now) if stats else None,
            detail=told(stats) if stats else "missing",
        )

    def decision(self, stance: Stance, reasons: tuple[str, ...], **given: Any) -> Decision:
        """A decision that is to be written down, with its number."""
        return replace(self.drafted(stance, reasons, **given), id=self.uow.decisions.next_id())

    def drafted(
        self,
        stance: Stance,
        reasons: tuple[str, ...],
        *,
        tier: Tier = Tier.FULL,
        confidence: float = 1.0,
        of_position: str = "",
    ) -> Decision:
        """A decision without a number; no confidence makes it higher than the strategy's own, nor do earlier trades."""
        signals = self.proposal.signals
        is_exit = stance is Stance.EXIT
        measured = 1.0 if is_exit else min(signals.confidence, confidence)
        calibrated = self._calibrated(measured) if stance is Stance.ENTER else None
        return Decision(
            id="",
            key=f"{self.key(stance, tier)}|{of_position}" if is_exit else self.key(stance, tier),
            context=self.proposal.context,
            strategy=self.proposal.strategy,
            symbol=self.proposal.symbol,
            at=self.proposal.candle_at,
            stance=stance,
            confidence=min(measured, calibrated.value) if calibrated else measured,
            conditions=() if is_exit else signals.conditions,
            reasons=reasons,
            timeframe=self.proposal.timeframe,
            trigger="" if is_exit else signals.trigger,
            tier=tier,
            calibration=calibrated,
        )

    def _calibrated(self, confidence: float) -> Calibrated | None:
        strategy, timeframe = self.proposal.strategy, self.proposal.timeframe
        return self.services.calibration.of(self.uow, strategy, timeframe, confidence)

    def key(self, stance: Stance, tier: Tier) -> str:
        """What makes a decision on it this one and no other."""
        # An entry that is held back keeps the key of the entry: a candle is decided on once, whatever is decided.
        named = Stance.ENTER if stance is Stance.HOLD else stance
        return key_of(self.proposal.context, self.proposal.symbol, self.proposal.candle_at, named, tier)
