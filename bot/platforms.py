"""Every platform that is configured, put together; each is imported where it is asked for."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.engine import Engine
from bot.externals import Externals
from config.platforms import SlackSettings, TelegramSettings
from config.settings import Settings
from engine.ports import Platform
from engine.views.trading import Views
from handlers.access import Access
from handlers.answered import Note, note_in
from handlers.charts.illustrating import Draw
from handlers.commands import CommandTable
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


def remote_platforms(
    settings: Settings,
    reception: Reception,
    commands: CommandTable,
    engine: Engine,
    access: Access,
    externals: Externals,
    draw: Draw,
) -> Iterator[RemotePlatform]:
    """The platforms with a token; how each is shows in the health of the whole."""
    note = note_in(engine.store)
    if settings.telegram.token is not None:
        telegram = _telegram(settings.telegram, settings.telegram.token, reception, commands, engine, externals, draw)
        engine.health.watch(telegram.name, lambda: telegram.health)
        yield telegram
    if settings.slack.bot_token is not None:
        slack = _slack(
            settings.slack, settings.slack.bot_token, reception, commands, engine.views, access, externals, draw, note
        )
        engine.health.watch(slack.name, lambda: slack.health)
        yield slack


def _telegram(
    asked: TelegramSettings,
    token: SecretStr,
    reception: Reception,
    commands: CommandTable,
    engine: Engine,
    externals: Externals,
    draw: Draw,
) -> RemotePlatform:
    from handlers.telegram import KeptUpdates, TelegramPlatform, WebhookAt

    webhook = None
    if asked.mode == "webhook" and asked.webhook_url:
        secret = asked.webhook_secret or SecretStr(randomness.token_urlsafe(32))
        webhook = WebhookAt(url=asked.webhook_url, secret=secret)
    return TelegramPlatform(
        token=token,
        api_url=asked.api_url,
        receive=reception.answer,
        recorded=reception.recorded,
        interim=reception.interim,
        arrived=reception.arrived,
        shown=reception.shown,
        menu=commands.menu(),
        messages_per_second=asked.messages_per_second,
        poll_timeout=asked.poll_timeout,
        webhook=webhook,
        draw=draw,
        note=note_in(engine.store),
        transport=externals.telegram,
        keep=KeptUpdates(engine.store),
    )


def _slack(
    asked: SlackSettings,
    bot_token: SecretStr,
    reception: Reception,
    commands: CommandTable,
    views: Views,
    access: Access,
    externals: Externals,
    draw: Draw,
    note: Note,
) -> RemotePlatform:
    from handlers.slack import SlackPlatform, board

    return SlackPlatform(
        bot_token=bot_token,
        app_token=asked.app_token if asked.mode == "socket" else None,
        signing_secret=asked.signing_secret,
        api_url=asked.api_url,
        command=asked.command,
        names=commands.names,
        receive=reception.answer,
        recorded=reception.recorded,
        interim=reception.interim,
        arrived=reception.arrived,
        shown=reception.shown,
        home=board(views, access),
        draw=draw,
        zone=views.days.zone,
        note=note,
        messages_per_second=asked.messages_per_second,
        ping_interval=asked.ping_interval,
        sessions=externals.slack,
        wall=externals.wall,
    )


async def web_chat(
    settings: Settings,
    engine: Engine,
    commands: CommandTable,
    reception: Reception,
    access: Access,
    api_token: SecretStr,
    ready: Callable[[], bool],
    hooks: Sequence[BaseRoute],
    externals: Externals,
) -> Web:
    """The web chat with the server under it, which also lets other platforms' servers in at their hooks."""
    from handlers.web.board import Board
    from handlers.web.chat import WebChat
    from handlers.web.guard import OwnNames
    from handlers.web.server import WebServer, create_app
    from handlers.web.services import WebServices
    from handlers.web.sessions import Attempts, Sessions, SignInLinks, session_key

    chat = WebChat(database=engine.store, receive=reception.receive, wall=externals.wall, interim=reception.interim)
    links = SignInLinks()
    names = OwnNames.of(listening=(settings.web.host, *_called_as(settings)), public=settings.web.allowed_hosts)
    app = create_app(
        WebServices(
            views=engine.views,
            desk=engine.desk,
            database=engine.store,
            chat=chat,
            board=Board(engine.views),
            commands=commands,
            sessions=Sessions(key=await session_key(engine.store), access=access, names=names),
            links=links,
            strangers=Attempts(),
            api_token=api_token,
            clock=engine.clock,
            wall=externals.wall,
            ready=ready,
            version=VERSION,
        ),
        names=names,
        trusted_proxies=settings.web.trusted_proxies,
        hooks=hooks,
    )
    serve = externals.server or WebServer
    return Web(chat=chat, server=serve(app, host=settings.web.host, port=settings.web.port), links=links)


def _called_as(settings: Settings) -> tuple[str, ...]:
    """The names under which other platforms' servers call our web server."""
    telegram = settings.telegram
    name = urlsplit(telegram.webhook_url).hostname if telegram.mode == "webhook" and telegram.webhook_url else None
    return (name,) if name else ()
