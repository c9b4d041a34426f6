"""What people may see. Reads only; what is kept comes from one snapshot, prices of now from the venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine import reporting
from engine.digests import days_to_come, figures
from engine.domain.account import Balance, EquityCurve, EquityPoint, Profit, Status
from engine.domain.approvals import Approval
from engine.domain.days import Day, Days, Period
from engine.domain.decision_views import ApprovalView, Why
from engine.domain.decisions import Judged
from engine.domain.digests import Digest
from engine.domain.errors import NoData, UnknownId, VenueError
from engine.domain.halt_views import EmergencyView, Exposed, HaltView, Recovery
from engine.domain.halts import Halt
from engine.domain.health import Part, PlatformTrouble
from engine.domain.orders import Order
from engine.domain.payments import Payment
from engine.domain.people import AuditEntry, Stranger
from engine.domain.positions import Position
from engine.domain.streaks import Streak
from engine.domain.trade_views import ExternalView, FillView, PositionView, TradeCandles, TradeView
from engine.domain.trade_window import windows
from engine.execution.emergency import exposed, progress, standing
from engine.ports import Clock, MarketData, TimeLeft, by_the_market
from engine.risk.rules import RiskLimits
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork
from engine.valuation import ask, book, prices_of_held


def _none() -> None:
    """Everything can be written down, as far as a process knows that writes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The windows of the bot.

    Attributes:
        venue: The venue and account.
        contexts: Names of the strategy contexts at work.
        days: Where days end.
        limits: By which the sizes of entries are reduced after a drawdown.
        parts: Tells the health of each part of the program.
        no_entry: Tells why nothing is entered in any context, where that is no halt; empty where it is not so.
        time_left: Tells how long people have for an answer by their own clock.
        unwritten: Tells the halt that cannot be written down, for nothing can be.
    """

    store: DatabaseReader
    venue: str
    market_data: MarketData
    clock: Clock
    profile: str
    contexts: Sequence[str]
    days: Days
    limits: RiskLimits
    parts: Callable[[], Sequence[Part]]
    no_entry: Callable[[], str] = str
    time_left: TimeLeft = by_the_market
    unwritten: Callable[[], Halt | None] = _none

    async def strangers(self) -> tuple[Stranger, ...]:
        """Who wrote of late and is not listed, the newest first."""
        return await self.store.read(lambda uow: uow.strangers.recent())

    async def status(self) -> Status:
        """The bot at a glance."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: self._status(uow, prices))

    async def positions(self) -> tuple[PositionView, ...]:
        """What is held, at the prices of now."""
        prices = await prices_of_held(self.store, self.market_data)

        def work(uow: UnitOfWork) -> tuple[PositionView, ...]:
            portfolio = uow.account.portfolio().valued(prices)
            return tuple(reporting.position(uow, held, portfolio) for held in portfolio.positions)

        return await self.store.read(work)

    async def balance(self) -> Balance:
        """What the account owns, at the prices of now."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(
            lambda uow: reporting.balance(uow.account.portfolio().valued(prices), uow.account.quote)
        )

    async def profit(self, days: int) -> Profit:
        """The last days, the running one included."""
        return await self._profit(self.days.last(Period.DAY, days, self.clock.now()))

    async def since(self, begin: datetime) -> Profit:
        """What all the time from a moment to now came to, as if it were one day."""
        now = self.clock.now()
        return await self._profit([(begin, Day(date=begin.date(), ends=now))])

    async def benchmark_since(self, begin: datetime) -> Decimal | None:
        """What holding the traded markets has come to from a moment to now, as ``since`` tells it."""
        now = self.clock.now()
        return await self.store.read(lambda uow: reporting.benchmark(uow, begin, now))

    async def _profit(self, spans: Sequence[tuple[datetime, Day]]) -> Profit:
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: reporting.profit(uow, spans, uow.account.portfolio().valued(prices)))

    async def trades(self, count: int, before: str = "", status: str = "") -> tuple[Position, ...]:
        """The newest trades first; only the ``open`` or the ``closed`` ones, where a status is given.

        Here as in the lists below, with an id the next page: what is older than what has it.
        """
        return await self.store.read(lambda uow: uow.positions.newest(count, before, status))

    async def trade(self, position_id: str) -> TradeView:
        """One trade, from its decision to its end.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: reporting.trade(uow, position_id))

    async def has_stop(self, position_id: str) -> bool:
        """Whether the venue is known to hold a stop for a trade."""
        return await self.store.read(lambda uow: reporting.has_stop(uow, position_id))

    async def asked_for(self, position_id: str) -> str:
        """The id of the question that a trade came from; empty where nobody was asked.

        Raises:
            UnknownId: There is no trade with that id.
        """

        def work(uow: UnitOfWork) -> str:
            asked = uow.approvals.of_decision(uow.positions.decision_of(position_id))
            return asked.id if asked else ""

        return await self.store.read(work)

    async def pending(self) -> tuple[ApprovalView, ...]:
        """The open questions, oldest first."""
        return await self._approval_views(await self.store.read(lambda uow: uow.approvals.open()))

    async def approvals(self, count: int, before: str = "") -> tuple[ApprovalView, ...]:
        """The newest questions first, open or settled."""
        return await self._approval_views(await self.store.read(lambda uow: uow.approvals.newest(count, before)))

    async def approval(self, approval_id: str) -> ApprovalView:
        """One question.

        Raises:
            UnknownId: There is none with that id.
        """
        approval = await self.store.read(lambda uow: uow.approvals.get(approval_id))
        return (await self._approval_views((approval,)))[0]

    async def why(self, any_id: str) -> Why | TradeView:
        """Everything that led to a decision, found by its own id or that of its approval, order or trade.

        Of what somebody else traded there is the trade alone.

        Raises:
            UnknownId: Nothing has that id, or it is somebody else's and no trade of this account's.
        """
        return await self.store.read(lambda uow: reporting.why(uow, any_id.upper()))

    async def halt(self, halt_id: str) -> HaltView:
        """One halt.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.halts.get(halt_id))

    def unwritten_halts(self) -> tuple[HaltView, ...]:
        """The halts that are known from memory alone; they have no id yet. None of it needs the database."""
        halt = self.unwritten()
        return (HaltView(id="", halt=halt),) if halt else ()

    async def exposed(self) -> Exposed:
        """What an emergency stop would end now."""
        return await self.store.read(exposed)

    async def emergency(self, halt_id: str) -> EmergencyView:
        """How far an emergency stop is.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: progress(uow, halt_id))

    async def standing_emergency(self) -> str:
        """The id of the emergency stop that is not over; empty where there is none."""
        return await self.store.read(standing)

    async def recovery(self, halt_id: str) -> Recovery:
        """How entries come back after a drawdown halt.

        Raises:
            UnknownId: There is none with that id.
        """
        now = self.clock.now()
        return await self.store.read(lambda uow: reporting.recovery(uow, halt_id, self.limits, now))

    async def streak(self, streak_id: str) -> Streak:
        """Losses in a row of a strategy context.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.streaks.get(streak_id))

    async def external(self, order_id: str) -> ExternalView:
        """What somebody else did to the account, by the order that shows it.

        Raises:
            UnknownId: There is no such order.
        """
        return await self.store.read(lambda uow: reporting.external(uow, order_id))

    async def digest(self, digest_id: str) -> Digest:
        """The figures of a day or a week that has ended.

        Raises:
            UnknownId: That day has not been fixed, or no day of that week.
        """
        return await self.store.read(lambda uow: reporting.digest(uow, digest_id))

    async def latest_digest(self) -> Digest:
        """The figures of the running day so far, at the prices of now; of the last one where the day has only begun.

        Raises:
            UnknownId: Nothing has been counted yet.
        """
        prices, now = await prices_of_held(self.store, self.market_data), self.clock.now()

        def work(uow: UnitOfWork) -> Digest:
            names = (day.name for day in days_to_come(uow, self.days) if day.ends > now)
            running = figures(uow, next(names, ""), now, uow.account.portfolio().valued(prices))
            if running is not None and running.ends - running.begins < timedelta(minutes=1):
                running = None  # a day that has only begun says nothing
            for found in (running, *uow.account.newest_digests(1)):
                if found is not None:
                    return found
            raise UnknownId("There are no figures yet.", "Ask again after the first candle.")

        return await self.store.read(work)

    async def digests(self, count: int) -> tuple[Digest, ...]:
        """The figures of the newest days that have ended, newest first."""
        return await self.store.read(lambda uow: uow.account.newest_digests(count))

    async def trouble(self, trouble_id: str) -> PlatformTrouble:
        """One time that a platform was not well.

        Raises:
            UnknownId: There is none with that id.
        """
        return await self.store.read(lambda uow: uow.troubles.get(trouble_id))

    async def equity_curve(self, points: int) -> tuple[EquityPoint, ...]:
        """The newest points of the equity curve, oldest first."""
        return await self.store.read(lambda uow: uow.account.newest_equity(points))

    async def payments(self) -> tuple[Payment, ...]:
        """All that was ever paid in and out, in the order in which it was booked."""
        return await self.store.read(lambda uow: uow.account.payments())

    async def curve(self, days: int) -> EquityCurve:
        """The account over the last days, as far as it is that old.

        Raises:
            UnknownId: Nothing has been recorded of them yet.
        """
        prices, now = await prices_of_held(self.store, self.market_data), self.clock.now()

        def work(uow: UnitOfWork) -> EquityCurve:
            if uow.account.last_equity_at() is None:
                raise UnknownId("There is nothing to draw yet.", "Ask again after the next candles.")
            return reporting.curve(uow, now - timedelta(days=days), now, uow.account.portfolio().valued(prices))

        return await self.store.read(work)

    async def trade_candles(self, position_id: str) -> TradeCandles:
        """A trade with the candles around it, on its own timeframe if it is not too long for that.

        Raises:
            UnknownId: There is no trade with that id.
            NoData: The venue does not remember any candle of that time.
        """
        trade, now = await self.trade(position_id), self.clock.now()
        held, decided_on = trade.position, trade.decision.timeframe if trade.decision else ""
        found = await book(self.market_data, held.symbol) if held.is_open else None
        for window in windows(held.opened_at, held.closed_at, now, decided_on):
            with suppress(VenueError):
                candles = await self.market_data.candles(held.symbol, window.timeframe, window.count, window.until)
                if len(candles) and candles.closed_at > held.opened_at:
                    return TradeCandles(trade=trade, candles=candles, now=now, price=found.mid if found else None)
        raise NoData(f"There are no candles of the time of {position_id}.", f"/why {position_id} tells its story.")

    async def orders(self, count: int, before: str = "") -> tuple[Order, ...]:
        """The newest orders first."""
        return await self.store.read(lambda uow: uow.orders.newest(count, before))

    async def fills(self, count: int, before: str = "") -> tuple[FillView, ...]:
        """The newest fills first."""
        return await self.store.read(lambda uow: uow.orders.newest_fills(count, before))

    async def decisions(self, count: int, before: str = "") -> tuple[Judged, ...]:
        """The newest decisions first."""
        return await self.store.read(lambda uow: uow.decisions.newest(count, before))

    async def audit(self, count: int, before: str = "") -> tuple[AuditEntry, ...]:
        """The newest audit entries first."""
        return await self.store.read(lambda uow: uow.chat.newest_audit(count, before))

    async def health(self) -> tuple[Part, ...]:
        """How each part of the program is."""
        return tuple(self.parts())

    def _status(self, uow: UnitOfWork, prices: Mapping[str, Decimal]) -> Status:
        portfolio, now = uow.account.portfolio().valued(prices), self.clock.now()
        began, last = reporting.began_at(uow), reporting.point_of(uow, portfolio, now)
        opened, day = uow.account.opened_as(began or now), uow.account.point_at(self.days.begin(now))
        whole, today = reporting.change(uow, opened, last), reporting.change(uow, day, last)
        halts = (*uow.halts.open(), *self.unwritten_halts())
        no_entry = self.no_entry()
        return Status(
            profile=self.profile,
            venue=self.venue,
            quote=uow.account.quote,
            now=now,
            trading=not no_entry and not any(found.halt.blocks("", now) and not found.halt.symbol for found in halts),
            halts=halts,
            equity=portfolio.equity,
            cash=portfolio.cash,
            exposure=portfolio.exposure,
            drawdown=portfolio.drawdown,
            day_net=today.net,
            day_share=today.share,
            day_benchmark=today.held(day.benchmark, last.benchmark),
            began_at=began,
            net=whole.net,
            share=whole.share,
            benchmark=whole.held(opened.benchmark, last.benchmark) if began else None,
            positions=len(portfolio.positions),
            pending=len(uow.approvals.open()),
            contexts=tuple(self.contexts),
            last_cycle_at=uow.account.last_equity_at(),
            prices=tuple((portfolio.marks or {}).items()),
            no_entry=no_entry,
            paid_in=whole.paid_in,
            paid_out=whole.paid_out,
        )

    async def _approval_views(self, approvals: Sequence[Approval]) -> tuple[ApprovalView, ...]:
        prices = {
            symbol: await ask(self.market_data, symbol)
            for symbol in dict.fromkeys(approval.plan.symbol for approval in approvals)
        }
        now = self.clock.now()
        found = await self.store.read(
            lambda uow: tuple(reporting.approval(uow, each, prices[each.plan.symbol], now) for each in approvals)
        )
        return tuple(replace(each, wall_left=self._left(each.approval, now)) for each in found)

    def _left(self, asked: Approval, now: datetime) -> timedelta | None:
        return self.time_left(asked.asked_at, asked.expires_at, now)
