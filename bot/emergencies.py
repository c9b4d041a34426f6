"""What calls for a stop by itself: the watch for it, and when it looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.markets import Source
from config.settings import Settings
from engine.books.bookkeeping import Bookkeeping
from engine.domain.triggers import Cause
from engine.execution.emergency import EmergencyStopSystem
from engine.flow.approvals import Approvals
from engine.flow.emergency_watch import EmergencyWatch
from engine.flow.services import CycleServices
from engine.jobs.table import Job, at_each
from engine.timing.triggers import every, often

LOOKS_EVERY = timedelta(seconds=10)
"""Wall time between two looks at what comes in: what lasts is told within so long."""
BOOKS_EVERY = timedelta(minutes=15)
"""Wall time between two comparisons of the books with a venue."""
_OF_ACCOUNT = {Cause.DRAWDOWN, Cause.FLASH_CRASH}
_OF_LINES = {Cause.CONNECTIVITY, Cause.FAILING_API}


def emergency_watch(
    settings: Settings,
    market: Source,
    services: CycleServices,
    emergency: EmergencyStopSystem,
    approvals: Approvals,
    *,
    at_once: bool,
) -> EmergencyWatch:
    """The watch that the settings ask for; ``at_once`` where nobody's time passes by itself."""
    live = market.live
    return EmergencyWatch(
        store=services.store,
        emergency=emergency,
        approvals=approvals,
        orchestrator=services.orchestrator,
        candles=services.candles,
        triggers=settings.emergency.triggers,
        timeframe=min((context.timeframe for context in market.contexts), key=lambda each: each.duration),
        crash_within=settings.emergency.flash_crash.within,
        outage=(lambda: live.outage) if live is not None else (lambda: ""),
        at_once=at_once,
    )


def emergency_jobs(
    watch: EmergencyWatch, books: Bookkeeping, *, candles_in: Callable[[datetime], Awaitable[None]] | None
) -> Sequence[Job]:
    """When it looks: at the account at each close, at the rest on the wall's clock; nothing where that is off.

    Args:
        watch: What looks.
        books: What equity is told by.
        candles_in: Waits for every venue's candles that close at a time; ``None`` in a replay, which has them all, has
            marked them by then, and has no lines that could fail.
    """
    asked = set(watch.triggers)

    async def at_close(at: datetime) -> None:
        """On the prices of this close, whatever holds up the jobs of a venue."""
        await books.mark_to_market(at)
        await watch.look_at_account(at)

    live = candles_in is not None
    jobs = list[Job]()
    if asked & _OF_ACCOUNT:
        look = at_close if live else watch.look_at_account
        jobs.append(Job(name="emergency triggers", run=look, trigger=every(watch.timeframe), ready=candles_in))
    if live and asked & _OF_LINES:
        jobs.append(Job(name="emergency lines", run=watch.look_around, trigger=often(LOOKS_EVERY)))
    if live and Cause.MISMATCH in asked:
        jobs += at_each(watch.orchestrator.venues, "emergency books", watch.look_at_books, trigger=often(BOOKS_EVERY))
    return jobs
