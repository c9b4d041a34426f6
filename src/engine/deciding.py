"""From what was seen of a market to what is done about it, written down in one transaction.

strategy ─▶ exits and entry ─▶ decision ─▶ plan ─▶ risk ─▶ autonomy ─▶ intent │ approval │ refusal
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from engine.analysis.quality import DataQualityMonitor
from engine.analysis.technical import TechnicalAnalyzer
from engine.approvals import Approvals
from engine.data_halts import note_changes
from engine.domain.autonomy import AskHuman, Autonomy, Execute, Hold, Refuse, Ruling, route
from engine.domain.decisions import Decision, Exit, Input, Issue, Judged, QualityReport, Signals, Stance
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.judging import Clamp, Judgement, RiskView
from engine.domain.market import Book, Market, Timeframe
from engine.domain.orders import Order, Purpose, Side
from engine.domain.plans import AT_MARKET, ExecutionPlan, TradePlan
from engine.domain.positions import Position
from engine.domain.risk_stats import RiskStats
from engine.execution.coverage import sellable
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.orders import intend
from engine.execution.retries import not_before
from engine.kept_stats import KeptStats
from engine.ports import Clock, Frames, MarketData, NoEntry, nothing_against_it
from engine.risk import sizing
from engine.risk.manager import RiskManager
from engine.risk.stats import told
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext

NO_SIGNALS = Signals(trigger="", conditions=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleServices:
    """What a cycle works with. The same in replay and live, apart from the clock and the venue."""

    clock: Clock
    store: Database
    market_data: MarketData
    quality: DataQualityMonitor
    analyzer: TechnicalAnalyzer
    risk: RiskManager
    autonomy: Autonomy
    orchestrator: ExecutionOrchestrator
    stats: KeptStats
    no_entry: NoEntry = nothing_against_it
    last_seen: dict[str, MarketSnapshot] = field(default_factory=dict)
    """What was last seen of each market: contexts that look at the same moment, or at the same candles, share it."""


def data_halts(uow: UnitOfWork, symbol: str, timeframe: Timeframe) -> list[HaltView]:
    """The halts that stand because a market's candles of a timeframe were bad."""
    source = (HaltKind.DATA, symbol, timeframe)
    return [found for found in uow.halts.open() if (found.halt.kind, found.halt.symbol, found.halt.timeframe) == source]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSnapshot:
    """What was seen of one market at one closed candle. Without usable data there are no frames.

    Attributes:
        moment: For which close, when, and on which timeframes it was looked at.
    """

    moment: tuple[datetime, datetime, tuple[Timeframe, ...]]
    market: Market
    frames: Frames
    quality: QualityReport
    inputs: tuple[Input, ...]
    book: Book | None

    def distrusted(self, reason: str) -> MarketSnapshot:
        """The same without anything that could be traded on."""
        refused = (Issue(kind="changed", detail=reason), *self.quality.refused)
        return replace(self, frames={}, quality=replace(self.quality, refused=refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was decided on one market, and the orders that were written down for sending."""

    judged: tuple[Judged, ...] = ()
    orders: tuple[Order, ...] = ()


def conclude(
    services: CycleServices, uow: UnitOfWork, context: StrategyContext, seen: MarketSnapshot, at: datetime
) -> Outcome:
    """Decide, judge, route and write everything down; nothing where this candle was decided on already."""
    return _Conclusion(services=services, uow=uow, context=context, seen=seen, at=at).draw()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conclusion:
    """One market, one closed candle, one transaction."""

    services: CycleServices
    uow: UnitOfWork
    context: StrategyContext
    seen: MarketSnapshot
    at: datetime

    def draw(self) -> Outcome:
        """Decide, judge, route and write everything down; nothing where this candle was decided on already."""
        if self.uow.decisions.seen(self._key(Stance.ENTER), self.at):
            return Outcome()
        changed = note_changes(self.uow, self.seen.market.symbol, self.seen.quality, self.at)
        if changed is None or self.seen.quality.usable:
            self._note_data_halt()
        if changed is not None and self.seen.quality.usable:
            return replace(self, seen=self.seen.distrusted(changed.reason)).draw()
        exits = [self._exit(position, leaving) for position, leaving in self._wished_exits()]
        parts = [part for part in exits if part is not None] + [self._enter()]
        return Outcome(
            judged=tuple(judged for part in parts for judged in part.judged),
            orders=tuple(order for part in parts for order in part.orders),
        )

    def _note_data_halt(self) -> None:
        """Halt a market whose data is bad, and let it go on once the data is good again.

        During an outage, or while the clock is wrong, nothing is entered anywhere and people know: no market is halted.
        """
        symbol, quality = self.seen.market.symbol, self.seen.quality
        standing = data_halts(self.uow, symbol, self.context.timeframe)
        if quality.usable:
            for found in standing:
                end_halt(self.uow, found, self.at)
        elif not standing and not self.services.no_entry(self.context.name):
            reason = f"{symbol}: {quality.refused[0].detail}"
            timeframe = self.context.timeframe
            halt = Halt(
                kind=HaltKind.DATA,
                reason=reason,
                since=self.at,
                symbol=symbol,
                by=f"{timeframe} candles",
                timeframe=timeframe,
            )
            begin_halt(self.uow, halt)

    def _wished_exits(self) -> list[tuple[Position, Exit]]:
        if self.context.timeframe not in self.seen.frames:
            return []
        own = (self.context.name, self.context.venue, self.seen.market.symbol)
        held = {p.id: p for p in self.uow.positions.open() if (p.context, p.venue, p.symbol) == own}
        wished = self.context.strategy.update_positions(tuple(held.values()), self.seen.frames)
        return [(held[leaving.position_id], leaving) for leaving in wished]

    def _exit(self, position: Position, leaving: Exit) -> Outcome | None:
        """Exits only reduce risk, so they never ask.

        Nothing is ordered while all of it is being sold already, or the venue has just refused to sell it; and without
        a book, for then the venue cannot be traded with: the stop stays.
        """
        orders = self.uow.orders.of_position(position.id)
        lot = self.seen.market.lot
        quantity, pause = sellable(position, orders, lot), not_before(orders, Purpose.EXIT)
        if self.seen.book is None or quantity <= 0 or (pause is not None and self.at < pause):
            return None
        decision = self._decision(
            key=f"{self._key(Stance.EXIT)}|{position.id}", stance=Stance.EXIT, reasons=(leaving.reason,)
        )
        plan = TradePlan(
            key=decision.key,
            context=self.context.name,
            venue=position.venue,
            symbol=position.symbol,
            side=Side.SELL,
            quantity=quantity,
            price=self.seen.book.bid,
            reduce_only=True,
            position_id=position.id,
        )
        return self._carry_out(self.seen.book, decision, plan)

    def _enter(self) -> Outcome:
        """Whether to enter now, and everything that speaks for and against it."""
        ready = self._is_fresh()
        signals = self.context.strategy.generate_signals(self.seen.frames) if ready else NO_SIGNALS
        decision = self._decision(
            key=self._key(Stance.ENTER),
            stance=Stance.ENTER if signals.triggered else Stance.HOLD,
            reasons=self._reasons(signals),
            signals=signals,
        )
        if decision.stance is Stance.HOLD:
            return Outcome(judged=(self._record(decision, Hold()),))
        if self.seen.book is None:
            return self._refuse(decision, ("there is no order book to price it with",))
        execution = self._execution(self.seen.book, signals)
        plan = sizing.plan(
            decision,
            signals,
            venue=self.context.venue,
            market=self.seen.market,
            price=execution.limit_price or self.seen.book.ask,
            portfolio=self.uow.account.portfolio(),
            risk_per_trade=self.services.risk.limits.risk_per_trade,
        )
        if plan is None:
            return self._refuse(decision, ("there is no room for a stop below the price",))
        return self._carry_out(self.seen.book, decision, replace(plan, execution=execution))

    def _execution(self, book: Book, signals: Signals) -> ExecutionPlan:
        """How an entry is bought: at market, or at a limit where strategy or context say so."""
        entry = signals.entry or self.context.entry
        limit = entry.limit_below(book.bid, self.seen.market) if entry else None
        return entry.planned(limit) if entry and limit is not None else AT_MARKET

    def _carry_out(self, book: Book, decision: Decision, plan: TradePlan) -> Outcome:
        """Risk, then autonomy; then the intent, the approval or the refusal is written down."""
        stats = self._stats()
        judgement = self._judge(book, plan, stats)
        ruling = route(decision.confidence, judgement, self.services.autonomy, self.at)
        judged = self._record(decision, ruling, plan=plan, clamps=judgement.clamps, stats=stats)
        match ruling:
            case Execute(plan=allowed):
                order = intend(self.uow, allowed, self.at, decision_id=decision.id)
                return Outcome(judged=(judged,), orders=(order,))
            case AskHuman():
                Approvals.open(self.uow, decision, ruling, self.at)
            case Refuse() | Hold():
                pass
        return Outcome(judged=(judged,))

    def _judge(self, book: Book, plan: TradePlan, stats: RiskStats | None) -> Judgement:
        own = self.seen.frames[self.context.timeframe].signals
        view = RiskView(
            market=self.seen.market,
            portfolio=self.uow.account.portfolio(),
            book=book,
            close=Decimal(repr(own.close)),
            stats=stats,
            halts=tuple(found.halt for found in self.uow.halts.open()),
            now=self.at,
            no_entry=self.services.no_entry(self.context.name),
        )
        return self.services.risk.judge(plan, view)

    def _stats(self) -> RiskStats | None:
        return self.services.stats.last(self.seen.market.symbol, self.context.timeframe)

    def _refuse(self, decision: Decision, reasons: tuple[str, ...]) -> Outcome:
        return Outcome(judged=(self._record(decision, Refuse(reasons=reasons)),))

    def _record(
        self,
        decision: Decision,
        ruling: Ruling,
        *,
        plan: TradePlan | None = None,
        clamps: tuple[Clamp, ...] = (),
        stats: RiskStats | None = None,
    ) -> Judged:
        is_entry = plan is not None and not plan.reduce_only
        judged = Judged(
            decision=decision,
            inputs=(*self.seen.inputs, self._figures(stats)) if is_entry else self.seen.inputs,
            signals=tuple(frame.signals for frame in self.seen.frames.values()),
            quality=self.seen.quality,
            ruling=ruling,
            plan=plan,
            clamps=clamps,
        )
        self.uow.decisions.add(judged)
        return judged

    def _figures(self, stats: RiskStats | None) -> Input:
        """What risk was judged by, for an entry."""
        return Input(
            name="risk figures",
            age=stats.age(self.at) if stats else None,
            detail=told(stats) if stats else "missing",
        )

    def _decision(
        self, *, key: str, stance: Stance, reasons: tuple[str, ...], signals: Signals | None = None
    ) -> Decision:
        return Decision(
            id=self.uow.decisions.next_id(),
            key=key,
            context=self.context.name,
            strategy=self.context.strategy.name,
            symbol=self.seen.market.symbol,
            at=self.at,
            stance=stance,
            confidence=signals.confidence if signals else 1.0,
            conditions=signals.conditions if signals else (),
            reasons=reasons,
            timeframe=self.context.timeframe,
            trigger=signals.trigger if signals else "",
        )

    def _reasons(self, signals: Signals) -> tuple[str, ...]:
        if not self.seen.quality.usable:
            return tuple(f"bad data: {issue.detail}" for issue in self.seen.quality.refused)
        own, strategy = self.seen.frames.get(self.context.timeframe), self.context.strategy
        if own is not None and not self._is_fresh():
            return ("the candle that should have closed now is missing",)
        if own is None or len(own.candles) < strategy.warmup:
            return (f"{strategy.name} needs {strategy.warmup} closed candles first",)
        if not signals.triggered:
            return (f"the {strategy.name} set-up has not appeared",)
        return tuple(condition.name for condition in signals.conditions if condition.holds)

    def _is_fresh(self) -> bool:
        """Whether there is a candle that closed just now; an older one was decided on already."""
        own = self.seen.frames.get(self.context.timeframe)
        return own is not None and own.signals.at == self.at

    def _key(self, stance: Stance) -> str:
        """What makes a decision this one and no other; order ids derive from it."""
        return f"{self.context.name}|{self.seen.market.symbol}|{self.at.isoformat()}|{stance}"
