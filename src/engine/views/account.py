"""The account as people may see it. Reads only; what is kept comes from one snapshot, prices of now from the venue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.books.digests import account_at, days_to_come, figures
from engine.domain.account import Balance, EquityCurve, EquityPoint, Profit, Status
from engine.domain.days import Day, Days, Period
from engine.domain.digests import Digest
from engine.domain.errors import UnknownId
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt
from engine.domain.market import Listing
from engine.domain.payments import Payment
from engine.domain.results import AtWork
from engine.domain.trade_views import PositionView
from engine.domain.trading_states import StateChange, TradingState
from engine.domain.unmanaged import absence
from engine.ports import Clock, MarketDataAt
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork
from engine.views import reports
from engine.views.prices import prices_of_held


def _none() -> None:
    """Everything can be written down, as far as a process knows that writes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountViews:
    """How the account stands and what it made: followers are shown this alone.

    Attributes:
        venue: The venue and account.
        contexts: The contexts that are configured; those without markets are not at work.
        days: Where days end.
        no_entry: Tells why nothing is entered in any context, where that is no halt; empty where it is not so.
        unwritten: Tells the halt that cannot be written down, for nothing can be.
    """

    store: DatabaseReader
    venue: str
    market_data: MarketDataAt
    clock: Clock
    profile: str
    contexts: Sequence[AtWork]
    days: Days
    no_entry: Callable[[], str] = str
    unwritten: Callable[[], Halt | None] = _none

    async def status(self) -> Status:
        """The bot at a glance."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: self._status(uow, prices))

    async def positions(self) -> tuple[PositionView, ...]:
        """What is held, at the prices of now."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: self._positions(uow, prices))

    async def status_and_positions(self) -> tuple[Status, tuple[PositionView, ...]]:
        """Both at the same prices, for who shows them side by side."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: (self._status(uow, prices), self._positions(uow, prices)))

    def _positions(self, uow: UnitOfWork, prices: Mapping[Listing, Decimal]) -> tuple[PositionView, ...]:
        portfolio = uow.account.portfolio().valued(prices)
        return tuple(reports.position(uow, held, portfolio, self.contexts) for held in portfolio.positions)

    async def several_venues(self) -> tuple[str, ...]:
        """The venues, where the account has several and people have to tell them apart; else none."""
        found = await self.store.read(lambda uow: uow.ledger.venues())
        return found if len(found) > 1 else ()

    async def balance(self) -> Balance:
        """What the account owns, at the prices of now."""
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(
            lambda uow: reports.balance(uow.account.portfolio().valued(prices), uow.account.quote)
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
        return await self.store.read(lambda uow: reports.benchmark(uow, begin, now))

    async def _profit(self, spans: Sequence[tuple[datetime, Day]]) -> Profit:
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: reports.profit(uow, spans, uow.account.portfolio().valued(prices)))

    def unwritten_halts(self) -> tuple[HaltView, ...]:
        """The halts that are known from memory alone; they have no id yet. None of it needs the database."""
        halt = self.unwritten()
        return (HaltView(id="", halt=halt),) if halt else ()

    async def digest(self, digest_id: str) -> Digest:
        """The figures of a day or a week that has ended.

        Raises:
            UnknownId: That day has not been fixed, or no day of that week.
        """
        return await self.store.read(lambda uow: reports.digest(uow, digest_id))

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
            for found in (running, *uow.digests.newest(1)):
                if found is not None:
                    return found
            raise UnknownId("There are no figures yet.", "Ask again after the first candle.")

        return await self.store.read(work)

    async def digests(self, count: int) -> tuple[Digest, ...]:
        """The figures of the newest days that have ended, newest first."""
        return await self.store.read(lambda uow: uow.digests.newest(count))

    async def equity_curve(self, points: int) -> tuple[EquityPoint, ...]:
        """The newest points of the equity curve, oldest first."""
        return await self.store.read(lambda uow: uow.curve.newest(points))

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
            if uow.curve.last_at() is None:
                raise UnknownId("There is nothing to draw yet.", "Ask again after the next candles.")
            return reports.curve(uow, now - timedelta(days=days), now, uow.account.portfolio().valued(prices))

        return await self.store.read(work)

    def _status(self, uow: UnitOfWork, prices: Mapping[Listing, Decimal]) -> Status:
        portfolio, now = uow.account.portfolio().valued(prices), self.clock.now()
        began, last = reports.began_at(uow), reports.point_of(uow, portfolio, now)
        opened, day = uow.curve.opened_as(began or now), account_at(uow, self.days.begin(now))
        whole, today = reports.change(uow, opened, last), reports.change(uow, day, last)
        halts = (*(reports.halt(uow, found) for found in uow.halts.open()), *self.unwritten_halts())
        no_entry = self.no_entry()
        return Status(
            profile=self.profile,
            venue=self.venue,
            quote=uow.account.quote,
            now=now,
            trading=not no_entry and not any(found.halt.blocks(None, now) for found in halts),
            halts=halts,
            equity=portfolio.equity,
            cash=portfolio.free_cash,
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
            contexts=tuple(each.name for each in self.contexts if each.markets),
            last_cycle_at=uow.curve.last_at(),
            prices=_named(portfolio.marks or {}),
            no_entry=no_entry,
            paid_in=whole.paid_in,
            paid_out=whole.paid_out,
            unmanaged=tuple(held.id for held in portfolio.positions if absence(held, self.contexts)),
            deliberations=tuple(f"{of.proposal.symbol} ({of.proposal.context})" for of in uow.deliberations.all()),
            state=_state(uow.trading_states.current(), self.unwritten_halts()),
        )


def _state(written: StateChange | None, unwritten: Sequence[HaltView]) -> StateChange | None:
    """How far the bot may trade: as written down, unless that is everything and something cannot be written down."""
    if not unwritten or (written is not None and written.state is not TradingState.ACTIVE):
        return written
    halt = unwritten[0].halt
    return StateChange(state=TradingState.REDUCING, at=halt.since, reason=halt.reason, by=halt.by)


def _named(marks: Mapping[Listing, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    """Prices by symbol, with the venue where several have the same one."""
    known = Counter(listing.symbol for listing in marks)
    return tuple(
        (f"{symbol} at {venue}" if known[symbol] > 1 else symbol, price) for (venue, symbol), price in marks.items()
    )
