"""The chat put together: the ways in and out, on every platform that is configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.engine_room import Engine
from bot.health import Health
from config.settings import PLATFORMS, Settings
from engine.domain.messages import Destination, Person
from engine.outbox import OutboxSender
from engine.ports import Platform
from handlers.access import Access, Identity
from handlers.commands import CommandTable, build_commands
from handlers.notifications import Notifications, is_urgent
from handlers.reception import Reception

if TYPE_CHECKING:
    from handlers.telegram import TelegramPlatform
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where people are, and what they are shown."""

    commands: CommandTable
    reception: Reception
    outbox: OutboxSender
    web: Web | None
    telegram: TelegramPlatform | None


async def build_chat(settings: Settings, engine: Engine, api_token: SecretStr, ready: Callable[[], bool]) -> Chat:
    """The ways in and out of the chat, on every platform that is configured."""
    commands = build_commands(views=engine.views, desk=engine.desk, clock=engine.clock, version=VERSION)
    access = _access(settings)
    reception = Reception(
        access=access,
        commands=commands,
        database=engine.store,
        desk=engine.desk,
        clock=engine.clock,
        wall=wall,
        started_at=wall().replace(microsecond=0),
    )
    telegram = _telegram(settings, reception, commands, engine.health)
    web = await _web(settings, engine, commands, reception, access, api_token, ready) if settings.web.enabled else None
    platforms: dict[str, Platform] = {}
    if telegram is not None:
        platforms[telegram.name] = telegram
    if web is not None:
        platforms[web.chat.name] = web.chat
    outbox = OutboxSender(
        store=engine.store,
        platforms=platforms,
        render=Notifications(engine.views).card,
        is_urgent=is_urgent,
        monotonic=engine.clock.monotonic,
    )
    return Chat(commands=commands, reception=reception, outbox=outbox, web=web, telegram=telegram)


def wall() -> datetime:
    """The wall clock, for what platforms stamp; nothing is decided by it."""
    return datetime.now(UTC)


def destinations(settings: Settings) -> list[Destination]:
    """Where cards go: the web's room, and the chats that are configured."""
    found = [Destination(platform="web", address="room")] if settings.web.enabled else []
    if settings.telegram.token and settings.telegram.chat_id:
        found.append(Destination(platform="telegram", address=settings.telegram.chat_id))
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


def _telegram(
    settings: Settings, reception: Reception, commands: CommandTable, health: Health
) -> TelegramPlatform | None:
    asked = settings.telegram
    if asked.token is None:
        return None
    from handlers.telegram import TelegramPlatform

    platform = TelegramPlatform(
        token=asked.token,
        api_url=asked.api_url,
        receive=reception.receive,
        menu=commands.menu(),
        messages_per_second=asked.messages_per_second,
        poll_timeout=asked.poll_timeout,
    )
    health.watch("telegram", lambda: platform.health)
    return platform


async def _web(
    settings: Settings,
    engine: Engine,
    commands: CommandTable,
    reception: Reception,
    access: Access,
    api_token: SecretStr,
    ready: Callable[[], bool],
) -> Web:
    from handlers.web.board import Board
    from handlers.web.chat import WebChat
    from handlers.web.kit import Kit as WebKit
    from handlers.web.server import WebServer, create_app
    from handlers.web.sessions import Attempts, Sessions, SignInLinks, session_key

    chat = WebChat(database=engine.store, receive=reception.receive, wall=wall)
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
            wall=wall,
            ready=ready,
            version=VERSION,
        ),
        allowed_hosts=(*settings.web.allowed_hosts, settings.web.host),
    )
    return Web(chat=chat, server=WebServer(app, host=settings.web.host, port=settings.web.port), links=links)
