"""The web with a real database, before an engine that a test holds in its hands; called directly or over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from engine.domain.account import EquityPoint, Status
from engine.domain.approvals import Approval, Ordered, Press
from engine.domain.decisions import Judged
from engine.domain.messages import Card, Destination, Person, Ref, Role
from engine.domain.money import Money
from engine.domain.orders import Fill, Order, Side
from engine.domain.payments import Payment
from engine.domain.people import AuditEntry
from engine.domain.trade_views import FillView
from engine.flow.approvals import Answered
from engine.store.database import Database
from handlers.access import Access, Identity
from handlers.cards import approval as approval_card
from handlers.commands import build_commands
from handlers.reception import Reception
from handlers.web.board import Board
from handlers.web.chat import WebChat
from handlers.web.guard import OwnNames
from handlers.web.server import WebServer, create_app
from handlers.web.services import WebServices
from handlers.web.sessions import Attempts, Sessions, SignInLinks, session_key
from tests.fakes import reports
from tests.fakes.chat import (
    FakeClock,
    FakeDesk,
    FakeResults,
    FakeRiskReports,
    FakeVenueReports,
    FakeViews,
    no_backtest,
    no_logs,
    paged,
)
from tests.fakes.database import blank
from tests.fakes.panel import rules_alone
from tests.fakes.plain import PLAIN

TOKEN = "a-token-for-tests"
ROOM = Destination(platform="web", address="room")
PEOPLE = {"Ann": Role.ADMIN, "Tom": Role.TRADER, "Vic": Role.VIEWER}


@dataclass
class WebViews(FakeViews):
    """Adds what only the web shows."""

    database: Database | None = None
    changes: dict[str, object] = field(default_factory=dict)
    equity: tuple[Decimal, ...] = tuple(Decimal(10000 + 7 * step - (step % 9) * 11) for step in range(60))

    async def status(self) -> Status:
        waiting = len(await self.pending())
        return replace(await super().status(), pending=waiting, **self.changes)

    async def equity_curve(self, points: int) -> tuple[EquityPoint, ...]:
        return reports.points(*self.equity)[-points:]

    async def payments(self) -> tuple[Payment, ...]:
        return ()

    async def orders(self, count: int, before: str = "") -> tuple[Order, ...]:
        return paged((reports.filled_order(), reports.order(id="O4", fee=Decimal("1E-8"))), count, before)

    async def fills(self, count: int, before: str = "") -> tuple[FillView, ...]:
        fill = Fill(
            venue="paper",
            trade_id="V9",
            client_id="c" * 32,
            symbol="BTC/USDT",
            side=Side.BUY,
            quantity=Decimal("0.00617"),
            price=Decimal("20011.23"),
            fee=Money(amount=Decimal("0.1234"), currency="USDT"),
            at=reports.ANSWERED,
        )
        return paged(
            (FillView(id="F2", fill=fill, fee_value=Decimal("0.1234"), order_id="O5", position_id="T3"),), count, before
        )

    async def decisions(self, count: int, before: str = "") -> tuple[Judged, ...]:
        return () if before else (reports.judged(),)[:count]

    async def audit(self, count: int, before: str = "") -> tuple[AuditEntry, ...]:
        return await self.database.read(lambda uow: uow.chat.newest_audit(count, before))


@dataclass
class WebDesk(FakeDesk):
    """Shows the approval's card anew after each answer, as the outbox does."""

    room: WebRoom | None = None

    async def answer(self, approval_id: str, press: Press) -> Answered:
        answered = await super().answer(approval_id, press)
        await self.room.show(answered.approval)
        return answered


