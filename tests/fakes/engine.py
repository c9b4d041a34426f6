"""The engine on a market written by hand: real database, real paper venue, a clock and a strategy moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select

from bot.adjuster import known_of
from engine.ai.calibrator import NO_CALIBRATION, Calibrates
from engine.ai.panel import NO_PANEL
from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.analysis.technical import TechnicalAnalyzer
from engine.books.bookkeeping import Bookkeeping
from engine.books.capital import Capital
from engine.books.first_go import FirstGoes
from engine.data.derivatives.nobody import NoDerivatives
from engine.desk import Desk
from engine.domain.approvals import Approval, Press
from engine.domain.autonomy import AskHuman, Autonomy
from engine.domain.capital import CapitalPlan
from engine.domain.columns import ConditionColumns, SignalColumns
from engine.domain.days import Days
from engine.domain.decisions import Condition, CycleRecord, Exit, Signals
from engine.domain.errors import VenueError
from engine.domain.events import Event
from engine.domain.health import Part
from engine.domain.inventory import Rule
from engine.domain.market import Book, Candles, Listing, Market, Timeframe, from_millis
from engine.domain.orders import (
    NotFound,
    OrderRequest,
    OrderState,
    OrderType,
    Purpose,
    Refused,
    Side,
    SubmitResult,
    Unknown,
)
from engine.domain.plans import Entry
from engine.domain.positions import Position
from engine.domain.proposals import FastTier
from engine.domain.results import AtWork
from engine.domain.venue_views import VenueFacts, VenueKind
from engine.exchanges.paper import PaperExchange
from engine.execution import opening
from engine.execution.emergency import EmergencyStopSystem
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.flow.adjuster_modes import AdjusterModes
from engine.flow.approvals import Answered, Approvals
from engine.flow.cancelling import Cancelling
from engine.flow.closings import Closings
from engine.flow.confirming import Confirming
from engine.flow.cycle import run_cycles
from engine.flow.panel_rounds import PanelRounds
from engine.flow.policy_proposals import PolicyProposals
from engine.flow.proposing import NO_SIGNALS
from engine.flow.services import CycleServices
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.stats import KeptStats
from engine.learning import adjuster as learnt
from engine.learning.adjuster import PPOAdjuster
from engine.ports import Cursor, EventBatch, Frames, NoEntry, Panel, nothing_against_it
from engine.risk.limits import RiskLimits
from engine.risk.manager import RiskManager
from engine.simulation.fills import FillModel
from engine.store import tables
from engine.store.database import Database, Route, nowhere
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.views.results import Results
from engine.views.risk import RiskReports
from engine.views.trading import Views
from engine.views.venues import VenueReports
from tests.fakes import reports
from tests.fakes.database import new_database
from tests.fakes.feed import BTC, START, HandClock, Row, hand_feed

QUIET: Row = (100, 101, 99, 100, 10_000)
"""A candle that goes nowhere; its book takes 40 BTC a level."""
DAY = 24 * 60
"""Minutes after ``START`` at which a room opens."""
ALL_OF_IT = CapitalPlan()
CASH = Decimal(10_000)
ASKS_AND_TRADES = Autonomy(
    auto_above=0.8, ask_above=0.5, expires_after=timedelta(minutes=15), max_price_drift=Decimal("0.01")
)


def at(minutes: float) -> datetime:
    """So many minutes after ``START``."""
    return START + timedelta(minutes=minutes)


def signals(confidence: float = 1.0, *, stop: float | None = 2.0, target: float | None = 3.0) -> Signals:
    """A set-up that appeared, with conditions that agree so far."""
    conditions = (
        Condition(name="speaks for it", holds=True, weight=confidence),
        Condition(name="speaks against it", holds=False, weight=1 - confidence),
    )
    return Signals(trigger="it fired", conditions=conditions, stop_distance=stop, target_distance=target)


@dataclass
class Script:
    """A strategy that says what a test wrote down, by the time of the close."""

    entries: dict[datetime, Signals] = field(default_factory=dict)
    exits: dict[datetime, str] = field(default_factory=dict)
    name: str = "script"
    warmup: int = 1
    timeframes: tuple[Timeframe, ...] = (Timeframe.H1,)
    history: int = 1
    reads_predictions: bool = False

    def columns(self, frames: Frames) -> SignalColumns:
        opened = frames[Timeframe.H1].candles.open_ms
        closes = [from_millis(int(at)) + Timeframe.H1.duration for at in opened]
        said = [self.entries.get(at, NO_SIGNALS) for at in closes]
        return SignalColumns(
            entry=np.array([each.triggered for each in said], dtype=np.bool_),
            exit=np.array([at in self.exits for at in closes], dtype=np.bool_),
            read_conditions=lambda: ConditionColumns(holds=np.empty((len(said), 0), dtype=np.bool_)),
            stop_distance=np.array([each.stop_distance or np.nan for each in said]),
            target_distance=np.array([each.target_distance or np.nan for each in said]),
        )

    def generate_signals(self, frames: Frames) -> Signals:
        return self.entries.get(frames[Timeframe.H1].signals.at, NO_SIGNALS)

    def update_positions(self, held: Sequence[Position], frames: Frames) -> tuple[Exit, ...]:
        reason = self.exits.get(frames[Timeframe.H1].signals.at)
        return tuple(Exit(position_id=position.id, reason=reason) for position in held) if reason else ()


class FickleVenue(PaperExchange):
    """The paper venue with faults a test switches on."""

    clock: HandClock
    deaf: VenueError | TimeoutError | None = None
    """What asking for a book ends in."""
    blind: VenueError | None = None
    """What asking for candles ends in."""
    candles_asked: int = 0
    """How often it was asked for candles."""
    thinks: timedelta = timedelta(0)
    """How long it takes to answer that."""
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens once while it answers that."""
    refuses: tuple[Purpose, ...] = ()
    """What orders are for that are refused."""
    loses: str = ""
    """``request``: orders never arrive; ``answer``: they do, and nobody hears of it."""
    loses_ocos: bool = False
    """Whether requests of OCOs never arrive."""
    late_within: timedelta | None = None
    """For how long what it does not know may still arrive, as it says."""
    loses_sales: bool = False
    """Whether those of sales at market do not."""
    speaks_against: str = ""
    """Why it would sell nothing."""
    hangs: str = ""
    hangs_for: str = ""
    """The only market for which it does not; empty for each."""
    """Which call does not return before ``answers`` is set: ``book``, ``candles`` or ``submit``."""
    answers: asyncio.Event
    """Set for what hangs to go on."""
    on_taken: Callable[[], object] | None = None
    """What happens once it has taken an order, before it answers."""
    storm: int = 0
    """How many of the next calls are answered with 503."""
    retry_after: float = 0.0
    """For how many seconds such an answer asks to be left alone."""
    called_at: list[datetime]
    """When it was called about orders, one entry a call."""

    def _answer_or_fail(self) -> None:
        self.called_at.append(self.clock.now())
        if self.storm:
            self.storm -= 1
            raise VenueError("The venue answers 503.", retry_after=self.retry_after)

    async def _hang(self, name: str, symbol: str) -> None:
        if name == self.hangs and self.hangs_for in ("", symbol):
            await self.answers.wait()

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        self._answer_or_fail()
        found = await super().find(symbol, client_id)
        return replace(found, late_within=self.late_within) if isinstance(found, NotFound) else found

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        self._answer_or_fail()
        return await super().cancel(symbol, client_id)

    async def events(self, after: Cursor | None) -> EventBatch:
        self._answer_or_fail()
        return await super().events(after)

    async def book(self, symbol: str) -> Book:
        await self._hang("book", symbol)
        self.clock.at += self.thinks
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        if self.deaf is not None:
            raise self.deaf
        return await super().book(symbol)

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        return self.speaks_against or await super().why_unsellable(symbol, quantity)

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        self.candles_asked += 1
        await self._hang("candles", symbol)
        if self.blind is not None:
            raise self.blind
        return await super().candles(symbol, timeframe, limit, until)

    async def submit(self, request: OrderRequest) -> SubmitResult:
        await self._hang("submit", request.symbol)
        if _purpose(request) in self.refuses:
            return Refused(client_id=request.client_id, reason="not today")
        if self.speaks_against and _purpose(request) is Purpose.EXIT:
            return Refused(client_id=request.client_id, reason=self.speaks_against)
        lost = Unknown(client_id=request.client_id, reason="the answer was lost")
        try:
            self._answer_or_fail()
        except VenueError as error:
            return Unknown(client_id=request.client_id, reason=error.message)
        on_the_way = {Purpose.PROTECTION: self.loses_ocos, Purpose.EXIT: self.loses_sales}
        if self.loses == "request" or on_the_way.get(_purpose(request)):
            return lost
        answer = await super().submit(request)
        if self.on_taken is not None:
            self.on_taken()
        return lost if self.loses else answer


