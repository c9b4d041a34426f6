"""Settings → objects. The one place where concrete venues, strategies and platforms come together.

    bot.markets: source ─▶ bot.engine: engine ─▶ bot.chat: chat ─▶ driver

Tests call ``build`` as well, with servers of their own behind the same settings: nothing needs to be patched.
"""

from __future__ import annotations

import asyncio
import secrets as randomness
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pydantic import SecretStr

from bot.balances import balance_jobs
from bot.chat import Chat, build_chat, destinations
from bot.emergencies import emergency_jobs
from bot.engine import Engine, build_engine
from bot.externals import EXTERNALS, Externals
from bot.markets import Source, source
from bot.other_bots import other_bot_jobs
from bot.pace import pace
from bot.predictions import prediction_jobs
from bot.retraining import Retraining
from bot.sentiment import sentiment_jobs
from config.settings import Settings
from engine.backtest.quiet import QuietCloses
from engine.backtest.replay import Replay
from engine.books.housekeeping import Housekeeping
from engine.domain.errors import StoreError, VenueError
from engine.flow.cycle import end_data_halts
from engine.jobs.table import Group, Job, at_each, job_table
from engine.jobs.wall_driver import WallDriver
from engine.store.retention import Retention
from engine.timing.clocks import MarketClock
from engine.timing.triggers import every, often
from handlers.commands import RecentLogs
from handlers.topics import routes

CAPITAL_EVERY = timedelta(minutes=1)
"""How often a breach of a stage of capital is looked for between closes."""
CATCH_UP_WITHIN, CATCH_UP_LOOK = 300.0, 0.5
"""Wall seconds for which a day's figures wait for a venue that is behind, and between two looks at how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Everything that runs, put together but not started."""

    settings: Settings
    engine: Engine
    chat: Chat
    driver: Replay | WallDriver
    retraining: Retraining
    api_token: SecretStr


async def build(
    settings: Settings,
    *,
    market: Source | None = None,
    ready: Callable[[], bool] = lambda: True,
    give_up: Callable[[StoreError], None] = lambda _: None,
    more_jobs: Callable[[Engine], Sequence[Job]] = lambda _: (),
    externals: Externals = EXTERNALS,
    logs: RecentLogs = lambda _: (),
) -> Program:
    """Put the program together on a migrated database.

    Args:
        settings: What to build.
        market: The market that the settings ask for, where it is open already.
        ready: Whether the program has started fully, for those who ask it.
        give_up: Ends the program, which cannot go on.
        more_jobs: Further jobs on the same clock, e.g. people who answer at market times.
        externals: How it reaches what outlives it.
        logs: Tells the last so many warnings and errors of the log.

    Raises:
        ConfigError: The settings contradict what they are about.
        DataError: A candle file cannot be used.
        StoreError: The database or the venue's file cannot be used.
    """
    engine = await build_engine(
        settings, market or source(settings), routes(destinations(settings), settings.alerts.losing_streak), externals
    )
    api_token = settings.web.token or SecretStr(randomness.token_urlsafe(24))
    chat = await build_chat(settings, engine, api_token, ready, give_up, externals, logs)
    jobs = job_table(
        services=engine.services,
        contexts=engine.market.contexts,
        deliberations=engine.deliberations,
        approvals=engine.approvals,
        books=engine.books,
        candles_in=engine.market.live.closed if engine.market.live else None,
        caught_up=_all_booked(engine),
    )
    kept = _housekeeping(settings, engine, externals)
    retraining = Retraining(settings, engine.desk.policies, externals.retrain)
    all_jobs = (
        *jobs,
        _closings(engine),
        *_capital(settings, engine),
        kept,
        *sentiment_jobs(engine.sentiment),
        *prediction_jobs(engine.predictions, engine.market),
        *_live_jobs(settings, engine),
        *balance_jobs(engine.balance_watch, live=engine.market.live is not None),
        *other_bot_jobs(engine.store, engine.real, lambda venue: engine.real[venue].has_room_for_a_look),
        *emergency_jobs(
            engine.watch, engine.books, candles_in=engine.market.live.all_closed if engine.market.live else None
        ),
        *((retraining.job,) if settings.ppo.retrain.enabled else ()),
        *more_jobs(engine),
    )
    driver = _driver(settings, engine, _quietly(engine, all_jobs))
    return Program(
        settings=settings, engine=engine, chat=chat, driver=driver, retraining=retraining, api_token=api_token
    )


