"""From what is proposed of a market to what is done about it, written down in one transaction.

at the close:       exits, and an entry that waits for nobody; of one that does perhaps a starter
once all are heard: the entry, what its starter has left of it, or the starter taken back

decision ─▶ plan ─▶ adjuster ─▶ risk ─▶ autonomy ─▶ intent │ approval │ refusal
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.ai.fusion import Fused
from engine.domain.adjustments import Adjusted
from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse
from engine.domain.decisions import Decision, Exit, Judged, Opinion, Stance, Tier
from engine.domain.market import Book, Listing
from engine.domain.order_routing import Offer
from engine.domain.orders import Order, Purpose, Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Position
from engine.domain.proposals import Deliberation, FastTier
from engine.domain.snapshots import MarketSnapshot
from engine.execution import starters
from engine.execution.coverage import sellable
from engine.execution.orders import intend
from engine.execution.retries import not_before
from engine.flow.absences import note_absence
from engine.flow.approvals import Approvals
from engine.flow.order_routing import at_best_venue, at_venue
from engine.flow.proposed import Proposed, key_of
from engine.flow.proposing import propose
from engine.flow.services import CycleServices
from engine.flow.signal_floods import note_signal
from engine.flow.weighing import with_weights
from engine.inputs.data_halts import note_changes, note_data
from engine.learning.adjuster import applied, lowered
from engine.ports import market_data_of
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


def decide_at_close(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: MarketSnapshot,
    now: datetime,
    gives_way: str = "",
    offers: Sequence[Offer] = (),
) -> Outcome:
    """Decide on what need not wait, and write down what does; nothing where this candle was decided on already.

    Exits never wait. An entry waits where a panel hears it or its context has a fast tier, unless it would be refused
    whatever is said. Where the context gives way to another one on its coin, neither is made.

    Args:
        services: What deciding needs.
        uow: The transaction.
        context: Whose decision it is.
        seen: What is known of the market.
        now: When it is decided.
        gives_way: Why the context gives way; empty where it does not.
        offers: What its venues offer for an entry, where there are several.
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
        return decide_at_close(services, uow, context, seen.distrusted(changed.reason), now, gives_way, offers)
    own = (context.name, symbol)
    held = {
        each.id: each
        for each in uow.positions.open()
        if (each.context, each.symbol) == own and each.venue in context.venues
    }
    seen = with_weights(services, uow, context, seen)
    proposal = propose(context, seen, tuple(held.values()))
    conclusion = _Conclusion(
        services=services, uow=uow, context=context, proposal=proposal, market=seen.market, book=seen.book, now=now
    )
    if proposal.stance is Stance.ENTER:
        note_signal(uow, services.risk.limits, at)
        note_absence(uow, services.risk.limits, now)
    outcome = Outcome()
    for leaving in proposal.exits:
        position = held[leaving.position_id]
        outcome += at_venue(conclusion, position.venue, offers).leave(position, leaving, gives_way)
    if proposal.stance is Stance.ENTER and gives_way and not proposal.exits:
        return conclusion.give_way(gives_way)
    if proposal.stance is Stance.ENTER:
        conclusion = at_best_venue(conclusion, offers)
    thought_about = proposal.stance is Stance.ENTER and (services.panel.patience or context.fast)
    if thought_about and (services.asks_in_vain or not conclusion.is_refused_anyway()):
        return outcome + conclusion.begin()
    return outcome + conclusion.enter(None, ())


