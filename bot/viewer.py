"""The viewer put together: the followers' bot over a database that it can only read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from bot.venues import others_of, venue_of
from config.contexts import ContextSettings
from config.settings import Settings
from config.strategy_names import short
from engine.domain.errors import ConfigError, StoreError
from engine.domain.extras import install
from engine.domain.results import AtWork
from engine.store import migrate
from engine.store.database import DatabaseReader
from engine.store.unit_of_work import UnitOfWork
from engine.timing.clocks import MarketClock
from engine.views.account import AccountViews
from engine.views.results import Results

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def run_viewer(settings: Settings) -> None:
    """Answer followers until the process is asked to stop.

    Raises:
        ConfigError: There is no token, nobody may look, or the extra is not installed.
        StoreError: The database is not there, not up to date, or belongs to another profile.
    """
    asked = settings.viewer
    followers = followers_of(settings)
    if asked.token is None:
        raise ConfigError("The viewer has no token.", "Take one from @BotFather to BOT_VIEWER__TOKEN.")
    if not followers:
        raise ConfigError(
            "Nobody may look: nobody in `people` has a `telegram` id, and viewer.followers is empty.",
            "Set viewer.followers to the Telegram ids of those who may.",
        )
    refuse_absent_extra()
    async with AsyncExitStack() as closing:
        reader = DatabaseReader(settings.database.url)
        closing.push_async_callback(reader.close)
        _refuse_other_layout(settings.database.url)
        venue = await reader.read(lambda uow: _venue_of(uow, settings.profile))
        # What is slow to load comes once nothing is to be refused any more.
        from handlers.charts.draughtsman import Draughtsman
        from handlers.viewer.bot import ViewerBot
        from handlers.viewer.subscribers import Subscribers
        from handlers.viewer.window import Window

        clock = MarketClock(LONG_AGO)
        draughtsman = Draughtsman()
        closing.callback(draughtsman.close)
        views = AccountViews(
            store=reader,
            venue=venue,
            market_data={},  # nobody to ask: things are worth what they were last marked at
            clock=clock,
            profile=settings.profile,
            contexts=tuple(_at_work(settings, context) for context in settings.contexts),
            days=settings.digest.days,
        )
        results = Results(
            store=reader,
            market_data=views.market_data,
            clock=clock,
            days=views.days,
            at_work=(),
            limits=settings.limits,
            autonomy=settings.approval.autonomy,
        )
        bot = ViewerBot(
            token=asked.token,
            api_url=asked.api_url,
            followers=followers,
            window=Window(
                views=views,
                results=results,
                catch_up=_follower(reader, clock),
                draw=draughtsman.draw,
                told_weekly=settings.digest.every == "week",
            ),
            subscribers=Subscribers(subscribers_file(settings)),
        )
        await bot.run()


def _at_work(settings: Settings, context: ContextSettings) -> AtWork:
    return AtWork(
        name=context.name,
        strategy=short(context.strategy),
        venue=venue_of(settings, context),
        markets=context.markets,
        timeframe=context.timeframe,
        others=others_of(settings, context),
    )


def followers_of(settings: Settings) -> frozenset[str]:
    """Telegram's ids of those who may look: everybody in ``people``, and the followers."""
    return frozenset({*(person.telegram for person in settings.people if person.telegram), *settings.viewer.followers})


def subscribers_file(settings: Settings) -> Path:
    """Where the viewer keeps who is subscribed: as set, else beside the venue's file."""
    return settings.viewer.file or settings.venue_file.with_name("viewer.sqlite")


def refuse_absent_extra() -> None:
    """See that what only the viewer needs is installed.

    Raises:
        ConfigError: It is not.
    """
    from importlib.util import find_spec

    missing = [name for name in ("aiogram", "matplotlib") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"The viewer needs {' and '.join(missing)}.",
            install("viewer", "its extra"),
        )


def _refuse_other_layout(url: str) -> None:
    found, wanted = migrate.versions(url)
    if found != wanted:
        raise StoreError(
            f"The database has revision {found or 'none'}, the viewer needs {wanted}.",
            "Start the bot of this version first.",
        )


def _venue_of(uow: UnitOfWork, profile: str) -> str:
    """The venue that a profile's database belongs to.

    Raises:
        StoreError: The database belongs to another profile, or to none yet.
    """
    owner = uow.settings.get("stamp.profile")
    if owner is None:
        raise StoreError("The database is empty: the bot has not run on it yet.", "Start the bot first.")
    if owner != profile:
        raise StoreError(
            f"This database belongs to profile {owner!r}, not to {profile!r}.", f"Start it with --profile {owner}."
        )
    return uow.settings.get("stamp.venue") or ""


def _follower(reader: DatabaseReader, clock: MarketClock) -> Callable[[], Awaitable[None]]:
    """Takes a clock to the newest time that the bot has written down."""

    async def catch_up() -> None:
        reached = await reader.read(lambda uow: (uow.curve.last_at(), uow.last_event_at()))
        clock.move_to(max((at for at in reached if at is not None), default=LONG_AGO))

    return catch_up
