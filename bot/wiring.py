"""Settings → objects. The one place where concrete venues, strategies and platforms are chosen.

    source ─▶ engine ─▶ chat ─▶ driver

Tests call ``build`` as well, with servers of their own behind the same settings: nothing needs to be patched.
"""

from __future__ import annotations

import math
import secrets as randomness
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.health import Health
from bot.markets import Source, quote_of, source
from config.settings import Settings
from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.analysis.technical import TechnicalAnalyzer
from engine.approvals import Approvals
from engine.backtest.replay import Pace, Replay
from engine.bookkeeping import Bookkeeping
from engine.clocks import MarketClock, WallClock
from engine.deciding import Kit
from engine.desk import Desk
from engine.domain.autonomy import Autonomy
from engine.domain.events import Welcomed
from engine.domain.market import Timeframe
from engine.domain.messages import Destination, Person
from engine.exchanges.paper import PaperExchange
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.jobs import Job, WallDriver, job_table
from engine.outbox import OutboxSender
from engine.ports import Platform
from engine.risk.manager import RiskManager
from engine.risk.rules import RiskLimits
from engine.simulation.fills import FillModel
from engine.store.database import Database, stamp
from engine.store.unit_of_work import UnitOfWork
from engine.views import Views
from handlers.access import Access, Identity
from handlers.commands import CommandTable, build_commands
from handlers.notifications import Notifications, routes
from handlers.reception import Reception

if TYPE_CHECKING:
    from handlers.telegram import TelegramPlatform
    from handlers.web.chat import WebChat
    from handlers.web.server import WebServer
    from handlers.web.sessions import SignInLinks

VERSION = installed_version("greenlight")
PLATFORMS = ("telegram", "slack", "web")
WAIT_FOR_PEOPLE = timedelta(minutes=2)
"""How long a question holds a replay at a watchable speed, where nothing else is asked for."""

AnyClock = MarketClock | WallClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """How the engine reaches what outlives it. A test that wants to cut the power at an exact point gives its own."""

    store: type[Database] = Database
    venue: type[PaperExchange] = PaperExchange