def _purpose(request: OrderRequest) -> Purpose:
    if request.type is OrderType.OCO:
        return Purpose.PROTECTION
    return Purpose.ENTRY if request.side is Side.BUY else Purpose.EXIT


@dataclass
class Room:
    """Everything of one engine."""

    clock: HandClock
    store: Database
    venue: FickleVenue
    script: Script
    services: CycleServices
    context: StrategyContext
    deliberations: PanelRounds
    approvals: Approvals
    capital: Capital
    books: Bookkeeping
    desk: Desk
    views: Views
    results: Results
    risk: RiskReports
    venue_reports: VenueReports

    @property
    def orchestrator(self) -> ExecutionOrchestrator:
        return self.services.orchestrator

    async def cycle(self) -> CycleRecord:
        """Decide on the candle that closes now."""
        (record,) = await run_cycles(self.services, (self.context,), self.clock.now())
        return record

    async def enter(self, confidence: float = 1.0, **distances: Any) -> CycleRecord:
        """Let the strategy's set-up appear on the candle that closes now, and decide on it."""
        self.script.entries[self.clock.now()] = signals(confidence, **distances)
        return await self.cycle()

    async def ask(self, *, votes_needed: int = 1, minutes: float = 15, **changes: Any) -> Approval:
        """Put a question to people, as a cycle does."""
        usual: dict[str, Any] = {"quantity": Decimal(10), "price": Decimal("100.02"), "stop": Decimal(90)}
        plan = reports.plan(**{**usual, "target": Decimal(120), **changes})
        now = self.clock.now()
        ask = AskHuman(plan=plan, votes_needed=votes_needed, expires_at=now + timedelta(minutes=minutes))

        def work(uow: UnitOfWork) -> Approval:
            decision_id = uow.decisions.next_id()
            decision = reports.decision(id=decision_id, key=f"{plan.key}|{decision_id}", at=now)
            own = replace(ask, plan=replace(plan, key=decision.key))
            uow.decisions.add(reports.judged(decision=decision, ruling=own))
            return self.approvals.open(uow, decision, own, now)

        return await self.store.transact(work)

    async def events(self, kind: type[Event]) -> list[Event]:
        """Every event of a kind that was written, in order."""
        return await events_of(self.store, kind)

    async def orders(self) -> list[tuple[str, str, Decimal]]:
        """Purpose, status and quantity of every order, oldest first."""
        views = await self.views.orders(100)
        return [(view.purpose.value, view.status.value, view.request.quantity) for view in reversed(views)]

    async def held(self) -> tuple[Position, ...]:
        """The open positions."""
        return await self.store.read(lambda uow: uow.positions.open())


