"""What is done when: the table of jobs, as data.

Live, ``engine.jobs.wall_driver`` drives it on the clock on the wall. In a replay ``engine.backtest.replay`` drives the
same table on the market clock and asks the same triggers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from engine.books.bookkeeping import Bookkeeping
from engine.domain.errors import StrategyError, VenueError
from engine.flow.approvals import Approvals
from engine.flow.cycle import run_cycles
from engine.flow.panel_rounds import PanelRounds
from engine.flow.services import CycleServices
from engine.flow.slicing import Slices
from engine.strategies.context import StrategyContexts
from engine.timing.triggers import Daily, Trigger, every

CANDLE = "candle"
"""The job that decides on closes, where there is one venue."""
PREDICTIONS = "predictions"
"""The job that says at closes where prices are going."""


class Group(StrEnum):
    """Jobs that are about the same thing; no group waits for another."""

    ACCOUNT = "account"
    """Candles, what venues do, protection, what runs out."""
    RESEARCH = "research"
    """What takes long to find out: panels, predictions, sentiment."""
    HOUSEKEEPING = "housekeeping"
    """Figures of days, and what is let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is done again and again.

    Attributes:
        group: Within a group one job is done at a time at each venue, and one of those that wait for none.
        venue: The venue that it waits for; empty where it waits for nobody outside, so that no venue holds it up.
        trigger: When; ``None`` for a job that only has alarms.
        grace: How late it may still be done; later, it is left out. ``None`` for a job that makes up for all it has
            missed whenever it runs: it runs at the start, again where it fails, and after the account's jobs before it.
        run: Does it, for the time it was due at.
        ready: Waits, out of turn and not for ever, until what it needs has come in; a replay has all candles.
        alarm: A further time that is known only at run time, such as the next approval to run out.
        ahead: Does it for the time it is due at and up to so many in all, before another time, as far as nothing but
            prices changes at them; tells how many it did. ``None`` where each is done by itself. What is due at the
            same time is done after it.
        along: Whether another job that does many of its times at once does at each of them what this one is for.
            ``None`` where none ever does.
    """

    name: str
    run: Callable[[datetime], Awaitable[None]]
    group: Group = Group.ACCOUNT
    venue: str = ""
    trigger: Trigger | None = None
    grace: timedelta | None = timedelta(seconds=60)
    alarm: Callable[[], Awaitable[datetime | None]] | None = None
    ready: Callable[[datetime], Awaitable[None]] | None = None
    ahead: Callable[[datetime, datetime, int], Awaitable[int]] | None = None
    along: Callable[[], bool] | None = None


def job_table(
    *,
    services: CycleServices,
    contexts: StrategyContexts,
    deliberations: PanelRounds,
    approvals: Approvals,
    books: Bookkeeping,
    candles_in: Callable[[str, datetime], Awaitable[None]] | None = None,
    caught_up: Callable[[datetime], Awaitable[None]] | None = None,
) -> tuple[Job, ...]:
    """Everything this program does by itself, in the order in which it is done when it is due at the same time.

    ``candles_in`` waits for a venue's candles that close at a time, ``None`` where they are there by then;
    ``caught_up`` until all that the venues did up to a time is known, ``None`` where nobody is told of days.
    """
    everywhere = services.orchestrator.venues
    shortest = min((context.timeframe for context in contexts), key=lambda timeframe: timeframe.duration)
    account = _AccountJobs(services=services, contexts=contexts, books=books, slices=Slices(services=services))

    async def end_halts(at: datetime) -> None:
        """What ends a halt is the clock; a candle that closes at the same time is decided on without it."""
        await books.end_halts(at)

    async def ask_panels(_: datetime) -> None:
        await deliberations.ask()

    async def expire(_: datetime) -> None:
        await approvals.advance_open()

    return (
        Job(name="halts", run=end_halts, alarm=books.next_halt_end),
        *at_each(everywhere, CANDLE, account.candle, trigger=every(shortest), ready=candles_in),
        Job(name="panels", group=Group.RESEARCH, run=ask_panels, alarm=deliberations.next_question),
        *at_each(everywhere, "conclusions", deliberations.conclude, alarm=deliberations.next_due),
        *at_each(everywhere, "second look", account.look_again, alarm=account.next_look),
        *at_each(everywhere, "patience", account.end_patience, alarm=account.patience_ends),
        *at_each(everywhere, "slices", account.send_slices, alarm=account.slices.next_due),
        Job(name="approvals", run=expire, alarm=approvals.next_deadline),
        Job(
            name="digest",
            group=Group.HOUSEKEEPING,
            trigger=Daily(books.days),
            run=books.digest,
            grace=None,
            ready=caught_up,
        ),
    )


def at_each(
    venues: Sequence[str],
    name: str,
    run: Callable[[str, datetime], Awaitable[None]],
    *,
    trigger: Trigger | None = None,
    alarm: Callable[[str], Awaitable[datetime | None]] | None = None,
    ready: Callable[[str, datetime], Awaitable[None]] | None = None,
) -> tuple[Job, ...]:
    """The same job at each venue, by its own clock there: one that is slow holds up only itself."""
    return tuple(
        Job(
            name=f"{name} at {venue}" if len(venues) > 1 else name,
            venue=venue,
            run=partial(run, venue),
            trigger=trigger,
            alarm=partial(alarm, venue) if alarm else None,
            ready=partial(ready, venue) if ready else None,
        )
        for venue in venues
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountJobs:
    """What is done about an account at one of its venues."""

    services: CycleServices
    contexts: StrategyContexts
    books: Bookkeeping
    slices: Slices

    async def candle(self, venue: str, at: datetime) -> None:
        """Doubts are settled and closes marked first, so that nothing is protected in a market that is another now.

        The books are closed last, on everything that happened.
        """
        orchestrator = self.services.orchestrator
        due = [context for context in self.contexts.due(at) if context.venue == venue]
        try:
            await orchestrator.resolve_unknown_orders(venue)
            await self.books.mark_to_market(at, venue)
            await orchestrator.adopt_rest(at, venue)
            await orchestrator.restore_protection(venue)
        except VenueError:  # what may go to another venue is decided on all the same
            await run_cycles(self.services, [context for context in due if context.others], at)
            raise
        try:
            try:
                await run_cycles(self.services, due, at)
            except StrategyError:  # the others have been decided on and sent
                await orchestrator.sync_venue_events(venue)
                raise
            await orchestrator.sync_venue_events(venue)
        finally:
            await self.books.record_equity(at)

    async def look_again(self, venue: str, _: datetime) -> None:
        await self.services.orchestrator.look_again(venue)

    async def next_look(self, venue: str) -> datetime | None:
        return await self.services.orchestrator.next_look(venue)

    async def end_patience(self, venue: str, _: datetime) -> None:
        await self.services.orchestrator.end_patience(venue)

    async def send_slices(self, venue: str, _: datetime) -> None:
        await self.slices.send_due(venue)

    async def patience_ends(self, venue: str) -> datetime | None:
        return await self.services.orchestrator.patience_ends(venue)