def conclude_deliberation(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    waiting: Deliberation,
    book: Book | None,
    now: datetime,
    offers: Sequence[Offer] = (),
) -> Outcome | None:
    """Decide on an entry once all have been heard; ``None`` where that has to wait for what was begun of it."""
    proposal, starter = waiting.proposal, starters.order_of(uow, waiting.starter)
    market = market_data_of(services.market_data, proposal.venue).market(proposal.symbol)
    conclusion = _Conclusion(
        services=services, uow=uow, context=context, proposal=proposal, market=market, book=book, now=now
    )
    if waiting.too_late:
        return conclusion.refuse_late()
    conclusion = at_venue(conclusion, starter.request.venue, offers) if starter else at_best_venue(conclusion, offers)
    return conclusion.finish(starter, waiting.opinions or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conclusion(Proposed):
    """What is done about a proposal, in one transaction."""

    def leave(self, position: Position, leaving: Exit, gives_way: str = "") -> Outcome:
        """Exits only reduce risk, so they never ask.

        Nothing is ordered while all of it is being sold already, or the venue has just refused to sell it; and without
        a book, for then the venue cannot be traded with: the stop stays.
        """
        orders = self.uow.orders.of_position(position.id)
        quantity, pause = sellable(position, orders, self.market.lot), not_before(orders, Purpose.EXIT)
        if self.book is None or quantity <= 0 or (pause is not None and self.now < pause):
            return Outcome()
        decision = self.decision(Stance.EXIT, (leaving.reason,), of_position=position.id)
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
        decision = self.drafted(Stance.ENTER, self.proposal.reasons)
        planned = self.planned(self.book, decision, Fused())
        if isinstance(planned, Refuse):
            return True
        return isinstance(self.route(decision, self.judge(*planned, self.stats)), Refuse)

    def give_way(self, reason: str) -> Outcome:
        """Enter nothing, for another context is heard on the coin."""
        return self._refuse(self.decision(Stance.ENTER, self.proposal.reasons), (reason,))

    def begin(self) -> Outcome:
        """Open a starter where the context does so, and let the rest be thought about."""
        fast = self.context.fast
        outcome = Outcome()
        if fast is not None and self.proposal.signals.confidence >= fast.min_confidence:
            outcome = self._start(fast)
        waiting = Deliberation(
            key=self.key(Stance.ENTER, Tier.FULL),
            proposal=self.proposal,
            starter=outcome.orders[0].id if outcome.orders else "",
            asked_at=self.now,
            deadline=self.now + self.services.panel.patience,
        )
        self.uow.deliberations.put(waiting)
        return outcome

    def _start(self, fast: FastTier) -> Outcome:
        """Nobody is asked about a starter: what the bot may not do alone is not begun."""
        decision = self.decision(Stance.ENTER, self.proposal.reasons, tier=Tier.FAST)
        planned = self.planned(self.book, decision, Fused(share=float(fast.share)))
        if isinstance(planned, Refuse):
            return self._refuse(decision, planned.reasons)
        book, plan = planned
        return self._carry_out(book, decision, plan, adjusted=self.adjusted(decision, plan))

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
        return self._refuse(self.decision(Stance.ENTER, self.proposal.reasons), (late,))

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
        decision = self.decision(self.proposal.stance, self.proposal.reasons, confidence=left.confidence)
        if decision.stance is Stance.HOLD:
            return Outcome(judged=(self.record(decision, Hold()),))
        if left.against:
            return self._refuse(decision, left.against, opinions)
        planned = self.planned(self.book, decision, left)
        if isinstance(planned, Refuse):
            return self._refuse(decision, planned.reasons, opinions)
        book, plan = planned
        adjusted = self.adjusted(decision, plan, starter)
        if starter is not None:
            done = plan if adjusted is None else applied(plan, adjusted, self.market)
            if done.quantity > 0 and starters.rest_of(self.uow, done, starter).quantity <= 0:
                reason = f"{starter.id} has bought as much as may be, at the start"
                return self._refuse(decision, (reason,), opinions, adjusted)
        return self._carry_out(book, decision, plan, opinions, adjusted=adjusted, starter=starter)

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
        stats = self.stats
        judgement = self.judge(book, plan, stats)
        ruling = self.route(decision, judgement)
        judged = self.record(
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
                order = intend(self.uow, allowed, self.now, decision_id=decision.id, book=book)
                return Outcome(judged=(judged,), orders=(order,))
            case AskHuman():
                Approvals.open(self.uow, decision, ruling, self.now)
            case Refuse() | Hold():
                pass
        return Outcome(judged=(judged,))

    def _refuse(
        self,
        decision: Decision,
        reasons: tuple[str, ...],
        opinions: tuple[Opinion, ...] = (),
        adjusted: Adjusted | None = None,
    ) -> Outcome:
        refused = self.record(decision, Refuse(reasons=reasons), opinions=opinions, adjusted=adjusted)
        return Outcome(judged=(refused,))