async def events_of(store: Database, kind: type[Event]) -> list[Event]:
    """Every event of a kind that was written, in order."""
    from engine.store import codec

    def work(uow: UnitOfWork) -> list[Event]:
        events = tables.table_of(tables.EventRow)
        rows = uow.connection.execute(select(events).order_by(events.c.id))
        return [codec.load(kind, row.body) for row in rows if row.kind == kind.__name__]

    return await store.read(work)


@asynccontextmanager
async def engine_room(
    folder: Path,
    rows: Mapping[str, Sequence[Row | None]] | Sequence[Row | None] = (QUIET,) * 60,
    *,
    minutes: float = DAY,
    markets: Sequence[Market] = (BTC,),
    limits: RiskLimits | None = None,
    autonomy: Autonomy = ASKS_AND_TRADES,
    model: FillModel | None = None,
    cash: Decimal = CASH,
    balances: Mapping[str, Decimal] | None = None,
    holdings: Rule = Rule.ADOPT,
    deaf: VenueError | None = None,
    timezone: str = "UTC",
    day_ends: time = time(),
    route: Route = nowhere,
    no_entry: NoEntry = nothing_against_it,
    told_weekly: bool = False,
    panel: Panel = NO_PANEL,
    calibration: Calibrates = NO_CALIBRATION,
    adjuster: PPOAdjuster = learnt.OFF,
    fast: FastTier | None = None,
    entry: Entry | None = None,
    clock: HandClock | None = None,
    capital: CapitalPlan = ALL_OF_IT,
) -> AsyncIterator[Room]:
    """Open an engine in a folder, a new one or the one that is there, and close it in the end."""
    clock, script = clock or HandClock(minutes), Script()
    store = new_database(folder, route=route)
    venue = FickleVenue(
        file=folder / "venue.sqlite",
        feed=hand_feed(rows, markets),
        clock=clock,
        model=model or FillModel(),
        balances=balances or {"USDT": cash},
    )

    venue.clock, venue.called_at, venue.answers = clock, [], asyncio.Event()

    venue.deaf = deaf
    found = await opening.observe(venue, venue, "USDT")

    def open_account(uow: UnitOfWork) -> None:
        if not uow.account.opened():
            opening.open_account(uow, [found], holdings, clock.now())
            uow.settings.set("account.began", clock.now().isoformat())

    await store.transact(open_account)
    market_data = {venue.name: venue}
    limits, days = limits or RiskLimits(), Days(at=day_ends, zone=ZoneInfo(timezone))
    quality = DataQualityMonitor(limits=QualityLimits(min_candles=5, window=5))
    services = CycleServices(
        clock=clock,
        store=store,
        market_data=market_data,
        candles=CheckedCandles(market_data=market_data, quality=quality),
        analyzer=TechnicalAnalyzer(),
        risk=RiskManager(limits=limits),
        autonomy=autonomy,
        orchestrator=ExecutionOrchestrator(
            store=store, venues={venue.name: venue}, market_data=market_data, clock=clock
        ),
        stats=KeptStats(market_data=market_data, quality=quality, clock=clock),
        derivatives=KeptDerivatives(source=NoDerivatives(), clock=clock),
        panel=panel,
        calibration=calibration,
        adjuster=lambda _: adjuster,
        no_entry=no_entry,
    )
    symbols = tuple(market.symbol for market in markets)
    context = StrategyContext(
        name="hand",
        venue="paper",
        strategy=script,
        markets=symbols,
        timeframe=Timeframe.H1,
        fast=fast,
        entry=entry,
    )
    at_work = AtWork(name="hand", strategy="script", venue=venue.name, markets=symbols, timeframe="1h")
    deliberations = PanelRounds(services, StrategyContexts(contexts=(context,)))
    approvals = approvals_of(services)
    closings = Closings(store=store, market_data=market_data, orchestrator=services.orchestrator, clock=clock)
    keeper = Capital(store=store, clock=clock, plan=capital)
    await keeper.open()
    first_goes = FirstGoes(store=store, clock=clock)
    cancelling = Cancelling(store=store, orchestrator=services.orchestrator, clock=clock)
    emergency = EmergencyStopSystem(store=store, orchestrator=services.orchestrator, clock=clock)
    room = Room(
        clock=clock,
        store=store,
        venue=venue,
        script=script,
        services=services,
        context=context,
        deliberations=deliberations,
        approvals=approvals,
        capital=keeper,
        books=Bookkeeping(
            store=store,
            market_data=market_data,
            markets={Listing(venue.name, symbol): Timeframe.H1 for symbol in symbols},
            candles=services.candles,
            limits=limits,
            days=days,
            told_weekly=told_weekly,
        ),
        desk=Desk(
            store=store,
            approvals=approvals,
            closings=closings,
            confirming=Confirming(store=store, capital=keeper, cancelling=cancelling, first_goes=first_goes),
            emergency=emergency,
            adjuster=AdjusterModes(store=store, adjuster=services.adjuster, about=known_of, wall=clock.now),
            policies=PolicyProposals(store=store, clock=clock),
            clock=clock,
        ),
        views=Views(
            venue=venue.name,
            store=store,
            market_data=market_data,
            clock=clock,
            profile="test",
            contexts=(at_work,),
            days=days,
            limits=limits,
            parts=lambda: (Part(name="jobs", ok=True, detail="ok"),),
            capital=keeper.view,
        ),
        results=Results(
            store=store,
            market_data=market_data,
            clock=clock,
            days=days,
            at_work=(at_work,),
            limits=limits,
            autonomy=autonomy,
            no_entry=no_entry,
            least=lambda symbol: venue.market(symbol).min_notional,
        ),
        risk=RiskReports(
            store=store,
            market_data=market_data,
            clock=clock,
            at_work=(at_work,),
            limits=limits,
            stats=services.stats,
        ),
        venue_reports=VenueReports(
            store=store,
            exchanges={venue.name: venue},
            facts=lambda _: VenueFacts(kind=VenueKind.PAPER),
            at_work=(at_work,),
            clock=clock,
            no_entry=no_entry,
            patience=0.2,
        ),
    )
    try:
        yield room
    finally:
        await deliberations.stop()
        await approvals.stop()
        await closings.stop()
        await cancelling.stop()
        await emergency.stop()
        await store.close()
        venue.close()


async def settled(approvals: Approvals, approval_id: str, press: Press) -> Answered:
    """Answer an approval, and wait until the order that comes of it is sent and protected."""
    found = await approvals.answer(approval_id, press)
    await approvals.finished()
    return found


def approvals_of(services: CycleServices) -> Approvals:
    """The approvals of a services."""
    return Approvals(
        store=services.store,
        market_data=services.market_data,
        risk=services.risk,
        autonomy=services.autonomy,
        orchestrator=services.orchestrator,
        clock=services.clock,
        stats=services.stats,
        no_entry=services.no_entry,
    )
