"""What goes on with the flow once a panel has to think: asked beside everything else, concluded once it has spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from engine.ai.panel import deliberate
from engine.domain.decisions import Opinion
from engine.domain.errors import StoreError, VenueError
from engine.domain.proposals import Deliberation, Proposal
from engine.flow.cycle import send
from engine.flow.deciding import Outcome, conclude_deliberation
from engine.flow.observing import book_of
from engine.flow.offers import offers_of
from engine.flow.services import CycleServices
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext, StrategyContexts

_log = structlog.get_logger(__name__)

RESUMED_WITHIN = timedelta(minutes=1)
"""How long after its time was up a proposal may still be decided on that nobody was asked about."""
_HEARD_AT_ONCE = 0.02
"""Wall seconds that those who were asked are waited for: who has to think answers later, and holds nothing up."""
_AGAIN_AFTER = timedelta(seconds=5)
"""When a decision is looked at again that has to wait for what was begun of it."""


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
                waited_for = self._services.panel_takes_time and _was_waited_for(opinions)
                took = timedelta(seconds=int(clock.monotonic() - started) if waited_for else 0)
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
