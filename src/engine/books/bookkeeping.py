"""The account at each close: marks, the equity curve, halts that begin and end by themselves.

Fills are booked as venues tell them, by ``engine.execution.fills``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial

import structlog

from engine.books.digests import fix_days
from engine.domain.days import Days
from engine.domain.decisions import QualityReport
from engine.domain.errors import DataError, StoreError, VenueError
from engine.domain.market import Listing, Timeframe
from engine.domain.positions import Portfolio
from engine.inputs.candles import CheckedCandles
from engine.inputs.data_halts import note_changes
from engine.ports import MarketDataAt, market_data_of
from engine.risk.halts import drawdown_halt, paused_drawdown
from engine.risk.limits import RiskLimits
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork
from engine.support.batches import in_batches

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Close:
    """What a market closed at, if its candles can be believed, and what these are like."""

    price: Decimal | None
    report: QualityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeping:
    """Keeps the books of one account.

    Attributes:
        markets: The traded markets at their venues, each with the timeframe whose closes it is marked at.
        late_after: How many wall seconds each market has to answer before the others are marked without it; ``None``
            where all answer at once, as in a replay.
        idle: The other markets that the venues have: they are marked while something is held of them.
        candles: The closes that it is marked at, checked before anything is valued at them.
        days: Where days end.
        told_weekly: Whether people are told of weeks instead of days; each day has its figures all the same.
    """

    store: Database
    market_data: MarketDataAt
    markets: Mapping[Listing, Timeframe]
    candles: CheckedCandles
    limits: RiskLimits
    days: Days
    told_weekly: bool = False
    late_after: float | None = None
    idle: Mapping[Listing, Timeframe] = field(default_factory=dict)
    _late: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def mark_to_market(self, at: datetime, venue: str = "") -> None:
        """Note the closing price of every market that is traded or held, and has a good one.

        A market without one keeps its last good price, one that is late until its close is there; its data is none of
        the other markets' business.

        Args:
            at: When it closed.
            venue: The venue whose markets are marked; empty for all.
        """
        known = {**self.markets, **await self._held_beside()}
        marked = {listing: timeframe for listing, timeframe in known.items() if venue in ("", listing.venue)}
        asked = {listing: partial(self._close_of, listing, timeframe, at) for listing, timeframe in marked.items()}
        batches = in_batches(asked, self.late_after)
        found = await anext(batches)
        await self.store.transact(lambda uow: _mark(uow, found, at))
        if len(found) < len(asked):
            late = asyncio.create_task(self._mark_late(batches, at))
            self._late.add(late)
            late.add_done_callback(self._late.discard)

    async def _mark_late(self, batches: AsyncGenerator[dict[Listing, _Close], None], at: datetime) -> None:
        """Mark each market that was late once its close is there."""
        async with aclosing(batches):
            async for found in batches:
                try:
                    await self.store.transact(partial(_mark, seen=found, at=at))
                except StoreError as error:
                    _log.error("a late close could not be kept", markets=list(found), error=error.message)

    async def stop(self) -> None:
        """Wait for no market that is late any more."""
        for late in self._late:
            late.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _held_beside(self) -> dict[Listing, Timeframe]:
        if not self.idle:
            return {}
        held = {position.listing for position in await self.store.read(lambda uow: uow.positions.open())}
        return {listing: timeframe for listing, timeframe in self.idle.items() if listing in held}

    async def _close_of(self, listing: Listing, timeframe: Timeframe, at: datetime) -> _Close:
        try:
            market_data = market_data_of(self.market_data, listing.venue)
            candles, report = await self.candles.at(listing, timeframe, at)
            if not len(candles) or not report.priced or candles.closed_at != at:
                return _Close(price=None, report=report)
            return _Close(price=market_data.market(listing.symbol).price(float(candles.close[-1])), report=report)
        except (VenueError, DataError):
            return _Close(price=None, report=QualityReport())

    async def record_equity(self, at: datetime) -> None:
        """Put the account on the equity curve; halt entries where it has fallen too far."""
        await self.store.transact(lambda uow: self.record(uow, at))

    def record(self, uow: UnitOfWork, at: datetime) -> None:
        """Put the account on the equity curve at its marks of now; halt entries where it has fallen too far."""
        portfolio = uow.account.record_equity(at, self.markets)
        halt = drawdown_halt(portfolio, [found.halt for found in uow.halts.open()], self.limits, at)
        uow.account.note_pause(paused_drawdown(portfolio, self.limits))
        if halt is not None:
            begin_halt(uow, halt)

    def record_closes(self, uow: UnitOfWork, closes: Mapping[datetime, Mapping[Listing, Decimal]]) -> int:
        """Mark to market and record equity at closes between which nothing but prices changes.

        Args:
            uow: The transaction.
            closes: What each market closed at, by the time of the close, oldest first.

        Returns:
            How many: those before the first at which a halt begins.
        """
        return uow.account.record_closes(closes, self.markets, self._judged(uow))

    def record_close(self, uow: UnitOfWork, at: datetime, closes: Mapping[Listing, Decimal]) -> None:
        """Mark to market and record equity at one close, whatever comes of it."""
        uow.account.mark(closes, at)
        self.record(uow, at)

    def foresee(self, uow: UnitOfWork, closes: Mapping[datetime, Mapping[Listing, Decimal]]) -> int:
        """How many of some closes would be recorded."""
        return sum(1 for _ in uow.account.foresee(closes, self._judged(uow)))

    def _judged(self, uow: UnitOfWork) -> Callable[[Portfolio, datetime], Portfolio | None]:
        """What a close makes of the account, unless a halt begins at it."""
        standing = [found.halt for found in uow.halts.open()]

        def judged(portfolio: Portfolio, at: datetime) -> Portfolio | None:
            if drawdown_halt(portfolio, standing, self.limits, at) is not None:
                return None
            return replace(portfolio, paused_drawdown=paused_drawdown(portfolio, self.limits))

        return judged

    async def end_halts(self, at: datetime) -> None:
        """End the halts whose time is over."""
        await self.store.transact(lambda uow: _end_halts(uow, at))

    async def next_halt_end(self) -> datetime | None:
        """When the next halt ends by itself."""
        standing = await self.store.read(lambda uow: uow.halts.open())
        return min((found.halt.until for found in standing if found.halt.until is not None), default=None)

    async def digest(self, at: datetime) -> None:
        """Fix the figures of each day that has ended by a time and has none yet; people are told of the newest."""
        await self.store.transact(lambda uow: fix_days(uow, self.days, at, told_weekly=self.told_weekly))


def _mark(uow: UnitOfWork, seen: Mapping[Listing, _Close], at: datetime) -> None:
    """What was bought as one thing is not valued at the price of another: a market that has changed keeps its mark."""
    changed = {listing for listing, close in seen.items() if note_changes(uow, listing, close.report, at)}
    closes = {listing: close.price for listing, close in seen.items() if close.price is not None}
    uow.account.mark({listing: price for listing, price in closes.items() if listing not in changed}, at)


def _end_halts(uow: UnitOfWork, at: datetime) -> None:
    for found in uow.halts.open():
        if found.halt.until is not None and found.halt.until <= at:
            end_halt(uow, found, found.halt.until)  # however late anybody looks, entries were possible from then on
