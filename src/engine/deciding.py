"""From what is proposed of a market to what is done about it, written down in one transaction.

at the close:       exits, and an entry that waits for nobody; of one that does perhaps a starter
once all are heard: the entry, what its starter has left of it, or the starter taken back

decision ─▶ plan ─▶ adjuster ─▶ risk ─▶ autonomy ─▶ intent │ approval │ refusal
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.adjusting import adjusted_entry
from engine.ai.autonomy import calibrated_route
from engine.ai.fusion import Fused
from engine.approvals import Approvals
from engine.cycle_services import CycleServices
from engine.data_halts import note_changes, note_data
from engine.domain.adjustments import Adjusted
from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse, Ruling
from engine.domain.decisions import Decision, Exit, Input, Judged, Opinion, Stance, Tier
from engine.domain.judging import Allowed, Clamp, Judgement, RiskView
from engine.domain.market import Book, Listing, Market
from engine.domain.orders import Order, Purpose, Side
from engine.domain.outcomes import Calibrated
from engine.domain.plans import AT_MARKET, ExecutionPlan, TradePlan
from engine.domain.positions import Position
from engine.domain.proposals import Deliberation, FastTier, Proposal
from engine.domain.risk_stats import RiskStats
from engine.domain.snapshots import MarketSnapshot
from engine.execution import starters
from engine.execution.coverage import sellable
from engine.execution.orders import intend
from engine.execution.retries import not_before
from engine.execution.streaks import losses_of
from engine.learning.adjuster import applied, lowered
from engine.ports import market_data_of
from engine.proposing import propose
from engine.risk.stats import told
from engine.signal_floods import note_signal
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was decided on one market, and the orders that were written down for sending."""

    judged: tuple[Judged, ...] = ()
    orders: tuple[Order, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        """Both, one after the other."""
        return Outcome(judged=self.judged + other.judged, orders=self.orders + other.orders)


def conclude_close(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: MarketSnapshot,
    now: datetime,
    gives_way: str = "",
) -> Outcome:
    """Decide on what need not wait, and write down what does; nothing where this candle was decided on already.

    Exits never wait, nor does an entry where nobody is asked and nothing was begun, or that nobody could bring about;
    unless the context gives way to another one on its coin: then neither is made, for the reason given.
    """
    symbol, at = seen.market.symbol, seen.candle_at
    key = key_of(context.name, symbol, at, Stance.ENTER)
    if uow.decisions.seen(key, at) or uow.deliberations.has(key):
        return Outcome()
    listing = Listing(context.venue, symbol)
    changed = note_changes(uow, listing, seen.quality, at)
    if changed is None or seen.quality.usable:
        halting = not services.no_entry(context.name)
        note_data(uow, listing, context.timeframe, seen.quality, at, halting=halting)
    if changed is not None and seen.quality.usable:
        return conclude_close(services, uow, context, seen.distrusted(changed.reason), now, gives_way)
    own = (context.name, listing)
    held = {each.id: each for each in uow.positions.open() if (each.context, each.listing) == own}
    proposal = propose(context, seen, tuple(held.values()))
    desk = _Conclusion(
        services=services, uow=uow, context=context, proposal=proposal, market=seen.market, book=seen.book, now=now
    )
    if proposal.stance is Stance.ENTER:
        note_signal(uow, services.risk.limits, at)
    outcome = Outcome()
    for leaving in proposal.exits:
        outcome += desk.leave(held[leaving.position_id], leaving, gives_way)
    if proposal.stance is Stance.ENTER and gives_way and not proposal.exits:
        return desk.give_way(gives_way)
    thought_about = proposal.stance is Stance.ENTER and (services.panel.patience or context.fast)
    if thought_about and (services.asks_in_vain or not desk.is_refused_anyway()):
        return outcome + desk.begin()
    return outcome + desk.enter(None, ())


def conclude_deliberation(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    waiting: Deliberation,
    book: Book | None,
    now: datetime,
) -> Outcome | None:
    """Decide on an entry once all have been heard; ``None`` where that has to wait for what was begun of it."""
    proposal, starter = waiting.proposal, starters.order_of(uow, waiting.starter)
    market = market_data_of(services.market_data, proposal.venue).market(proposal.symbol)
    desk = _Conclusion(
        services=services, uow=uow, context=context, proposal=proposal, market=market, book=book, now=now
    )
    if waiting.too_late:
        return desk.refuse_late()
    return desk.finish(starter, waiting.opinions or ())


def key_of(context: str, symbol: str, candle_at: datetime, stance: Stance, tier: Tier = Tier.FULL) -> str:
    """What makes a decision this one and no other; order ids derive from it. That of the full tier names no tier."""
    key = f"{context}|{symbol}|{candle_at.isoformat()}|{stance}"
    return key if tier is Tier.FULL else f"{key}|{tier}"


def key_of_whole(key: str) -> str:
    """The key of the decision on a whole trade, of which the one with this key is or has begun a part."""
    return key.removesuffix(f"|{Tier.FAST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conclusion:
    """One proposal, one transaction."""

    services: CycleServices
    uow: UnitOfWork
    context: StrategyContext
    proposal: Proposal
    market: Market
    book: Book | None
    now: datetime

    def leave(self, position: Position, leaving: Exit, gives_way: str = "") -> Outcome:
        """Exits only reduce risk, so they never ask.

        Nothing is ordered while all of it is being sold already, or the venue has just refused to sell it; and without
        a book, for then the venue cannot be traded with: the stop stays.
        """
        orders = self.uow.orders.of_position(position.id)
        quantity, pause = sellable(position, orders, self.market.lot), not_before(orders, Purpose.EXIT)
        if self.book is None or quantity <= 0 or (pause is not None and self.now < pause):
            return Outcome()
        decision = self._decision(Stance.EXIT, (leaving.reason,), of_position=position.id)
        if gives_way:
            return self._refuse(decision, (gives_way,))
        plan = TradePlan(
            key=decision.key,
            context=self.proposal.context,
            venue=position.venue,
            symbol=position.symbol,
            side=Side.SELL,
            quantity=quantity,
            price=self.book.bid,
            reduce_only=True,
            position_id=position.id,
        )
        return self._carry_out(self.book, decision, plan)

    def is_refused_anyway(self) -> bool:
        """Whether it is refused as it was proposed: opinions only take away, so none could let it be made.

        It is not known without a book, for there may be one once all are heard; nor where something is left, for that
        may be sold by then.
        """
        if self.book is None or self.proposal.exits:
            return False
        decision = self._drafted(Stance.ENTER, self.proposal.reasons)
        planned = self._plan(self.book, decision, Fused())
        if isinstance(planned, Refuse):
            return True
        return isinstance(self._route(decision, self._judge(*planned, self._stats)), Refuse)

    def give_way(self, reason: str) -> Outcome:
        """Enter nothing, for another context is heard on the coin."""
        return self._refuse(self._decision(Stance.ENTER, self.proposal.reasons), (reason,))

    def begin(self) -> Outcome:
        """Open a starter where the context does so, and let the rest be thought about."""
        fast = self.context.fast
        outcome = Outcome()
        if fast is not None and self.proposal.signals.confidence >= fast.min_confidence:
            outcome = self._start(fast)
        waiting = Deliberation(
            key=self._key(Stance.ENTER, Tier.FULL),
            proposal=self.proposal,
            starter=outcome.orders[0].id if outcome.orders else "",
            asked_at=self.now,
            deadline=self.now + self.services.panel.patience,
        )
        self.uow.deliberations.put(waiting)
        return outcome

    def _start(self, fast: FastTier) -> Outcome:
        """Nobody is asked about a starter: what the bot may not do alone is not begun."""
        decision = self._decision(Stance.ENTER, self.proposal.reasons, tier=Tier.FAST)
        planned = self._plan(self.book, decision, Fused(share=float(fast.share)))
        if isinstance(planned, Refuse):
            return self._refuse(decision, planned.reasons)
        book, plan = planned
        return self._carry_out(book, decision, plan, adjusted=self._adjusted(decision, plan))

    def finish(self, starter: Order | None, opinions: tuple[Opinion, ...]) -> Outcome | None:
        """Enter, or add to a starter; where nothing is wanted any more the starter is taken back.

        ``None`` where it is not known yet what that has bought, or it cannot be sold now.
        """
        left = self._fused(opinions)
        if starter is None or not (left.against or self._falls_short(left)):
            return self.enter(starter, opinions)
        if not starters.is_over(self.uow, starter, self.now):
            return None
        position = starters.position_of(self.uow, starter)
        if position is None:
            return self.enter(starter, opinions)
        leaving = Exit(position_id=position.id, reason="what began the trade is taken back: the rest was refused")
        sold = self.leave(position, leaving)
        return self.enter(starter, opinions) + sold if sold.orders else None

    def refuse_late(self) -> Outcome:
        """Nothing more is bought on a price of long ago; what was begun has its stop."""
        late = f"nobody could be asked until {self.now:%Y-%m-%d %H:%M} UTC: the program was not running"
        return self._refuse(self._decision(Stance.ENTER, self.proposal.reasons), (late,))

    def _fused(self, opinions: tuple[Opinion, ...]) -> Fused:
        """What predictions and opinions leave of the proposal."""
        return self.services.fusion.fuse(self.proposal.insight.outlook, opinions)

    def _falls_short(self, left: Fused) -> bool:
        """Whether a confidence was lowered so far that people would not even be asked."""
        confidence = min(self.proposal.signals.confidence, left.confidence)
        return confidence < min(self.services.autonomy.ask_above, self.services.autonomy.auto_above)

    def enter(self, starter: Order | None, opinions: tuple[Opinion, ...]) -> Outcome:
        """Whether to enter now, and everything that speaks for and against it."""
        left = self._fused(opinions)
        decision = self._decision(self.proposal.stance, self.proposal.reasons, confidence=left.confidence)
        if decision.stance is Stance.HOLD:
            return Outcome(judged=(self._record(decision, Hold()),))
        if left.against:
            return self._refuse(decision, left.against, opinions)
        planned = self._plan(self.book, decision, left)
        if isinstance(planned, Refuse):
            return self._refuse(decision, planned.reasons, opinions)
        book, plan = planned
        adjusted = self._adjusted(decision, plan)
        if starter is not None:
            done = plan if adjusted is None else applied(plan, adjusted, self.market)
            if done.quantity > 0 and starters.rest_of(self.uow, done, starter).quantity <= 0:
                reason = f"{starter.id} has bought as much as may be, at the start"
                return self._refuse(decision, (reason,), opinions, adjusted)
        return self._carry_out(book, decision, plan, opinions, adjusted=adjusted, starter=starter)

    def _plan(self, book: Book | None, decision: Decision, left: Fused) -> tuple[Book, TradePlan] | Refuse:
        """So much of what an entry asks for, before any rule has looked at it; or why there is none."""
        if book is None:
            return Refuse(reasons=("there is no order book to price it with",))
        execution = self._execution(book)
        plan = self.services.risk.plan(
            decision,
            self.proposal.signals,
            venue=self.proposal.venue,
            market=self.market,
            price=execution.limit_price or book.ask,
            portfolio=self.uow.account.portfolio(),
        )
        if plan is None:
            return Refuse(reasons=("there is no room for a stop below the price",))
        if left.share < 1:
            share = Decimal(repr(left.share))
            plan = plan.resized(self.market.quantity(self.market.lots(plan.quantity * share)))
        if left.stop_share < 1:
            plan = plan.tightened(Decimal(repr(left.stop_share)), self.market)
        return book, replace(plan, execution=execution)

    def _execution(self, book: Book) -> ExecutionPlan:
        """How an entry is bought: at market, or at a limit where strategy or context say so."""
        entry = self.proposal.signals.entry or self.context.entry
        limit = entry.limit_below(book.bid, self.market) if entry else None
        return entry.planned(limit) if entry and limit is not None else AT_MARKET

    def _adjusted(self, decision: Decision, plan: TradePlan) -> Adjusted | None:
        """What the adjuster makes of an entry; as in training, of one that people would at least be asked about."""
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
            stats=self._stats,
            limits=self.services.risk.limits,
            now=self.now,
        )

    @property
    def _stats(self) -> RiskStats | None:
        """What is known of how the market has moved."""
        return self.services.stats.last(self.proposal.listing, self.proposal.timeframe)

    def _carry_out(
        self,
        book: Book,
        decision: Decision,
        plan: TradePlan,
        opinions: tuple[Opinion, ...] = (),
        *,
        adjusted: Adjusted | None = None,
        starter: Order | None = None,
    ) -> Outcome:
        """The adjuster, risk, then autonomy; then the intent, the approval or the refusal is written down."""
        if adjusted is not None:
            decision, plan = lowered(decision, adjusted), applied(plan, adjusted, self.market)
            if adjusted.is_done and adjusted.after <= 0 < adjusted.before:
                reason = f"{adjusted.policy}, the policy that adjusts entries, wants none of it"
                return self._refuse(decision, (reason,), opinions, adjusted)
        if starter is not None:
            plan = starters.rest_of(self.uow, plan, starter)
        stats = self._stats
        judgement = self._judge(book, plan, stats)
        ruling = self._route(decision, judgement)
        judged = self._record(
            decision,
            ruling,
            plan=plan,
            clamps=judgement.clamps,
            stats=stats,
            opinions=opinions,
            adjusted=adjusted,
        )
        match ruling:
            case Execute(plan=allowed):
                order = intend(self.uow, allowed, self.now, decision_id=decision.id)
                return Outcome(judged=(judged,), orders=(order,))
            case AskHuman():
                Approvals.open(self.uow, decision, ruling, self.now)
            case Refuse() | Hold():
                pass
        return Outcome(judged=(judged,))

    def _route(self, decision: Decision, judgement: Judgement) -> Ruling:
        ruling = calibrated_route(decision, judgement, self.services.autonomy, self.now)
        if decision.tier is Tier.FAST and isinstance(ruling, AskHuman) and isinstance(judgement, Allowed):
            return Refuse(reasons=("nobody is asked about a start: the whole trade is asked about",))
        return ruling

    def _judge(self, book: Book, plan: TradePlan, stats: RiskStats | None) -> Judgement:
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

    def _refuse(
        self,
        decision: Decision,
        reasons: tuple[str, ...],
        opinions: tuple[Opinion, ...] = (),
        adjusted: Adjusted | None = None,
    ) -> Outcome:
        refused = self._record(decision, Refuse(reasons=reasons), opinions=opinions, adjusted=adjusted)
        return Outcome(judged=(refused,))

    def _record(
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

    def _decision(self, stance: Stance, reasons: tuple[str, ...], **given: Any) -> Decision:
        """A decision that is to be written down, with its number."""
        return replace(self._drafted(stance, reasons, **given), id=self.uow.decisions.next_id())

    def _drafted(
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
            key=f"{self._key(stance, tier)}|{of_position}" if is_exit else self._key(stance, tier),
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

    def _key(self, stance: Stance, tier: Tier) -> str:
        # An entry that is held back keeps the key of the entry: a candle is decided on once, whatever is decided.
        named = Stance.ENTER if stance is Stance.HOLD else stance
        return key_of(self.proposal.context, self.proposal.symbol, self.proposal.candle_at, named, tier)