class WebRoom:
    """Everything behind the web's app, and hands to move it with."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.views = WebViews(database=database, trades_by_id={"T3": reports.position()})
        self.desk = WebDesk(views=self.views, clock=self.clock, room=self)
        self.links = SignInLinks()
        self.access = Access([_identity(name, role) for name, role in PEOPLE.items()])
        self.ready = True
        self.refs: dict[str, Ref] = {}
        commands = build_commands(
            views=self.views,
            results=FakeResults(),
            risk=FakeRiskReports(),
            venues=FakeVenueReports(),
            logs=no_logs,
            backtest=no_backtest,
            desk=self.desk,
            clock=self.clock,
            version="1.2.3",
            asker=rules_alone(),
        )
        self.reception = Reception(
            access=self.access,
            commands=commands,
            database=database,
            desk=self.desk,
            clock=self.clock,
            wall=wall,
            started_at=wall().replace(microsecond=0),
        )
        self.chat = WebChat(database=database, receive=self.reception.receive, wall=wall)
        self.commands = commands
        self.sessions: Sessions | None = None

    async def services(self, *, token: str | None = TOKEN, names: OwnNames | None = None) -> WebServices:
        self.sessions = Sessions(key=await session_key(self.database), access=self.access, names=names)
        return WebServices(
            views=self.views,
            desk=self.desk,
            database=self.database,
            chat=self.chat,
            board=Board(self.views),
            commands=self.commands,
            sessions=self.sessions,
            links=self.links,
            strangers=Attempts(),
            api_token=SecretStr(token) if token else None,
            clock=self.clock,
            wall=wall,
            ready=lambda: self.ready,
            version="1.2.3",
        )

    async def ask(self, **changes: object) -> Approval:
        """Put a question to people."""
        asked = reports.asked(**changes)
        self.views.approvals_by_id[asked.id] = asked
        await self.show(asked)
        return asked

    async def show(self, asked: Approval) -> None:
        order = reports.filled_order() if isinstance(asked.state, Ordered) else None
        view = replace(reports.approval_view(), approval=asked, order=order, price=Decimal("20040.50"))
        topic = f"approval:{asked.id}"
        card = replace(approval_card.card(view, Decimal(10000)), topic=topic)
        await self.put(card)

    async def put(self, card: Card) -> None:
        self.refs[card.topic] = await self.chat.put(ROOM, card, self.refs.get(card.topic))


@dataclass
class Served:
    """A room with its app, and a client that has not signed in."""

    room: WebRoom
    app: FastAPI
    client: httpx.AsyncClient
    transport: httpx.AsyncBaseTransport | None
    server: WebServer | None = None

    @asynccontextmanager
    async def enter(self, user: str) -> AsyncIterator[httpx.AsyncClient]:
        """A browser that has come in by its link."""
        async with self.browser() as browser:
            answer = await browser.get(f"/enter/{self.room.links.issue(user)}")
            assert answer.status_code == 303
            yield browser

    def browser(self, cookies: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A browser that has not come in."""
        base = str(self.client.base_url)
        return httpx.AsyncClient(
            base_url=base, headers={"origin": base}, transport=self.transport, cookies=cookies, verify=PLAIN
        )


@asynccontextmanager
async def opened(folder: Path, *, token: str | None = TOKEN) -> AsyncIterator[Served]:
    """A room whose app is called directly: quick, but an answer arrives only once it is complete."""
    async with _room(folder) as room:
        app = create_app(await room.services(token=token))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(base_url="http://127.0.0.1", transport=transport) as client:
            yield Served(room=room, app=app, client=client, transport=transport)


@asynccontextmanager
async def served(folder: Path, *, port: int = 0) -> AsyncIterator[Served]:
    """A room on a real port until the end of the block."""
    async with _room(folder) as room:
        app = create_app(await room.services())
        server = WebServer(app, host="127.0.0.1", port=port)
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", verify=PLAIN) as client:
                yield Served(room=room, app=app, client=client, transport=None, server=server)
        finally:
            await server.stop()


@asynccontextmanager
async def _room(folder: Path) -> AsyncIterator[WebRoom]:
    database = new_database(folder)
    try:
        yield WebRoom(database)
    finally:
        await database.close()


def new_database(folder: Path) -> Database:
    """The database in a folder, made with all its tables where there is none."""
    file = folder / "web.sqlite"
    if not file.exists():
        file.write_bytes(blank())
    return Database(f"sqlite:///{file}")


def wall() -> datetime:
    return datetime.now(UTC)


def _identity(name: str, role: Role) -> Identity:
    return Identity(person=Person(name=name, role=role), platform="web", user=name)
