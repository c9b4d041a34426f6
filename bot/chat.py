"""The chat put together: the ways in and out, what goes where, and who watches that it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from bot.backtests.chat import ChatBacktests
from bot.engine import Engine
from bot.externals import Externals
from bot.platforms import VERSION, RemotePlatform, Web, remote_platforms, web_chat
from bot.sentiment import source_health
from config.settings import PLATFORMS, Settings
from engine.ai.questions import Asker
from engine.domain.errors import StoreError
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt
from engine.domain.health import CLOCK, MARKET_DATA, MODELS, SENTIMENT
from engine.domain.messages import CardKind, Destination, Person, Ref
from engine.domain.people import Stranger
from engine.outbox.destinations import retarget_cards
from engine.outbox.failover import Failover
from engine.outbox.outbox import EDITS_APART, OutboxSender
from engine.outbox.platform_health import PlatformWatch
from engine.ports import Platform
from engine.store.database import Database
from engine.store.storage_health import StorageWatch
from handlers.access import Access, Identity
from handlers.cards import alerts
from handlers.charts.draughtsman import Draughtsman
from handlers.commands import CommandTable, RecentLogs, build_commands
from handlers.direct import DirectTeller
from handlers.notifications import Notifications
from handlers.reception import Reception
from handlers.topics import is_urgent, routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where people are, and what they are shown."""

    commands: CommandTable
    reception: Reception
    outbox: OutboxSender
    failover: Failover
    watch: PlatformWatch
    storage: StorageWatch
    web: Web | None
    remote: tuple[RemotePlatform, ...]
    draughtsman: Draughtsman
    backtests: ChatBacktests

    async def show(self) -> None:
        """Keep every place showing what it should, or another in its place."""
        await asyncio.gather(self.outbox.run(), self.failover.run(), self.watch.run(), self.storage.run())


async def build_chat(
    settings: Settings,
    engine: Engine,
    api_token: SecretStr,
    ready: Callable[[], bool],
    give_up: Callable[[StoreError], None],
    externals: Externals,
    logs: RecentLogs,
) -> Chat:
    """The ways in and out of the chat, on every platform that is configured."""
    backtests = ChatBacktests(
        settings, engine.services.market_data, engine.clock, wall=externals.wall, zone=engine.views.days.zone
    )
    commands = build_commands(
        views=engine.views,
        results=engine.results,
        risk=engine.risk_reports,
        venues=engine.venue_reports,
        desk=engine.desk,
        clock=engine.clock,
        version=VERSION,
        logs=logs,
        backtest=backtests.card,
        asker=Asker(manager=engine.models.manager),
        backtest_begun=backtests.begun,
    )
    access = _access(settings)
    await _forget_listed(engine.store, access)
    reception = Reception(
        access=access,
        commands=commands,
        database=engine.store,
        desk=engine.desk,
        clock=engine.clock,
        wall=externals.wall,
        started_at=externals.wall().replace(microsecond=0),
    )
    draughtsman = Draughtsman()
    remote = tuple(remote_platforms(settings, reception, commands, engine, access, externals, draughtsman.draw))
    hooks = [route for platform in remote for route in platform.hooks]
    web = None
    if settings.web.enabled:
        web = await web_chat(settings, engine, commands, reception, access, api_token, ready, hooks, externals)
    platforms: dict[str, Platform] = {platform.name: platform for platform in remote}
    if web is not None:
        platforms[web.chat.name] = web.chat
    past: dict[str, Platform] = {web.chat.name: web.chat.unwritten} if web else {}
    places = destinations(settings)
    await retarget_cards(engine.store, places=places, platforms=platforms, route=routes(places))
    watch = PlatformWatch(
        store=engine.store,
        health=_health_of(engine, remote),
        clock=engine.clock,
        can_write=lambda: engine.health.unwritten() is None,
    )
    failover = Failover(
        store=engine.store,
        places=tuple(places),
        is_urgent=is_urgent,
        patience=settings.failover.after.total_seconds(),
        monotonic=engine.clock.monotonic,
        troubled=lambda: watch.troubled,
    )
    outbox = OutboxSender(
        store=engine.store,
        platforms=platforms,
        render=Notifications(engine.views, access.approvers, engine.closings.view, engine.clock.now).card,
        is_urgent=is_urgent,
        monotonic=engine.clock.monotonic,
        on_refused=failover.move,
        edits_apart={platform.name: EDITS_APART for platform in remote},
    )
    return Chat(
        commands=commands,
        reception=reception,
        outbox=outbox,
        failover=failover,
        watch=watch,
        storage=_storage_watch(settings, engine, platforms | past, give_up),
        web=web,
        remote=remote,
        draughtsman=draughtsman,
        backtests=backtests,
    )


async def _forget_listed(store: Database, access: Access) -> None:
    """Whoever is listed now is a stranger no more."""

    def is_listed(each: Stranger) -> bool:
        return access.person(each.platform, each.user) is not None

    if any(map(is_listed, await store.read(lambda uow: uow.strangers.recent()))):
        await store.transact(lambda uow: uow.strangers.forget(is_listed))


def _storage_watch(
    settings: Settings, engine: Engine, platforms: Mapping[str, Platform], give_up: Callable[[StoreError], None]
) -> StorageWatch:
    teller = DirectTeller(platforms=platforms, places=destinations(settings))

    async def tell(halt: Halt) -> Mapping[Destination, Ref]:
        return await teller.show(alerts.halt(HaltView(id="", halt=halt)))

    async def end(error: StoreError) -> None:
        await teller.show(alerts.program_ends(error))
        give_up(error)

    watch = StorageWatch(store=engine.store, clock=engine.clock, tell=tell, check=engine.files.check, give_up=end)
    engine.health.watch_store(lambda: watch.halt)
    return watch


def _health_of(engine: Engine, remote: Sequence[RemotePlatform]) -> dict[str, Callable[[], str]]:
    """What lies on somebody else's servers: chat platforms, models, sources of sentiment, prices, and their time."""

    def ask(platform: RemotePlatform) -> Callable[[], str]:
        return lambda: platform.health

    found = {platform.name: ask(platform) for platform in remote}
    found |= {f"{MODELS}{name}": engine.models.health_of(name) for name in engine.models.remote}
    found |= {f"{SENTIMENT}{name}": ask for name, ask in source_health(engine.sentiment).items()}
    live = engine.market.live
    if live is None:
        return found
    return found | {MARKET_DATA: lambda: live.health, CLOCK: lambda: live.clock_health}


def destinations(settings: Settings) -> dict[Destination, tuple[CardKind, ...]]:
    """Where which cards go: the web's room, and the chats that are configured."""
    web, telegram, slack = settings.web, settings.telegram, settings.slack
    found = {Destination(platform="web", address="room"): web.cards} if web.enabled else {}
    if telegram.token and telegram.chat_id:
        found[Destination(platform="telegram", address=telegram.chat_id)] = telegram.cards
    if slack.bot_token and slack.channel:
        found[Destination(platform="slack", address=slack.channel)] = slack.cards
    return found


def _access(settings: Settings) -> Access:
    return Access(
        [
            Identity(person=Person(name=each.name, role=each.role), platform=platform, user=user)
            for each in settings.people
            for platform in PLATFORMS
            if (user := getattr(each, platform))
        ]
    )