def _quietly(engine: Engine, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """In a replay at one venue, closes at which nothing happens are done together, as far as its speed allows."""
    if not isinstance(engine.clock, MarketClock) or len(engine.venues) > 1:
        return jobs
    (venue,) = engine.venues.values()
    quiet = QuietCloses(
        services=engine.services,
        contexts=engine.market.contexts,
        books=engine.books,
        venue=venue,
        clock=engine.clock,
        research=engine.predictions,
        answering=lambda: _answering(engine) or bool(engine.closings.open_ids),
    )
    return quiet.of(jobs)


def _closings(engine: Engine) -> Job:
    async def expire(_: datetime) -> None:
        await engine.closings.expire()

    return Job(name="closings", run=expire, alarm=engine.closings.next_deadline)


def _capital(settings: Settings, engine: Engine) -> Sequence[Job]:
    """Stages of capital go up and down at closes, and between them where orders fill on the wall's clock."""
    if not settings.capital.stages:
        return ()
    shortest = min((each.timeframe for each in engine.market.contexts), key=lambda timeframe: timeframe.duration)
    when = often(CAPITAL_EVERY) if engine.market.live is not None else every(shortest)
    return (Job(name="capital", run=engine.capital.judge, trigger=when),)


def _housekeeping(settings: Settings, engine: Engine, externals: Externals) -> Job:
    retention = Retention(**settings.retention.model_dump())
    housekeeping = Housekeeping(store=engine.store, retention=retention, wall=externals.wall)
    return Job(name="retention", group=Group.HOUSEKEEPING, run=housekeeping.run, alarm=housekeeping.next_due)


def _all_booked(engine: Engine) -> Callable[[datetime], Awaitable[None]]:
    """Waits until what the venues did up to a time is in the books; in a replay a venue goes there when it is asked.

    A day may end within a candle, and what was hit in it until then belongs to that day.
    """
    sync = engine.services.orchestrator.sync_venue_events
    if engine.market.live is not None and engine.venues:
        return partial(booked, lambda: engine.advanced, sync)

    async def ask(_: datetime) -> None:
        with suppress(VenueError):
            await sync()

    return ask


async def booked(
    reached: Callable[[], Mapping[str, datetime]],
    sync: Callable[[], Awaitable[None]],
    at: datetime,
    within: float = CATCH_UP_WITHIN,
) -> None:
    """Wait until what the venue did up to a time is in the books, not for ever; the jobs may not be so far."""
    await caught_up(reached, at, within)
    with suppress(VenueError, TimeoutError):
        async with asyncio.timeout(within):
            await sync()


async def caught_up(
    reached: Callable[[], Mapping[str, datetime]], at: datetime, within: float = CATCH_UP_WITHIN
) -> None:
    """Wait until the venue has followed each of its markets up to a time; not for ever.

    After a start that takes some seconds, and what was hit until a day ended belongs to that day.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while not (there := reached()) or min(there.values()) < at:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(CATCH_UP_LOOK)


def _live_jobs(settings: Settings, engine: Engine) -> Sequence[Job]:
    """Between two closes nobody asks anything: a stop that was hit, or data that is good again, would wait."""
    if engine.market.live is None:
        return ()

    venues = engine.services.orchestrator.venues

    async def follow(venue: str, _: datetime) -> None:
        """A look that would have to wait is left to the next time: nothing that matters is to stand behind it."""
        real = engine.real.get(venue)
        if real is not None and not real.has_room_for_a_look:
            return
        await engine.services.orchestrator.sync_venue_events(venue)

    async def look_at_data(venue: str, _: datetime) -> None:
        own = [context for context in engine.market.contexts if context.venue == venue]
        await end_data_halts(engine.services, own, engine.clock.now())

    often_enough = often(settings.exchange[1].poll_every)
    return (
        *at_each(venues, "venue", follow, trigger=often_enough),
        *at_each(venues, "data", look_at_data, trigger=often_enough),
    )


def _answering(engine: Engine) -> bool:
    """Whether somebody asks or answers something: the market of a replay stands still meanwhile."""
    return engine.approvals.busy or engine.closings.busy or engine.is_researching


def _driver(settings: Settings, engine: Engine, jobs: Sequence[Job]) -> Replay | WallDriver:
    on_trouble = engine.health.teller("jobs")
    if not isinstance(engine.clock, MarketClock):
        return WallDriver(jobs=jobs, clock=engine.clock, on_trouble=on_trouble)

    async def open_approvals() -> Sequence[str]:
        asked = await engine.store.read(lambda uow: uow.approvals.open_ids())
        return (*asked, *engine.closings.open_ids)

    return Replay(
        clock=engine.clock,
        jobs=jobs,
        pace=pace(settings),
        open_approvals=open_approvals,
        on_trouble=on_trouble,
        answering=lambda: _answering(engine),
        journal=engine.store,
    )
