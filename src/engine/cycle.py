"""One decision cycle: the function that is the flow, and the steps it names.

candles ─▶ quality ─▶ technical signals ─▶ strategy ─▶ decision ─▶ plan ─▶ risk ─▶ autonomy ─▶ execute │ ask │ refuse
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.analysis.quality import DataQualityMonitor
from engine.analysis.technical import TechnicalAnalyzer
from engine.approvals import Approvals
from engine.bookkeeping import end_halt
from engine.domain.autonomy import AskHuman, Autonomy, Execute, Refuse, Ruling, route
from engine.domain.decisions import (
    CycleRecord,
    Decision,
    Exit,
    Input,
    Issue,
    Judged,
    QualityReport,
    Signals,
    Stance,
)
from engine.domain.errors import VenueError
from engine.domain.events import Halted
from engine.domain.market import Book, Candles, Market, Timeframe
from engine.domain.trading import (
    Clamp,
    Halt,
    HaltKind,
    Judgement,
    MarketStats,
    Position,
    RiskView,
    Side,
    TradePlan,
)
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.orders import intend
from engine.ports import Clock, Exchange, Frames
from engine.risk import sizing
from engine.risk.manager import RiskManager
from engine.store.database import Database
from engine.store.orders import Order
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext

HISTORY = 300
"""Candles fetched of each timeframe: enough for the 200-candle average and the levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a cycle works with. The same in replay and live, apart from the clock and the venue."""

    clock: Clock
    store: Database
    exchange: Exchange
    quality: DataQualityMonitor
    analyzer: TechnicalAnalyzer
    risk: RiskManager
    autonomy: Autonomy
    orchestrator: ExecutionOrchestrator


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one market at one closed candle."""

    market: Market
    frames: Frames
    quality: QualityReport
    inputs: tuple[Input, ...]
    book: Book | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """What one market's part of a cycle led to: the records, and the orders that were written down for sending."""

    judged: tuple[Judged, ...] = ()
    orders: tuple[Order, ...] = ()


async def run_cycle(kit: Kit, context: StrategyContext, at: datetime) -> CycleRecord:
    """Decide on every market of a context at one closed candle.

        look: candles ─▶ quality ─▶ technical signals, and the book
        conclude, in one transaction on the portfolio of now:
            strategy ─▶ exits, decision ─▶ plan ─▶ risk ─▶ autonomy ─▶ intent │ approval │ refusal, all recorded
        send what was written down

    A market that was decided on at this candle already (the program was restarted) is left alone.
    """
    decided: list[Judged] = []
    for symbol in context.markets:
        seen = await look(kit, context, symbol, at)
        concluded = await kit.store.transact(lambda uow: conclude(kit, uow, context, seen, at))  # noqa: B023
        for order in concluded.orders:
            await kit.orchestrator.send(order)
        decided += concluded.judged
    return CycleRecord(context=context.name, at=at, decisions=tuple(decided))


async def look(kit: Kit, context: StrategyContext, symbol: str, at: datetime) -> Seen:
    """Fetch and check what is known of a market; bad data is fetched once more before it is believed to be bad."""
    market = kit.exchange.market(symbol)
    candles, report = await _fetch(kit, context, symbol, at)
    if not report.usable:
        candles, report = await _fetch(kit, context, symbol, at)
    frames = kit.analyzer.frames(candles) if report.usable else {}
    inputs = tuple(
        Input(name=f"{timeframe} candles", age=at - columns.closed_at, detail=f"{len(columns)} closed")
        for timeframe, columns in candles.items()
        if len(columns)
    )
    book = await _book(kit, symbol)
    if book is not None:
        inputs += (Input(name="book", age=kit.clock.now() - book.at, detail=f"bid {book.bid}, ask {book.ask}"),)
    return Seen(market=market, frames=frames, quality=report, inputs=inputs, book=book)


