"""The chat put together: the ways in and out, on every platform that is configured."""

from __future__ import annotations

import asyncio
import secrets as randomness
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.doors import Doors
from bot.engine_room import Engine
from config.platforms import SlackSettings, TelegramSettings
from config.settings import PLATFORMS, Settings
from engine.domain.messages import CardKind, Destination, Person, Ref
from engine.domain.reports import MARKET_DATA, STORE, HaltView
from engine.domain.trading import Halt
from engine.failover import Failover
from engine.outbox import EDITS_APART, OutboxSender
from engine.ports import Platform
from engine.store.watch import StorageWatch
from engine.views import Views
from engine.watch import PlatformWatch
from handlers.access import Access, Identity
from handlers.cards import alerts
from handlers.commands import CommandTable, build_commands
from handlers.direct import DirectTeller
from handlers.notifications import Notifications, is_urgent
from handlers.reception import Reception

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from handlers.web.chat import WebChat
    from handlers.web.server import WebServer
    from handlers.web.sessions import SignInLinks

VERSION = installed_version("greenlight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The web chat as a platform, the server under it, and the links that let people in."""

    chat: WebChat
    server: WebServer
    links: SignInLinks


class RemotePlatform(Platform, Protocol):
    """A platform on somebody else's servers: it is started and stopped, and can be out of reach."""

    @property
    def health(self) -> str:
        """``ok``, or what is wrong in words for people."""
        ...

    @property
    def hooks(self) -> Sequence[BaseRoute]:
        """Where its servers call the program's own web server; empty where the program calls them."""
        ...

    async def start(self) -> None:
        """Begin to listen."""
        ...

    async def stop(self) -> None:
        """Finish what is being handled, and let go of every connection."""
        ...


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

    async def show(self) -> None:
        """Keep every place showing what it should, or another in its place."""
        await asyncio.gather(self.outbox.run(), self.failover.run(), self.watch.run(), self.storage.run())


async def build_chat(
    settings: Settings, engine: Engine, api_token: SecretStr, ready: Callable[[], bool], doors: Doors
) -> Chat:
    """The ways in and out of the chat, on every platform that is configured."""
    commands = build_commands(views=engine.views, desk=engine.desk, clock=engine.clock, version=VERSION)
    access = _access(settings)
    reception = Reception(
        access=access,
        commands=commands,
        database=engine.store,
        desk=engine.desk,
        clock=engine.clock,
        wall=doors.wall,
        started_at=doors.wall().replace(microsecond=0),
    )
    remote = tuple(_remote(settings, reception, commands, engine, access, doors))
    hooks = [route for platform in remote for route in platform.hooks]
    web = None
    if settings.web.enabled:
        web = await _web(settings, engine, commands, reception, access, api_token, ready, hooks, doors)
    platforms: dict[str, Platform] = {platform.name: platform for platform in remote}
    if web is not None:
        platforms[web.chat.name] = web.chat
    watch = PlatformWatch(store=engine.store, health=_health_of(engine, remote), clock=engine.clock)
    failover = Failover(
        store=engine.store,
        places=tuple(destinations(settings)),
        is_urgent=is_urgent,
        patience=settings.failover.after.total_seconds(),
        monotonic=engine.clock.monotonic,
        troubled=lambda: watch.troubled,
    )
    outbox = OutboxSender(
        store=engine.store,
        platforms=platforms,
        render=Notifications(engine.views, access.approvers).card,
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
        storage=_storage_watch(settings, engine, platforms),
        web=web,
        remote=remote,
    )


def _storage_watch(settings: Settings, engine: Engine, platforms: Mapping[str, Platform]) -> StorageWatch:
    teller = DirectTeller(platforms=platforms, places=destinations(settings))

    async def tell(halt: Halt) -> Mapping[Destination, Ref]:
        return await teller.show(alerts.halt(HaltView(id="", halt=halt)))

    watch = StorageWatch(store=engine.store, clock=engine.clock, tell=tell)
    engine.health.watch(STORE, lambda: watch.health)
    return watch


def _health_of(engine: Engine, remote: Sequence[RemotePlatform]) -> dict[str, Callable[[], str]]:
    """What lies on somebody else's servers: the chat platforms, and a real venue's prices."""

    def ask(platform: RemotePlatform) -> Callable[[], str]:
        return lambda: platform.health

    found = {platform.name: ask(platform) for platform in remote}
    live = engine.market.live
    return found | ({MARKET_DATA: lambda: live.health} if live is not None else {})


def destinations(settings: Settings) -> dict[Destination, tuple[CardKind, ...]]:
    """Where which cards go: the web's room, and the chats that are configured."""
    web, telegram, slack = settings.web, settings.telegram, settings.slack
    found = {Destination(platform="web", address="room"): web.cards} if web.enabled else {}
    if telegram.token and telegram.chat_id:
        found[Destination(platform="telegram", address=telegram.chat_id)] = telegram.cards
    if slack.bot_token and slack.channel:
        found[Destination(platform="slack", address=slack.channel)] = slack.cards
    return found


def _called_as(settings: Settings) -> tuple[str, ...]:
    """The names under which other platforms' servers call our web server."""
    telegram = settings.telegram
    name = urlsplit(telegram.webhook_url).hostname if telegram.mode == "webhook" and telegram.webhook_url else None
    return (name,) if name else ()


def _access(settings: Settings) -> Access:
    return Access(
        [
            Identity(person=Person(name=each.name, role=each.role), platform=platform, user=user)
            for each in settings.people
            for platform in PLATFORMS
            if (user := getattr(each, platform))
        ]
    )


def _remote(
    settings: Settings, reception: Reception, commands: CommandTable, engine: Engine, access: Access, doors: Doors
) -> Iterator[RemotePlatform]:
    """The platforms with a token; how each is shows in the health of the whole."""
    if settings.telegram.token is not None:
        telegram = _telegram(settings.telegram, settings.telegram.token, reception, commands, doors)
        engine.health.watch(telegram.name, lambda: telegram.health)
        yield telegram
    if settings.slack.bot_token is not None:
        slack = _slack(settings.slack, settings.slack.bot_token, reception, commands, engine.views, access, doors)
        engine.health.watch(slack.name, lambda: slack.health)
        yield slack


def _telegram(
    asked: TelegramSettings, token: SecretStr, reception: Reception, commands: CommandTable, doors: Doors
) -> RemotePlatform:
    from handlers.telegram import TelegramPlatform, WebhookAt

    webhook = None
    if asked.mode == "webhook" and asked.webhook_url:
        secret = asked.webhook_secret or SecretStr(randomness.token_urlsafe(32))
        webhook = WebhookAt(url=asked.webhook_url, secret=secret)
    return TelegramPlatform(
        token=token,
        api_url=asked.api_url,
        receive=reception.receive,
        menu=commands.menu(),
        messages_per_second=asked.messages_per_second,
        poll_timeout=asked.poll_timeout,
        webhook=webhook,
        transport=doors.telegram,
    )


def _slack(
    asked: SlackSettings,
    bot_token: SecretStr,
    reception: Reception,
    commands: CommandTable,
    views: Views,
    access: Access,
    doors: Doors,
) -> RemotePlatform:
    from handlers.slack import SlackPlatform, board

    return SlackPlatform(
        bot_token=bot_token,
        app_token=asked.app_token if asked.mode == "socket" else None,
        signing_secret=asked.signing_secret,
        api_url=asked.api_url,
        command=asked.command,
        names=commands.names,
        receive=reception.receive,
        home=board(views, access),
        messages_per_second=asked.messages_per_second,
        ping_interval=asked.ping_interval,
        sessions=doors.slack,
        wall=doors.wall,
    )


async def _web(
    settings: Settings,
    engine: Engine,
    commands: CommandTable,
    reception: Reception,
    access: Access,
    api_token: SecretStr,
    ready: Callable[[], bool],
    hooks: Sequence[BaseRoute],
    doors: Doors,
) -> Web:
    from handlers.web.board import Board
    from handlers.web.chat import WebChat
    from handlers.web.kit import Kit as WebKit
    from handlers.web.server import WebServer, create_app
    from handlers.web.sessions import Attempts, Sessions, SignInLinks, session_key

    chat = WebChat(database=engine.store, receive=reception.receive, wall=doors.wall)
    links = SignInLinks()
    app = create_app(
        WebKit(
            views=engine.views,
            desk=engine.desk,
            database=engine.store,
            chat=chat,
            board=Board(engine.views),
            commands=commands,
            sessions=Sessions(key=await session_key(engine.store), access=access),
            links=links,
            strangers=Attempts(),
            api_token=api_token,
            clock=engine.clock,
            wall=doors.wall,
            ready=ready,
            version=VERSION,
        ),
        allowed_hosts=(*settings.web.allowed_hosts, settings.web.host, *_called_as(settings)),
        hooks=hooks,
    )
    serve = doors.server or WebServer
    return Web(chat=chat, server=serve(app, host=settings.web.host, port=settings.web.port), links=links)
