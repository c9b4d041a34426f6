"""A small engine room for the chat: views of what it is given, and a desk that runs the real approval machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from engine.domain.account import Balance, EquityCurve, Profit, Status
from engine.domain.adjuster_modes import ModeWish
from engine.domain.adjustments import AdjusterMode, AdjusterNotice, AdjusterView
from engine.domain.approvals import Approval, Judge, Press, RuledOrder, Tell, step
from engine.domain.capital import CapitalStage, CapitalView
from engine.domain.confirmations import Confirmation
from engine.domain.days import Days, Period
from engine.domain.decision_views import ApprovalView, Why
from engine.domain.decisions import Judged
from engine.domain.digests import Digest
from engine.domain.errors import BadInput, NotAllowed, UnknownId
from engine.domain.halt_views import EmergencyView, Exposed, HaltView, Paused, Recovery
from engine.domain.halts import Halt, HaltKind
from engine.domain.health import LogLine, Part, PlatformTrouble
from engine.domain.market import names_of
from engine.domain.messages import Card, Person, Role
from engine.domain.model_ledger import BudgetNotice
from engine.domain.model_views import ModelsView
from engine.domain.people import Stranger
from engine.domain.policy_proposals import PolicyProposal
from engine.domain.positions import Position
from engine.domain.predictions import PredictionView
from engine.domain.proposals import Deliberation
from engine.domain.quality_views import QualityView
from engine.domain.results import Counts, Performance, Strategies, TradeStats
from engine.domain.risk_views import ExposureReport, RiskReport, VarReport
from engine.domain.sentiment import SentimentView, SourceAge
from engine.domain.streaks import Streak
from engine.domain.totals import Totals
from engine.domain.trade_views import PositionView, TradeCandles, TradeView, UnmanagedView
from engine.domain.venue_views import OrderView, VenueOrders, VenueView
from engine.flow.approvals import Answered
from tests.fakes import reports

T = TypeVar("T")
NOTHING_LEFT = Exposed(entries=(), positions=(), approvals=0)


@dataclass
class FakeClock:
    """Time that stands still until a test moves it."""

    at: datetime = reports.NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def until(self, at: datetime) -> None:
        self.at = max(self.at, at)

    def pass_(self, length: timedelta) -> None:
        self.at += length


@dataclass
class FakeViews:
    """Answers with the reports a test puts in; everything else is the usual one."""

    approvals_by_id: dict[str, Approval] = field(default_factory=dict)
    trades_by_id: dict[str, Position] = field(default_factory=dict)
    halts_by_id: dict[str, HaltView] = field(default_factory=dict)
    questions_by_trade: dict[str, str] = field(default_factory=dict)
    asked_days: int = 0
    asked_trades: int = 0
    venues: tuple[str, ...] = ()
    asked_since: datetime | None = None
    unwritten: tuple[HaltView, ...] = ()
    broken: bool = False
    days: Days = field(default_factory=lambda: Days(at=time(), zone=ZoneInfo("UTC")))

    async def status(self) -> Status:
        if self.broken:
            raise RuntimeError("the password is hunter2")
        return reports.status(equity=Decimal(10000))

    async def strangers(self) -> tuple[Stranger, ...]:
        return (reports.stranger(),)

    async def status_and_positions(self) -> tuple[Status, tuple[PositionView, ...]]:
        return await self.status(), await self.positions()

    async def decisions(self, count: int, before: str = "") -> tuple[Judged, ...]:
        return paged([reports.judged(), reports.heard()], count, before)

    async def positions(self) -> tuple[PositionView, ...]:
        return (reports.position_view(),)

    async def balance(self) -> Balance:
        return reports.balance()

    async def profit(self, days: int) -> Profit:
        self.asked_days = days
        return reports.profit()

    async def benchmark_since(self, begin: datetime) -> Decimal | None:
        self.asked_since = begin
        return reports.profit().benchmark

    async def several_venues(self) -> tuple[str, ...]:
        return self.venues

    async def trades(self, count: int, before: str = "", status: str = "") -> tuple[Position, ...]:
        self.asked_trades = count
        known = [each for each in self.trades_by_id.values() if status in ("", "open" if each.is_open else "closed")]
        return paged(known, count, before)

    async def trade(self, position_id: str) -> TradeView:
        return reports.trade_view(_known(self.trades_by_id, position_id))

    async def has_stop(self, position_id: str) -> bool:
        _known(self.trades_by_id, position_id)
        return False

    async def curve(self, days: int) -> EquityCurve:
        self.asked_days = days
        return reports.equity_curve()

    async def trade_candles(self, position_id: str) -> TradeCandles:
        return reports.trade_candles(_known(self.trades_by_id, position_id))

    async def asked_for(self, position_id: str) -> str:
        _known(self.trades_by_id, position_id)
        return self.questions_by_trade.get(position_id, "")

    async def pending(self) -> tuple[ApprovalView, ...]:
        return tuple(_view(asked) for asked in self.approvals_by_id.values() if asked.status == "pending")

    async def deliberations(self) -> tuple[Deliberation, ...]:
        return ()

    async def approval(self, approval_id: str) -> ApprovalView:
        return _view(_known(self.approvals_by_id, approval_id))

    async def approvals(self, count: int, before: str = "") -> tuple[ApprovalView, ...]:
        return tuple(_view(asked) for asked in paged([*self.approvals_by_id.values()][::-1], count, before))

    async def why(self, any_id: str) -> Why | TradeView:
        if any_id == "D12":
            return reports.why()
        return reports.why(approval=_known(self.approvals_by_id, any_id), judged=reports.heard())

    async def unmanaged(self, unmanaged_id: str) -> UnmanagedView:
        if unmanaged_id != "N1":
            raise UnknownId(f"There is no {unmanaged_id}.")
        return reports.unmanaged_view()

    async def halt(self, halt_id: str) -> HaltView:
        return _known(self.halts_by_id, halt_id)

    async def replacement(self, _halt_id: str) -> HaltView | None:
        return None

    async def exposed(self) -> Exposed:
        return NOTHING_LEFT

    async def emergency(self, halt_id: str) -> EmergencyView:
        halt = _known(self.halts_by_id, halt_id)
        return EmergencyView(halt=halt, note="begun", left=NOTHING_LEFT, closed=())

    async def standing_emergency(self) -> str:
        calls = [known for known, view in self.halts_by_id.items() if view.halt.kind is HaltKind.EMERGENCY]
        return next(iter(calls), "")

    async def recovery(self, halt_id: str) -> Recovery:
        return reports.recovery(halt=_known(self.halts_by_id, halt_id))

    async def models(self) -> ModelsView:
        return reports.models_view()

    async def model_budget(self, notice_id: str) -> BudgetNotice:
        return reports.budget_notice(id=notice_id)

    async def streak(self, streak_id: str) -> Streak:
        return reports.streak(id=streak_id)

    async def trouble(self, trouble_id: str) -> PlatformTrouble:
        return reports.trouble(id=trouble_id)

    async def digest(self, digest_id: str) -> Digest:
        return reports.digest(id=digest_id)

    async def latest_digest(self) -> Digest:
        return reports.digest()

    def unwritten_halts(self) -> tuple[HaltView, ...]:
        return self.unwritten

    async def sentiment(self, market: str) -> SentimentView:
        if market not in ("BTC", "BTC/USDT"):
            raise BadInput(f"{market} is not traded here.")
        return reports.sentiment_view()

    def sources(self) -> tuple[SourceAge, ...]:
        return ()

    async def prediction(self, market: str, venue: str) -> PredictionView:
        if market not in ("BTC", "BTC/USDT") or venue:
            raise BadInput(f"{market} is not traded here.")
        return reports.prediction_view()

    async def capital(self) -> CapitalView:
        return reports.capital_view()

    async def capital_change(self, number: int) -> tuple[CapitalStage, CapitalStage | None, str]:
        return reports.capital_stage(number=number), None, "USDT"

    async def confirmation(self, confirmation_id: str) -> Confirmation:
        return reports.confirmation(id=confirmation_id)

    async def adjuster(self) -> AdjusterView:
        return reports.adjuster_view()

    async def policy_proposal(self, proposal_id: str) -> PolicyProposal:
        return reports.policy_proposal(id=proposal_id)

    async def adjuster_notice(self, notice_id: str) -> AdjusterNotice:
        del notice_id
        return AdjusterNotice(at=reports.NOON, policy="calm", why="atr is not known.", mode=AdjusterMode.ACTIVE)

    async def quality(self, market: str, venue: str) -> QualityView:
        if market not in ("", "BTC", "ETH") or venue:
            raise BadInput(f"{market} is not traded here.")
        return reports.quality_view(*(("ETH",) if market == "ETH" else ("BTC", "ETH")))

    async def totals(self) -> Totals:
        return reports.totals()

    async def health(self) -> tuple[Part, ...]:
        return reports.health()


@dataclass
class FakeResults:
    """Answers with the usual figures."""

    asked_periods: list[tuple[Period, int]] = field(default_factory=list)

    async def periods(self, period: Period, count: int) -> Profit:
        self.asked_periods.append((period, count))
        return reports.profit()

    async def performance(self) -> Performance:
        return reports.performance()

    async def stats(self) -> TradeStats:
        return reports.trade_stats()

    async def counts(self) -> Counts:
        return reports.counts()

    async def strategies(self) -> Strategies:
        return reports.strategies()


class FakeRiskReports:
    """Answers with the usual figures."""

    async def risk(self) -> RiskReport:
        return reports.risk_report()

    async def var(self) -> VarReport:
        return reports.var_report()

    async def exposure(self) -> ExposureReport:
        return reports.exposure_report()


async def no_backtest(strategy: str, market: str, days: int) -> Card:
    """What a backtest says here: what it was asked for."""
    return Card(title=f"Backtest: {strategy}, {market}, {days}")


def no_logs(count: int) -> tuple[LogLine, ...]:
    """A log without warnings."""
    del count
    return ()


class FakeVenueReports:
    """Answers with the usual venues and orders."""

    async def venues(self) -> tuple[VenueView, ...]:
        return reports.venue_views()

    async def orders(self) -> tuple[VenueOrders, ...]:
        return tuple(view.orders for view in reports.venue_views())

    async def order(self, order_id: str) -> OrderView:
        if order_id != "O5":
            raise UnknownId(f"There is no order {order_id}.")
        return reports.order_view()


class FakeAdjusterModes:
    """Asks what a press would change, of one who changes nothing."""

    async def ask(self, person: str, wanted: AdjusterMode) -> ModeWish:
        return ModeWish(
            id="M1",
            person=person,
            before=AdjusterMode.OFF,
            wanted=wanted,
            policy="calm",
            about=("It is degenerate: it never trades.",),
            expires_at=reports.NOON,
        )


@dataclass
class FakeDesk:
    """Steps approvals by the real state machine; what is approved becomes order O5 at the asked price."""

    views: FakeViews
    clock: FakeClock
    paused_until: list[datetime | None] = field(default_factory=list)
    stopped_by: list[str] = field(default_factory=list)
    adjuster: FakeAdjusterModes = field(default_factory=FakeAdjusterModes)

    async def answer(self, approval_id: str, press: Press) -> Answered:
        found = _known(self.views.approvals_by_id, approval_id)
        stepped, effects = step(found, press, self.clock.now())
        reply = next(effect.reply for effect in effects if isinstance(effect, Tell))
        judged = any(isinstance(effect, Judge) for effect in effects)
        if judged:
            stepped, _ = step(stepped, RuledOrder(order_id="O5", price=stepped.plan.price), self.clock.now())
        self.views.approvals_by_id[approval_id] = stepped
        return Answered(reply=reply, approval=stepped)

    async def stop_everything(self, person: Person) -> str:
        self.stopped_by.append(person.name)
        halt = Halt(kind=HaltKind.EMERGENCY, reason="called", since=self.clock.now(), by=person.name)
        self.views.halts_by_id["H2"] = HaltView(id="H2", halt=halt)
        return "H2"

    async def pause(self, person: Person, until: datetime | None) -> Paused:
        self.paused_until.append(until)
        since = self.clock.now()
        pause = Halt(kind=HaltKind.PAUSE, reason="paused by hand", since=since, until=until, by=person.name)
        self.views.halts_by_id["H1"] = HaltView(id="H1", halt=pause)
        return Paused(holds=self.views.halts_by_id["H1"], is_new=True, ended=(), beside=())

    async def is_reason(self, words: Sequence[str]) -> bool:
        return len(words) > 2 and any(view.halt.is_emergency for view in self.views.halts_by_id.values())

    async def resume(self, person: Person, reason: str = "") -> tuple[HaltView, ...]:
        halts = self.views.halts_by_id
        if any(view.halt.kind is HaltKind.DRAWDOWN for view in halts.values()) and person.role is not Role.ADMIN:
            raise NotAllowed("A drawdown pause is ended by an admin.")
        if any(view.halt.is_emergency for view in halts.values()) and not reason:
            raise BadInput("The emergency stop ends with a reason only.")
        ended = tuple(replace(view, ended_at=self.clock.now(), ended_by=person.name) for view in halts.values())
        halts.clear()
        return ended

    @staticmethod
    def _is_of(halt: Halt, market: str, venue: str) -> bool:
        return market in names_of(halt.symbol) and venue in ("", halt.venue)

    async def accept_change(self, person: Person, market: str, venue: str = "") -> tuple[HaltView, ...]:
        changed = [view for view in self.views.halts_by_id.values() if self._is_of(view.halt, market, venue)]
        if not changed:
            raise BadInput(f"{market} has not changed.")
        return tuple(replace(view, ended_at=self.clock.now(), ended_by=person.name) for view in changed)


def _view(asked: Approval) -> ApprovalView:
    return ApprovalView(approval=asked, decision=reports.decision(), now=reports.NOON, price=None)


def _known(things: Mapping[str, T], wanted: str) -> T:
    if wanted not in things:
        raise UnknownId(f"There is no {wanted}.")
    return things[wanted]


def paged(rows: Sequence[Any], count: int, before: str) -> tuple[Any, ...]:
    """The newest rows first, or those that are older than the one with an id."""
    return tuple(row for row in rows if not before or int(row.id[1:]) < int(before[1:]))[:count]