def conclude(kit: Kit, uow: UnitOfWork, context: StrategyContext, seen: Seen, at: datetime) -> Concluded:
    """Decide, judge, route and write everything down, within one transaction."""
    key = f"{context.name}|{seen.market.symbol}|{at.isoformat()}"
    if uow.decisions.seen(f"{key}|{Stance.ENTER}"):
        return Concluded()
    _note_data_halt(uow, seen, at)
    held = tuple(
        position
        for position in uow.positions.open()
        if (position.context, position.market) == (context.name, seen.market.symbol)
    )
    leaving = _exits(kit, uow, context, seen, held, key, at)
    entering = _entry(kit, uow, context, seen, f"{key}|{Stance.ENTER}", at)
    return Concluded(judged=(*leaving.judged, *entering.judged), orders=(*leaving.orders, *entering.orders))


async def _fetch(
    kit: Kit, context: StrategyContext, symbol: str, at: datetime
) -> tuple[dict[Timeframe, Candles], QualityReport]:
    checked: dict[Timeframe, Candles] = {}
    repaired: tuple[Issue, ...] = ()
    refused: tuple[Issue, ...] = ()
    for timeframe in context.strategy.timeframes:
        try:
            raw = await kit.exchange.candles(symbol, timeframe, HISTORY)
        except VenueError as error:
            refused += (Issue(kind="missing", detail=f"{timeframe}: {error.message}"),)
            continue
        if timeframe is context.timeframe:
            raw, report = kit.quality.check(raw, at)
            repaired, refused = repaired + report.repaired, refused + report.refused
        checked[timeframe] = raw
    return checked, QualityReport(repaired=repaired, refused=refused)


async def _book(kit: Kit, symbol: str) -> Book | None:
    try:
        return await kit.exchange.book(symbol)
    except VenueError:
        return None


def _note_data_halt(uow: UnitOfWork, seen: Seen, at: datetime) -> None:
    """Halt a market whose data is bad, and let it go on once the data is good again."""
    symbol = seen.market.symbol
    standing = [h for h in uow.halts.open() if h.halt.kind is HaltKind.DATA and h.halt.market == symbol]
    if seen.quality.usable:
        for found in standing:
            end_halt(uow, found.id, found.halt.kind, at)
    elif not standing:
        reason = f"{symbol}: {seen.quality.refused[0].detail}"
        halt = Halt(kind=HaltKind.DATA, reason=reason, since=at, market=symbol)
        uow.emit(Halted(at=at, halt_id=uow.halts.add(halt), kind=halt.kind))


def _exits(
    kit: Kit,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: Seen,
    held: Sequence[Position],
    key: str,
    at: datetime,
) -> Concluded:
    """What the strategy wants to leave. Exits only reduce risk, so they never ask; without a book the stop has to do."""
    if not held or seen.book is None or context.timeframe not in seen.frames:
        return Concluded()
    concluded = Concluded()
    for leaving in context.strategy.update_positions(held, seen.frames):
        position = next(p for p in held if p.id == leaving.position_id)
        decision = _exit_decision(uow, context, seen, leaving, key, at)
        plan = TradePlan(
            key=decision.key,
            context=context.name,
            market=position.market,
            side=Side.SELL,
            quantity=position.quantity,
            price=seen.book.bid,
            reduce_only=True,
            position_id=position.id,
        )
        one = _carry_out(kit, uow, seen, seen.book, decision, plan, at)
        concluded = Concluded(judged=concluded.judged + one.judged, orders=concluded.orders + one.orders)
    return concluded


def _entry(kit: Kit, uow: UnitOfWork, context: StrategyContext, seen: Seen, key: str, at: datetime) -> Concluded:
    """Whether to enter now, and everything that speaks for and against it."""
    own = seen.frames.get(context.timeframe)
    signals = (
        context.strategy.generate_signals(seen.frames) if own is not None else Signals(triggered=False, conditions=())
    )
    decision = _entry_decision(uow, context, seen, signals, key, at)
    if decision.stance is Stance.HOLD or own is None:
        return _keep(uow, _record(seen, decision, Refuse(reasons=decision.reasons)))
    if seen.book is None:
        return _keep(uow, _record(seen, decision, Refuse(reasons=("there is no order book to price it with",))))
    plan = sizing.plan(
        decision,
        signals,
        market=seen.market,
        price=seen.book.ask,
        portfolio=uow.account.portfolio(),
        risk_per_trade=kit.risk.limits.risk_per_trade,
    )
    if plan is None:
        return _keep(uow, _record(seen, decision, Refuse(reasons=("there is no room for a stop below the price",))))
    return _carry_out(kit, uow, seen, seen.book, decision, plan, at)


