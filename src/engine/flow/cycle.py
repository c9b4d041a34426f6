"""The decision cycle: the function that is the flow, and what goes on with it once a panel has spoken.

observe ─▶ propose ─▶ deliberate ─▶ conclude ─▶ send

observe     what is known of a market at a closed candle   MarketSnapshot   (engine.flow.observing)
propose     what a strategy wants of it                    Proposal         (engine.flow.proposing)
deliberate  what a panel says of that, within its time     Opinion          (engine.ai.panel)
conclude    plan, risk, autonomy, in one transaction       Outcome          (engine.flow.deciding)
send        the orders that were written down              Order            (engine.execution)

What comes before and after it at a candle's close is the job ``candle`` of ``engine.jobs.table``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from engine.ai.panel import deliberate
from engine.domain.decisions import CycleRecord, Judged, Opinion
from engine.domain.errors import StoreError, StrategyError, VenueError
from engine.domain.halts import HaltKind
from engine.domain.market import Listing, Timeframe
from engine.domain.order_routing import Offer
from engine.domain.orders import Order
from engine.domain.proposals import Deliberation, Proposal
from engine.domain.snapshots import MarketSnapshot
from engine.flow.consolidating import bought, in_turn
from engine.flow.deciding import Outcome, conclude_deliberation, decide_at_close
from engine.flow.observing import book_of, checked, observe
from engine.flow.offers import NO_OFFERS, Offers, offers_of
from engine.flow.services import CycleServices
from engine.inputs.data_halts import data_halts
from engine.store.halting import end_halt
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.support.batches import in_batches

_log = structlog.get_logger(__name__)

Wanted = tuple[Listing, tuple[Timeframe, ...]]
"""What a context looks at: a market, and its timeframes."""
RESUMED_WITHIN = timedelta(minutes=1)
"""How long after its time was up a proposal may still be decided on that nobody was asked about."""
_HEARD_AT_ONCE = 0.02
"""Wall seconds that those who were asked are waited for: who has to think answers later, and holds nothing up."""
_AGAIN_AFTER = timedelta(seconds=5)
"""When a decision is looked at again that has to wait for what was begun of it."""


async def run_cycles(
    services: CycleServices, contexts: Sequence[StrategyContext], candle_at: datetime
) -> tuple[CycleRecord, ...]:
    """Decide on every market of every context whose candle has closed, as far as nothing has to be waited for.

    Exits, what nobody is asked about, and what begins a trade are concluded here and now, in one transaction on the
    portfolio of now, one context after the other; those that look at the same timeframes of a market see the same of
    it. A market that is late follows by itself, once it has answered. What a panel has to think about is written down
    for it: see ``PanelRounds``. A market that was decided on at this candle already (the program was restarted) is
    left alone.

    Raises:
        StrategyError: A strategy failed: of the first of them, once everything else has been decided and sent.
    """
    asked = {
        wanted: partial(_in_turn, services, context, symbol, candle_at)
        for wanted, (context, symbol) in looked_at(contexts).items()
    }
    judged: dict[str, list[Judged]] = {context.name: [] for context in contexts}
    failed: list[StrategyError] = []
    async for seen in in_batches(asked, services.late_after):
        at_hand = [(each, symbol) for each in contexts for symbol in each.markets if wanted_by(each, symbol) in seen]
        conclude = partial(decide_at_closes, services, contexts, seen, offers=await offers_of(services, at_hand))
        decided = Outcome()
        for name, outcome in await services.store.transact(conclude):
            if isinstance(outcome, StrategyError):
                failed.append(outcome)
                continue
            judged[name] += outcome.judged
            decided += outcome
        await send(services, decided)
    for error in failed:
        raise error
    return tuple(CycleRecord(context=name, at=candle_at, decisions=tuple(own)) for name, own in judged.items())


def looked_at(contexts: Sequence[StrategyContext]) -> dict[Wanted, tuple[StrategyContext, str]]:
    """What contexts look at, each with one that does, and the market."""
    return {wanted_by(context, symbol): (context, symbol) for context in contexts for symbol in context.markets}


def decide_at_closes(
    services: CycleServices,
    contexts: Sequence[StrategyContext],
    seen: Mapping[Wanted, MarketSnapshot],
    uow: UnitOfWork,
    now: datetime | None = None,
    offers: Offers = NO_OFFERS,
) -> list[tuple[str, Outcome | StrategyError]]:
    """Decide on what was seen, in the order of contexts and their markets; each with the name of its context.

    Where contexts on one coin are consolidated, in the order that this asks for, and some give way.
    """
    now = now or services.clock.now()
    closes = [
        (context, seen[wanted])
        for context in contexts
        for symbol in context.markets
        if (wanted := wanted_by(context, symbol)) in seen
    ]
    found: list[tuple[str, Outcome | StrategyError]] = []
    coins: set[str] = set()
    for turn in in_turn(services, uow, closes):
        own = offers.get((turn.context.name, turn.seen.market.symbol), ())
        outcome = _concluded(services, uow, turn.context, turn.seen, now, turn.against(coins), own)
        found.append((turn.context.name, outcome))
        if isinstance(outcome, Outcome):
            coins |= bought(outcome.orders)
    return found


def _concluded(
    services: CycleServices,
    uow: UnitOfWork,
    context: StrategyContext,
    seen: MarketSnapshot,
    now: datetime,
    gives_way: str,
    offers: Sequence[Offer],
) -> Outcome | StrategyError:
    """What was decided; where the strategy failed, that: nothing was decided then, and the others go on."""
    try:
        return decide_at_close(services, uow, context, seen, now, gives_way, offers)
    except StrategyError as error:
        return error


class PanelRounds:
    """What panels think about: asked, waited for beside everything else, and decided on once they have spoken.

    All of it is stored, so that a program that starts again goes on: who has not answered is asked again for as long as
    there is time, and what comes later than that is refused.

    Args:
        step: Market time from a proposal to its question and from there to its decision, where time passes in steps:
            a replay that was killed between them goes on at the same times. Nothing where time passes by itself.
    """

    def __init__(self, services: CycleServices, contexts: StrategyContexts, *, step: timedelta = timedelta(0)) -> None:
        self._services = services
        self._step = step
        self._contexts = {context.name: context for context in contexts}
        self._asked: dict[str, asyncio.Task[None]] = {}
        # Where nobody is ever asked there is nothing to look for, but for what an earlier run has left.
        self._idle = not services.panel.patience and not any(context.fast for context in contexts)
        self._looked = False

    @property
    def busy(self) -> bool:
        """Whether somebody is thinking: the market of a replay stands still meanwhile."""
        return bool(self._asked)

    async def next_question(self) -> datetime | None:
        """When somebody is to be asked next: at once, where there is anything that nobody was asked about."""
        return min((each.asked_at + self._step for each in await self._unasked()), default=None)

    async def ask(self) -> None:
        """Ask about everything that nobody was asked about; the answers come beside everything else."""
        for waiting in await self._unasked():
            if self._context_of(waiting.proposal) is None:
                await self._let_go(waiting)
                continue
            self._asked[waiting.key] = asyncio.create_task(self._hear(waiting))
        if self._asked:
            await asyncio.wait(tuple(self._asked.values()), timeout=_HEARD_AT_ONCE)

    async def next_due(self, venue: str) -> datetime | None:
        """When the next decision on a market of a venue is due, all having been heard."""
        return min((at for each in await self._waiting() if (at := _due_at(each, venue)) is not None), default=None)

    async def conclude(self, venue: str, _: datetime | None = None) -> None:
        """Decide on everything at a venue on which all have been heard, on the book and portfolio of now, and send."""
        now = self._services.clock.now()
        for waiting in await self._waiting():
            due_at = _due_at(waiting, venue)
            if due_at is not None and due_at <= now:
                await self._conclude(waiting)

    async def stop(self) -> None:
        """Wait for nobody any more; they are asked again after the next start."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _waiting(self) -> tuple[Deliberation, ...]:
        if self._idle and self._looked:
            return ()
        found = await self._services.store.read(lambda uow: uow.deliberations.all())
        self._looked = not found
        return found

    async def _unasked(self) -> list[Deliberation]:
        being_asked = frozenset(self._asked)  # as of before the read: who answers during it was asked all the same
        return [each for each in await self._waiting() if each.due_at is None and each.key not in being_asked]

    async def _hear(self, waiting: Deliberation) -> None:
        """Ask about one, and write down what was said: what a model took to say it passes on a replay's market too."""
        clock = self._services.clock
        begun, started = clock.now(), clock.monotonic()
        try:
            if begun > waiting.deadline + RESUMED_WITHIN:
                heard = replace(waiting, opinions=(), due_at=begun, too_late=True)
            else:
                left = max((waiting.deadline - begun).total_seconds(), 0)
                opinions = await deliberate(self._services.panel, waiting.proposal, left) if left else ()
                took = timedelta(seconds=int(clock.monotonic() - started) if _was_waited_for(opinions) else 0)
                heard = replace(waiting, opinions=opinions, due_at=begun + max(took, self._step))
            await self._services.store.transact(lambda uow: uow.deliberations.put(heard))
        except StoreError as error:
            _log.error("what a panel said could not be kept", key=waiting.key, error=error.message)
        finally:
            del self._asked[waiting.key]

    async def _conclude(self, waiting: Deliberation) -> None:
        proposal = waiting.proposal
        context = self._context_of(proposal)
        if context is None:
            await self._let_go(waiting)
            return
        with suppress(VenueError):  # what is missing refuses
            await self._services.stats.current(proposal.listing, proposal.timeframe)
        book = await book_of(self._services, proposal.listing)
        found = await offers_of(self._services, [(context, proposal.symbol)])
        offers = found.get((context.name, proposal.symbol), ())

        def conclude(uow: UnitOfWork) -> Outcome:
            now = self._services.clock.now()
            outcome = conclude_deliberation(self._services, uow, context, waiting, book, now, offers)
            uow.deliberations.drop(waiting.key)
            if outcome is None:
                uow.deliberations.put(replace(waiting, due_at=now + _AGAIN_AFTER))
            return outcome or Outcome()

        await send(self._services, await self._services.store.transact(conclude))

    def _context_of(self, proposal: Proposal) -> StrategyContext | None:
        """The context that has proposed something, while it trades that market at that venue."""
        context = self._contexts.get(proposal.context)
        traded = context is not None and (context.venue, True) == (proposal.venue, proposal.symbol in context.markets)
        return context if traded else None

    async def _let_go(self, waiting: Deliberation) -> None:
        """Decide nothing on what nobody trades any more; that something is held of it is told elsewhere."""
        await self._services.store.transact(lambda uow: uow.deliberations.drop(waiting.key))


