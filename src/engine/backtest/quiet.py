"""Closes at which nothing but prices changes, taken many at a time: they are decided on, and the account is valued.

    nothing is under way    all that is held is protected, no order is waited for, no market is halted for its data
    the market is sound     there is nothing to be said of any candle that joins
    strategies are silent   none enters, and none leaves what it holds; the last close may be the one at which one does
    the venue is still      the price meets no order

Where any of this ends, the job that does each close by itself goes on, and finds everything as if it had done these
too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Protocol

import numpy as np

from engine.books.bookkeeping import Bookkeeping
from engine.domain.decisions import Frame, QualityReport
from engine.domain.errors import DataError, StrategyError
from engine.domain.halts import HaltKind
from engine.domain.market import Candles, Listing, Market, Timeframe
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.snapshots import MarketSnapshot
from engine.flow.cycle import Wanted, decide_at_closes, looked_at, wanted_by
from engine.flow.deciding import Outcome, decide_at_close
from engine.flow.observing import checked, observe
from engine.flow.services import CycleServices
from engine.flow.silence import Silence
from engine.jobs.table import CANDLE, PREDICTIONS, Job
from engine.ports import market_data_of
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.consolidation import Consolidation
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.reading_ahead import ReadingAhead
from engine.timing.clocks import MarketClock

AT_ONCE = 90
"""How many decisions are written down at a time: people are waiting."""
_OF_DATA = (HaltKind.DATA, HaltKind.CHANGED)


class StillVenue(Protocol):
    """A venue that knows what its orders are going to meet."""

    name: str

    def still_until(self, until: datetime) -> datetime:
        """Up to when none of its orders meets the market, at the latest a time that may lie ahead."""
        ...


class Research(Protocol):
    """What is found out at each close once it was decided on, where it can be at once, and is not waited for."""

    def goes_along(self, span: timedelta) -> bool:
        """Whether it can be for closes that are so far apart."""
        ...

    async def begin(self, until: datetime) -> bool:
        """Get ready for closes up to a time; whether it is."""
        ...

    async def make_at_once(self, at: datetime) -> None:
        """Find out what there is at a close; what is decided from then on knows it, as far as it is kept."""
        ...

    def keep(self, uow: UnitOfWork) -> None:
        """Write all of it down."""
        ...

    def end(self) -> None:
        """Be done with it; what was not written down is forgotten."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Closes that are quiet.

    Attributes:
        count: How many.
        own: What is seen of each market at the first of them.
        held: What is held all along.
        silent: For how many closes each context has nothing to say of each of its markets.
    """

    count: int
    own: Mapping[str, Frame]
    held: tuple[Position, ...]
    silent: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietCloses:
    """Takes closes at one venue, whose feed has all of its market.

    Args:
        contexts: All of them; of several lengths of candles none is ever taken.
        clock: Goes along from close to close, and each is decided on and written down; where there is none they leave
            no decision behind, for a run whose records nobody reads.
        research: What is found out at each close; done along with it as far as that is possible at once.
        answering: Whether a person asks or answers something, which has the time at which they did.
    """

    services: CycleServices
    contexts: StrategyContexts
    books: Bookkeeping
    venue: StillVenue
    clock: MarketClock | None = None
    research: Research | None = None
    answering: Callable[[], bool] = lambda: False

    def of(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """The same jobs, of which that for the candles does so many at once, and research goes along with it."""
        return tuple(map(self._changed, jobs))

    def _changed(self, job: Job) -> Job:
        if job.name == CANDLE:
            return replace(job, ahead=self.take)
        if job.name == PREDICTIONS and self.clock is not None and self.research is not None:
            return replace(job, along=partial(self.research.goes_along, self._span))
        return job

    @property
    def _span(self) -> timedelta:
        """How far closes are apart."""
        return min(context.timeframe.duration for context in self.contexts)

    async def take(self, at: datetime, before: datetime, most: int) -> int:
        """Take a close and those that follow, before a time and so many at the most, as far as they are quiet.

        Returns:
            How many were taken; 0 where this one has to be done by itself.
        """
        count = self._at_most(at, before, most)
        if count and self.clock is not None and not self.services.store.waiting:
            # While something waits the venue notes nothing: how far it is would after a crash pass for decided on.
            await self.services.store.transact(lambda _: None)
        run = await self._quiet(at, count)
        if run is None or run.count <= 0:
            return 0
        closes = self._closes(run.own, [at + number * self._span for number in range(run.count)])
        if self.clock is None:
            return await self.services.store.transact(lambda uow: self.books.record_closes(uow, closes))
        return await self._decide(run, closes, self.clock)

    def _at_most(self, at: datetime, before: datetime, most: int) -> int:
        """How many closes there are before a time, and may be taken together; none where an answer is waited for."""
        lengths = {context.timeframe for context in self.contexts}
        if len(lengths) > 1 or not self.services.derivatives.source.at_once:
            return 0
        count = min(most, -((at - before) // lengths.pop().duration))
        if self.clock is None:
            return count
        return min(count, max(1, AT_ONCE // sum(len(context.markets) for context in self.contexts)))

    async def _quiet(self, at: datetime, count: int) -> _Run | None:
        """Closes that are quiet, so many at the most; ``None`` where this one is not."""
        held = await self.services.store.read(partial(self._held, at=at)) if count > 0 else None
        if held is None:
            return None
        found: dict[Wanted, Mapping[Timeframe, Frame]] = {}
        for wanted, (context, symbol) in looked_at(tuple(self.contexts)).items():
            found[wanted] = await self._seen(context, symbol, at)
            count = min(count, self._sound(found[wanted], at))
        if count <= 0:
            return None
        own: dict[str, Frame] = {}
        silent: dict[tuple[str, str], int] = {}
        for context, symbol in self._pairs():
            frames = found[wanted_by(context, symbol)]
            silent[context.name, symbol] = each = self._silent(context, frames, _of(held, context, symbol), at)
            # The close at which one speaks is the last where closes are decided on; else nobody would carry it out.
            count = min(
                count, each if self.clock is None or not isinstance(context.strategy, ReadingAhead) else each + 1
            )
            if count <= 0:
                return None
            own[symbol] = frames[context.timeframe]
        if not await self.services.orchestrator.is_at_rest(self.venue.name):
            return None
        count = -((at - self.venue.still_until(at + count * self._span)) // self._span)
        return _Run(count=count, own=own, held=held, silent=silent)

    def _pairs(self) -> list[tuple[StrategyContext, str]]:
        """Every context with each of its markets, in the order in which they are decided on."""
        return [(each, symbol) for each in self.contexts for symbol in each.markets]

    async def _decide(self, run: _Run, closes: Mapping[datetime, Mapping[Listing, Decimal]], clock: MarketClock) -> int:
        """Decide on each close as ever, and write all of it down at once.

        On the way nobody else has a turn: all that is asked is answered at once. Orders can only come of the last
        close; they are sent once all is written down, and its equity is recorded once the venue has answered.
        """
        services = self.services
        times = list(closes)[: await services.store.read(lambda uow: self.books.foresee(uow, closes))]
        if not times or not await self._research_begun(times[-1]) or self.answering():
            return 0  # somebody has begun to while this was looked into: what they ask would be hours old at once
        orders = await self._decide_all(run, {at: closes[at] for at in times}, clock)
        if orders:
            try:
                for order in orders:
                    await services.orchestrator.send(order)
                await services.orchestrator.sync_venue_events(self.venue.name)
            finally:
                await self.books.record_equity(times[-1])
        return len(times)

    async def _research_begun(self, until: datetime) -> bool:
        if self.research is None or not self.research.goes_along(self._span):
            return True
        return await self.research.begin(until)

    async def _decide_all(
        self, run: _Run, closes: Mapping[datetime, Mapping[Listing, Decimal]], clock: MarketClock
    ) -> list[Order]:
        """Look at each close, and find out then what the next one is to know; write all of it down at once."""
        research = self.research if self.research is not None and self.research.goes_along(self._span) else None
        seen: dict[datetime, Mapping[Wanted, MarketSnapshot]] = {}
        try:
            for at in closes:
                seen[at] = await self._observed(at, clock)
                if research is not None:
                    await research.make_at_once(at)
            return await self.services.store.transact(
                partial(self._conclude, run=run, seen=seen, closes=closes, research=research)
            )
        finally:
            if research is not None:
                research.end()

    async def _observed(self, at: datetime, clock: MarketClock) -> Mapping[Wanted, MarketSnapshot]:
        """What is seen of each market once the market's clock has gone to a close."""
        clock.move_to(at)
        wanted = looked_at(tuple(self.contexts)).items()
        return {each: await observe(self.services, context, symbol, at) for each, (context, symbol) in wanted}

    def _conclude(
        self,
        uow: UnitOfWork,
        run: _Run,
        seen: Mapping[datetime, Mapping[Wanted, MarketSnapshot]],
        closes: Mapping[datetime, Mapping[Listing, Decimal]],
        research: Research | None,
    ) -> list[Order]:
        """Decide on each close; what is to be ordered at the last one, whose equity is then not recorded yet."""
        *silent, last = seen
        for number, at in enumerate(silent):
            self._concluded(uow, run, number, seen[at], at)
        recorded = self.books.record_closes(uow, {at: closes[at] for at in silent})
        for at in silent[recorded:]:  # somebody has traded meanwhile, as on a server they may
            self.books.record_close(uow, at, closes[at])
        uow.account.mark(closes[last], last)
        orders = self._concluded(uow, run, len(silent), seen[last], last)
        if not orders:
            self.books.record(uow, last)
        if research is not None:
            research.keep(uow)
        return orders

    def _concluded(
        self, uow: UnitOfWork, run: _Run, number: int, seen: Mapping[Wanted, MarketSnapshot], at: datetime
    ) -> list[Order]:
        """Decide on one close, the first with the number 0; the orders that were written down for sending."""
        own = self.services.consolidation is Consolidation.OWN
        if not own or uow.positions.open() != run.held or not uow.decisions.begins(at):
            found = decide_at_closes(self.services, tuple(self.contexts), seen, uow, at)
            return [order for _, outcome in found for order in _decided(outcome).orders]
        silence, orders = Silence(self.services, at), list[Order]()
        for context, symbol in self._pairs():
            market = seen[wanted_by(context, symbol)]
            if number >= run.silent[context.name, symbol] or not silence.hold(uow, context, market):
                orders += decide_at_close(self.services, uow, context, market, at).orders
        return orders

    def _held(self, uow: UnitOfWork, at: datetime) -> tuple[Position, ...] | None:
        """What is held; ``None`` where a market is halted for its data, or the close was decided on already."""
        held = uow.positions.open()
        rests = (
            not any(found.halt.kind in _OF_DATA for found in uow.halts.open())
            and all(position.listing in self.books.markets for position in held)
            and not uow.decisions.made_since(at)
        )
        return held if rests else None

    async def _seen(self, context: StrategyContext, symbol: str, at: datetime) -> Mapping[Timeframe, Frame]:
        """What is seen at a close of every timeframe; nothing where there is anything to be said of it."""
        candles, report = await checked(self.services, context, symbol, at)
        if not _is_sound(report) or len(candles) < len(context.strategy.timeframes):
            return {}
        if candles[context.timeframe].closed_at != at:
            return {}
        known = self.services.frames.setdefault(Listing(context.venue, symbol), {})
        frames = self.services.analyzer.frames(candles, known)
        known.update(frames)
        return frames

    def _sound(self, frames: Mapping[Timeframe, Frame], at: datetime) -> int:
        """For how many closes there is nothing to be said of a market's candles; 0 where there is at this one."""
        ends = [self._sound_until(frame.candles) for frame in frames.values()]
        shortest = min((timeframe.duration for timeframe in frames), default=timedelta.max)
        return -((at - min(ends, default=at)) // shortest)

    def _silent(
        self, context: StrategyContext, frames: Mapping[Timeframe, Frame], held: Sequence[Position], at: datetime
    ) -> int:
        """For how many closes a strategy has nothing to say."""
        strategy, span = context.strategy, context.timeframe.duration
        if not isinstance(strategy, ReadingAhead):
            return 0
        leaves = [left_at for position in held if (left_at := strategy.longest(position)) is not None]
        return min([strategy.silent(frames, held=bool(held)), *(-((at - left_at) // span) for left_at in leaves)])

    def _sound_until(self, candles: Candles) -> datetime:
        """When a candle closes for the first time of which something is to be said, or nothing is known."""
        return candles.closed_at + (self.services.candles.quality.sound_ahead(candles) + 1) * candles.timeframe.duration

    def _closes(self, own: Mapping[str, Frame], times: Sequence[datetime]) -> dict[datetime, dict[Listing, Decimal]]:
        """What each market closes at, as far as all of them have a price."""
        market_data = market_data_of(self.services.market_data, self.venue.name)
        found = {
            Listing(self.venue.name, symbol): _prices(market_data.market(symbol), frame.candles, len(times))
            for symbol, frame in own.items()
        }
        return {at: dict(zip(found, prices, strict=True)) for at, *prices in zip(times, *found.values(), strict=False)}


def _of(held: Sequence[Position], context: StrategyContext, symbol: str) -> list[Position]:
    """What a context holds of a market."""
    return [each for each in held if (each.context, each.venue, each.symbol) == (context.name, context.venue, symbol)]


def _is_sound(report: QualityReport) -> bool:
    """Whether there is nothing to be said but that a longer timeframe has a short history."""
    return report.usable and not report.changes and all(issue.kind == "too few" for issue in report.repaired)


def _prices(market: Market, candles: Candles, count: int) -> list[Decimal]:
    """The closes of the newest candle and of those that follow it, up to the first that the market cannot quote."""
    whole, start = candles.within or (candles, 0)
    newest, found = start + len(candles) - 1, list[Decimal]()
    for close in np.asarray(whole.close[newest : newest + count]).tolist():
        try:
            found.append(market.price(close))
        except DataError:
            break
    return found


def _decided(outcome: Outcome | StrategyError) -> Outcome:
    """What was decided; a strategy that failed takes it all back, and each close is done by itself."""
    if isinstance(outcome, StrategyError):
        raise outcome
    return outcome