def _carry_out(
    kit: Kit, uow: UnitOfWork, seen: Seen, book: Book, decision: Decision, plan: TradePlan, at: datetime
) -> Concluded:
    """Risk, then autonomy; then the intent, the question or the refusal is written down."""
    judgement = _judge(kit, uow, seen, book, plan, at)
    ruling = route(decision.confidence, judgement, kit.autonomy, at)
    judged = _record(seen, decision, ruling, plan=plan, clamps=judgement.clamps)
    uow.decisions.add(judged)
    match ruling:
        case Execute(plan=allowed):
            return Concluded(judged=(judged,), orders=(intend(uow, allowed, at, decision_id=decision.id),))
        case AskHuman():
            Approvals.open(uow, decision, ruling, at)
        case Refuse():
            pass
    return Concluded(judged=(judged,))


def _judge(kit: Kit, uow: UnitOfWork, seen: Seen, book: Book, plan: TradePlan, at: datetime) -> Judgement:
    own = next(iter(seen.frames.values())).signals
    view = RiskView(
        market=seen.market,
        portfolio=uow.account.portfolio(),
        book=book,
        stats=MarketStats(close=seen.market.price(own.close), atr=own.atr),
        halts=tuple(found.halt for found in uow.halts.open()),
        now=at,
    )
    return kit.risk.judge(plan, view)


def _keep(uow: UnitOfWork, judged: Judged) -> Concluded:
    uow.decisions.add(judged)
    return Concluded(judged=(judged,))


def _record(
    seen: Seen, decision: Decision, ruling: Ruling, *, plan: TradePlan | None = None, clamps: tuple[Clamp, ...] = ()
) -> Judged:
    return Judged(
        decision=decision,
        inputs=seen.inputs,
        signals=tuple(frame.signals for frame in seen.frames.values()),
        quality=seen.quality,
        ruling=ruling,
        plan=plan,
        clamps=clamps,
    )


def _entry_decision(
    uow: UnitOfWork, context: StrategyContext, seen: Seen, signals: Signals, key: str, at: datetime
) -> Decision:
    return Decision(
        id=uow.decisions.next_id(),
        key=key,
        context=context.name,
        strategy=context.strategy.name,
        market=seen.market.symbol,
        at=at,
        stance=Stance.ENTER if signals.triggered else Stance.HOLD,
        confidence=signals.confidence,
        conditions=signals.conditions,
        reasons=_reasons(context, seen, signals),
    )


def _reasons(context: StrategyContext, seen: Seen, signals: Signals) -> tuple[str, ...]:
    if not seen.quality.usable:
        return tuple(f"bad data: {issue.detail}" for issue in seen.quality.refused)
    own = seen.frames.get(context.timeframe)
    if own is None or len(own.candles) < context.strategy.warmup:
        return (f"{context.strategy.name} needs {context.strategy.warmup} closed candles first",)
    if not signals.triggered:
        return (f"the {context.strategy.name} set-up has not appeared",)
    return tuple(condition.detail or condition.name for condition in signals.conditions if condition.holds)


def _exit_decision(
    uow: UnitOfWork, context: StrategyContext, seen: Seen, leaving: Exit, key: str, at: datetime
) -> Decision:
    return Decision(
        id=uow.decisions.next_id(),
        key=f"{key}|{Stance.EXIT}|{leaving.position_id}",
        context=context.name,
        strategy=context.strategy.name,
        market=seen.market.symbol,
        at=at,
        stance=Stance.EXIT,
        confidence=1.0,
        conditions=(),
        reasons=(leaving.reason,),
    )