def _was_waited_for(opinions: Sequence[Opinion]) -> bool:
    """Whether somebody was asked who takes time; rules take none, so that a busy machine changes no replay."""
    return not opinions or any(each.prompt or not each.by for each in opinions)


def _due_at(waiting: Deliberation, venue: str) -> datetime | None:
    return waiting.due_at if waiting.proposal.venue == venue else None


async def end_data_halts(services: CycleServices, contexts: Sequence[StrategyContext], now: datetime) -> None:
    """End the data halts of markets whose candles are good again, between two closes.

    What was refused at the last close stays refused: it was decided on already.
    """
    if not await services.store.read(
        lambda uow: [found for found in uow.halts.open() if found.halt.kind is HaltKind.DATA]
    ):
        return
    good = {
        (Listing(context.venue, symbol), context.timeframe)
        for context in contexts
        for symbol in context.markets
        if (await checked(services, context, symbol, now))[1].usable
    }

    def work(uow: UnitOfWork) -> None:
        for listing, timeframe in sorted(good):
            for found in data_halts(uow, listing, timeframe):
                end_halt(uow, found, now)

    await services.store.transact(work)


def wanted_by(context: StrategyContext, symbol: str) -> Wanted:
    """What a context looks at in a market: who looks at the same, at the same close, sees the same."""
    return Listing(context.venue, symbol), context.strategy.timeframes


async def _in_turn(
    services: CycleServices, context: StrategyContext, symbol: str, candle_at: datetime
) -> MarketSnapshot:
    """Look at a market, then let others have their turn: reading it takes milliseconds, and people are waiting."""
    seen = await observe(services, context, symbol, candle_at)
    await services.store.yield_to_callers()
    return seen


async def send(services: CycleServices, outcome: Outcome) -> None:
    """Send the orders that were written down, each venue's in their order: a slow one delays no other's.

    Raises:
        GreenlightError: One could not be sent; the others were, at other venues.
    """
    by_venue: dict[str, list[Order]] = {}
    for order in outcome.orders:
        by_venue.setdefault(order.request.venue, []).append(order)
    results = await asyncio.gather(*(_send_in_turn(services, own) for own in by_venue.values()), return_exceptions=True)
    for failed in results:
        if isinstance(failed, BaseException):
            raise failed


async def _send_in_turn(services: CycleServices, orders: Sequence[Order]) -> None:
    for order in orders:
        await services.orchestrator.send(order)
