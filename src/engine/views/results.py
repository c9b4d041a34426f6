"""What trading has come to, and how it stands against its limits. Reads only, each answer from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from engine.analysis.performance import performance, tally, trade_stats
from engine.domain.account import Profit
from engine.domain.autonomy import Autonomy
from engine.domain.days import Days, Period
from engine.domain.halts import Halt
from engine.domain.market import Listing
from engine.domain.positions import Portfolio, Position
from engine.domain.results import AtWork, ContextView, Counts, Performance, Strategies, TradeStats
from engine.domain.unmanaged import absence
from engine.ports import Clock, MarketDataAt, NoEntry, nothing_against_it
from engine.risk.limits import RiskLimits
from engine.risk.room import full
from engine.risk.rules import fallen, halted, taken
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork
from engine.views import reports
from engine.views.prices import prices_of_held

T = TypeVar("T")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _anything(symbol: str) -> Decimal:
    del symbol
    return Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The figures of the bot.

    Attributes:
        days: Where days end.
        at_work: The strategies, in the order they were configured.
        limits: The risk limits in force.
        autonomy: How far the bot may go alone.
        no_entry: Tells why a context enters nothing, where that is no halt; empty where it is not so.
        least: Tells the smallest value of an order that the venue takes in a market.
    """

    store: DatabaseReader
    market_data: MarketDataAt
    clock: Clock
    days: Days
    at_work: Sequence[AtWork]
    limits: RiskLimits
    autonomy: Autonomy
    no_entry: NoEntry = nothing_against_it
    least: Callable[[str], Decimal] = _anything

    async def periods(self, period: Period, count: int) -> Profit:
        """The last days, weeks or months, the running one included; those before the account began are left out."""
        spans = self.days.last(period, count, self.clock.now())
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: reports.profit(uow, spans, uow.account.portfolio().valued(prices)))

    async def performance(self) -> Performance:
        """The closed trades by market and by strategy."""
        return await self.store.read(lambda uow: performance(self._closed(uow), uow.account.quote))

    async def stats(self) -> TradeStats:
        """How trades ended."""
        return await self.store.read(lambda uow: trade_stats(self._closed(uow), uow.account.quote))

    async def counts(self) -> Counts:
        """What is open against what may be, at the prices of now."""
        return await self._with_account(self._counts)

    async def strategies(self) -> Strategies:
        """The strategies at work, how each stands, and whether it may enter now."""
        return await self._with_account(self._strategies)

    async def _with_account(self, work: Callable[[UnitOfWork, Portfolio], T]) -> T:
        prices = await prices_of_held(self.store, self.market_data)
        return await self.store.read(lambda uow: work(uow, uow.account.portfolio().valued(prices)))

    def _closed(self, uow: UnitOfWork) -> tuple[Position, ...]:
        return uow.positions.closed_within(_LONG_AGO, self.clock.now())

    def _counts(self, uow: UnitOfWork, account: Portfolio) -> Counts:
        own = [held for held in account.positions if self._is_own(held)]
        asked = [approval.plan.notional for approval in uow.approvals.open()]
        return Counts(
            quote=uow.account.quote,
            equity=account.equity,
            positions=len(own),
            possible=sum(len(each.markets) for each in self.at_work),
            others=len(account.positions) - len(own),
            approvals=len(asked),
            asked=sum(asked, Decimal(0)),
            exposure=account.exposure,
            max_exposure=self.limits.exposure_limit(account),
            coins=_coins(account),
            max_coin=self.limits.coin_limit(account),
            size=self.limits.size_at(account.drawdown),
        )

    def _is_own(self, held: Position) -> bool:
        return not held.is_external and absence(held, self.at_work) is None

    def _strategies(self, uow: UnitOfWork, account: Portfolio) -> Strategies:
        closed, halts = self._closed(uow), tuple(found.halt for found in uow.halts.open())
        return Strategies(
            quote=uow.account.quote,
            contexts=tuple(
                ContextView(
                    at_work=each,
                    held=sum(held.context == each.name for held in account.positions),
                    closed=tally([trade for trade in closed if trade.context == each.name]),
                    obstacles=self._obstacles(each, account, halts),
                )
                for each in self.at_work
            ),
            auto_above=self.autonomy.auto_above,
            ask_above=self.autonomy.ask_above,
        )

    def _obstacles(self, at_work: AtWork, account: Portfolio, halts: Sequence[Halt]) -> tuple[tuple[str, str], ...]:
        """Why a context cannot enter its markets, by the rules that need no plan, in their order."""
        everywhere = self.no_entry(at_work.name) or fallen(account, self.limits)
        now, limits = self.clock.now(), self.limits.of(at_work.name)

        def obstacle(symbol: str) -> str:
            listing = Listing(at_work.venue, symbol)
            return (
                halted(listing, halts, now)
                or everywhere
                or taken(at_work.name, symbol, account)
                or full(listing, account, limits, self.least(symbol))
            )

        return tuple((market, reason) for market in at_work.markets if (reason := obstacle(market)))


def _coins(account: Portfolio) -> tuple[tuple[str, Decimal], ...]:
    """What is held of each coin or being bought, by value."""
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    for held in account.positions:
        values[_base(held.symbol)] += held.notional(account.mark(held))
    for order in account.buying:
        values[_base(order.symbol)] += order.value
    return tuple(sorted(values.items(), key=lambda each: (-each[1], each[0])))


def _base(symbol: str) -> str:
    """The coin of a market: ``BTC`` of ``BTC/USDT``."""
    return symbol.partition("/")[0]