DOORS = Doors()


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """From a closed candle to a filled order: everything below the chat."""

    market: Source
    clock: AnyClock
    store: Database
    venue: PaperExchange
    kit: Kit
    approvals: Approvals
    books: Bookkeeping
    desk: Desk
    views: Views
    health: Health


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Everything that runs, put together but not started."""

    settings: Settings
    engine: Engine
    chat: Chat
    driver: Replay | WallDriver
    api_token: SecretStr


async def build(
    settings: Settings,
    *,
    ready: Callable[[], bool] = lambda: True,
    more_jobs: Callable[[Engine], Sequence[Job]] = lambda _: (),
    doors: Doors = DOORS,
) -> Program:
    """Put the program together on a migrated database.

    Args:
        settings: What to build.
        ready: Whether the program has started fully, for those who ask it.
        more_jobs: Further jobs on the same clock, e.g. people who answer at market times.
        doors: How the store and the venue are opened.

    Raises:
        ConfigError: The settings contradict what they are about.
        DataError: A candle file cannot be used.
        StoreError: The database or the venue's file cannot be used.
    """
    engine = await build_engine(settings, source(settings), doors)
    api_token = settings.web.token or SecretStr(randomness.token_urlsafe(24))
    chat = await build_chat(settings, engine, api_token, ready)
    jobs = job_table(
        kit=engine.kit,
        contexts=engine.market.contexts,
        approvals=engine.approvals,
        books=engine.books,
        digest_at=settings.digest.at,
        timezone=settings.digest.zone,
    )
    driver = _driver(settings, engine, (*jobs, *more_jobs(engine)))
    return Program(settings=settings, engine=engine, chat=chat, driver=driver, api_token=api_token)


async def build_engine(settings: Settings, market: Source, doors: Doors = DOORS) -> Engine:
    """The engine on its clock, at the time where the last run left off."""
    clock: AnyClock = WallClock() if settings.market.clock == "wall" else MarketClock(market.start)
    store = doors.store(settings.database.url, route=routes(_destinations(settings)))
    venue = doors.venue(
        file=settings.venue_file,
        feed=market.feed,
        clock=clock,
        model=FillModel(**settings.venue.model_dump(include={"fee", "spread", "depth", "levels", "level_step"})),
        balances=settings.venue.balances,
    )
    await _open_account(settings, market, store, venue, clock)
    limits = RiskLimits(**settings.risk.model_dump())
    kit = Kit(
        clock=clock,
        store=store,
        exchange=venue,
        quality=DataQualityMonitor(limits=QualityLimits(**settings.quality.model_dump())),
        analyzer=TechnicalAnalyzer(extra_indicators=settings.indicators.extra),
        risk=RiskManager(limits=limits),
        autonomy=Autonomy(**settings.approval.model_dump()),
        orchestrator=ExecutionOrchestrator(store=store, exchange=venue, clock=clock),
    )
    approvals = Approvals(
        store=store, exchange=venue, risk=kit.risk, autonomy=kit.autonomy, orchestrator=kit.orchestrator, clock=clock
    )
    health = Health()
    zone = settings.digest.zone
    return Engine(
        market=market,
        clock=clock,
        store=store,
        venue=venue,
        kit=kit,
        approvals=approvals,
        books=Bookkeeping(store=store, exchange=venue, markets=_marked_at(market), limits=limits, timezone=zone),
        desk=Desk(store=store, approvals=approvals, clock=clock),
        views=Views(
            store=store,
            exchange=venue,
            clock=clock,
            profile=settings.profile,
            contexts=tuple(context.name for context in market.contexts),
            timezone=zone,
            parts=health.parts,
        ),
        health=health,
    )


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
        monotonic=engine.clock.monotonic,
    )
    return Chat(commands=commands, reception=reception, outbox=outbox, web=web, telegram=telegram)


def wall() -> datetime:
    """The wall clock, for what platforms stamp; nothing is decided by it."""
    return datetime.now(UTC)


async def _open_account(
    settings: Settings, market: Source, store: Database, venue: PaperExchange, clock: AnyClock
) -> None:
    """Stamp a new database and open its account; on a known one, go on at the market time it had reached."""
    quote = quote_of(market.contexts.contexts, market.feed)
    balances = await venue.balances()
    owner = {"profile": settings.profile, "venue": venue.name, "market": market.label}

    def work(uow: UnitOfWork) -> datetime | None:
        stamp(uow, owner)
        if not uow.account.opened():
            uow.account.open(quote, balances.get(quote, Decimal(0)))
            uow.settings.set("account.began", clock.now().isoformat())
            uow.emit(Welcomed(at=clock.now()))
        return uow.account.last_equity_at()

    reached = [at for at in (await store.transact(work), venue.advanced_to) if at is not None]
    if isinstance(clock, MarketClock) and reached:
        clock.move_to(max(reached))


def _driver(settings: Settings, engine: Engine, jobs: Sequence[Job]) -> Replay | WallDriver:
    on_trouble = engine.health.teller("jobs")
    if not isinstance(engine.clock, MarketClock):
        return WallDriver(jobs=jobs, clock=engine.clock, on_trouble=on_trouble)

    async def open_questions() -> Sequence[str]:
        return [approval.id for approval in await engine.store.read(lambda uow: uow.approvals.open())]

    return Replay(
        clock=engine.clock,
        jobs=jobs,
        pace=pace(settings),
        open_questions=open_questions,
        on_trouble=on_trouble,
        answering=lambda: engine.approvals.busy,
    )


def pace(settings: Settings) -> Pace:
    """How fast the market goes, and how long it waits for people."""
    speed = math.inf if settings.replay.speed == "max" else float(settings.replay.speed)
    asked = settings.replay.wait_for_people
    usual = timedelta(0) if math.isinf(speed) else WAIT_FOR_PEOPLE
    return Pace(speed=speed, wait_for_people=(usual if asked is None else asked).total_seconds())


def _marked_at(market: Source) -> dict[str, Timeframe]:
    shortest = min((context.timeframe for context in market.contexts), key=lambda timeframe: timeframe.duration)
    return {symbol: shortest for context in market.contexts for symbol in context.markets}


def _destinations(settings: Settings) -> list[Destination]:
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
        on_trouble=_shown_in_health,
        messages_per_second=asked.messages_per_second,
        poll_timeout=asked.poll_timeout,
    )
    health.watch("telegram", lambda: platform.health)
    return platform


async def _shown_in_health(_: str) -> None:
    """Trouble on Telegram cannot be told on Telegram: it is logged there and stands in ``/health``."""


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
