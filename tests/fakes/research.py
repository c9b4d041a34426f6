"""An account at work on the wall clock while research takes long: how late everything else is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.domain.approvals import Press, Verb
from engine.domain.events import ApprovalChanged, Event, ExternalCancelled, PositionProtected
from engine.domain.messages import Incoming, Person, Role, Typed
from engine.domain.orders import OrderType
from engine.jobs.table import Group, Job, at_each, job_table
from engine.jobs.wall_driver import WallDriver
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContexts
from engine.timing.clocks import wall
from engine.timing.scheduler import WallScheduler
from engine.timing.triggers import often
from handlers.access import Access, Identity
from handlers.commands import build_commands
from handlers.reception import Reception
from tests.fakes.chat import no_backtest, no_logs
from tests.fakes.engine import DAY, Room, engine_room, settled
from tests.fakes.feed import START, HandClock
from tests.fakes.panel import rules_alone

MARKETS = 20
"""On how many markets research is done at once."""
FOLLOWED = timedelta(milliseconds=200)
"""How often the venue is asked what it did."""
POSITIONS = 10
"""How many are held: a stop that is cancelled again and again is placed again more and more slowly."""
OPEN_FOR = 1.5
"""Seconds for which an approval is open: longer than the driver takes to learn of it."""
EACH = 0.4
"""Seconds from one thing that must not be late to the next."""
EXPIRY, EVENTS, PROTECTION, CHAT = "expiry", "venue events", "protection", "/status"


class RunningClock(HandClock):
    """A clock that stands at the opening of a room until it is let go, and then keeps the wall's pace."""

    def __init__(self) -> None:
        self._opened = START + timedelta(minutes=DAY)
        self._since: float | None = None

    @property
    def at(self) -> datetime:
        passed = 0.0 if self._since is None else time.monotonic() - self._since
        return self._opened + timedelta(seconds=passed)

    @at.setter
    def at(self, _: datetime) -> None:
        """It goes by itself."""

    def go(self) -> None:
        self._since = time.monotonic()


@dataclass
class Late:
    """By how many wall seconds things were late, by what they are."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, late: timedelta) -> None:
        self.seconds.setdefault(what, []).append(max(late.total_seconds(), 0.0))


async def lateness(
    folder: Path,
    *,
    lasts: float,
    research: bool = True,
    one_lock: bool = False,
    thinking: Callable[[Room], Awaitable[object]] | None = None,
) -> Late:
    """Let an account work for some seconds.

    Args:
        lasts: How long, and how long the research takes that begins at once.
        research: Whether there is any.
        one_lock: Whether one job at a time is done of all, as before there were groups.
        thinking: What is done for research; ``None`` to wait for so long on every market.
    """

    async def waits(_: Room) -> object:
        return await asyncio.gather(*(asyncio.sleep(lasts) for _ in range(MARKETS)))

    clock = RunningClock()
    async with engine_room(folder, clock=clock) as room:
        for number in range(POSITIONS):
            asked = await room.ask(quantity=Decimal(2), context=f"c{number}")
            await settled(room.approvals, asked.id, Press(person="Ann", verb=Verb.APPROVE))
        watch = _Watch(room)
        clock.go()
        driver = WallDriver(
            jobs=_jobs(room, (thinking or waits) if research else None, one_lock=one_lock),
            clock=clock,
            on_trouble=lambda text: print(text) if text else None,  # noqa: T201 - a bench that measures failures says so
            scheduler=WallScheduler(wall),
            finish_within=lasts,
        )
        driver.start()
        await asyncio.sleep(0.1)
        ends = time.monotonic() + lasts - OPEN_FOR - EACH
        while time.monotonic() < ends:
            await watch.make_something_happen()
            await asyncio.sleep(EACH)
        await watch.all_noticed(lasts)
        await driver.stop()
        return watch.late


def _jobs(room: Room, thinking: Callable[[Room], Awaitable[object]] | None, *, one_lock: bool) -> tuple[Job, ...]:
    async def follow(venue: str, _: datetime) -> None:
        await room.orchestrator.sync_venue_events(venue)

    begun: list[datetime] = []

    async def alarm() -> datetime | None:
        return None if begun or thinking is None else START

    async def panels(at: datetime) -> None:
        begun.append(at)
        if thinking is not None:
            await thinking(room)
        await room.store.transact(_conclude)

    table = job_table(
        services=room.services,
        contexts=StrategyContexts(contexts=(room.context,)),
        deliberations=room.deliberations,
        approvals=room.approvals,
        books=room.books,
    )
    jobs = (
        Job(name="models", group=Group.RESEARCH, run=panels, alarm=alarm),
        *table,
        *at_each(room.orchestrator.venues, "venue", follow, trigger=often(FOLLOWED)),
    )
    return tuple(replace(job, group=Group.ACCOUNT, venue="") if one_lock else job for job in jobs)


def _conclude(uow: UnitOfWork) -> None:
    uow.settings.set("panels", "spoken")


class _Watch:
    """Makes things happen, and notes how late they were noticed."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._expires: dict[str, datetime] = {}
        self._cancelled: dict[type[Event], list[datetime]] = {ExternalCancelled: [], PositionProtected: []}
        self._reception = _reception(room)
        self._asked = 0
        self._left_alone: set[str] = set()
        self.late = Late()
        room.store.on_kept(lambda events: [self._hear(event) for event in events])

    async def make_something_happen(self) -> None:
        """An approval that runs out in a moment, a stop that somebody cancels, and a question of a person."""
        room = self._room
        approval = await room.ask(minutes=OPEN_FOR / 60)
        self._expires[approval.id] = approval.expires_at
        if not any(self._cancelled.values()):
            await self._cancel_a_stop()
        self._asked += 1
        began = time.monotonic()
        asked = Incoming(
            platform="telegram",
            user="1",
            delivery_id=str(self._asked),
            sent_at=None,
            address="1",
            action=Typed(text="/status"),
        )
        await self._reception.answer(asked)
        self.late.note(CHAT, timedelta(seconds=time.monotonic() - began))
        await self._reception.recorded(asked)

    async def all_noticed(self, within: float) -> None:
        async with asyncio.timeout(within + 10):
            while self._expires or any(self._cancelled.values()):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    async def _cancel_a_stop(self) -> None:
        """Cancel the stop of a position by hand, each once."""
        orders = await self._room.store.read(lambda uow: uow.orders.unfinished())
        stops = [order for order in orders if order.request.type is OrderType.OCO and order.status.at_venue]
        stop = next((each for each in stops if each.position_id not in self._left_alone), None)
        if stop is not None:
            self._left_alone.add(stop.position_id)
            for waiting in self._cancelled.values():  # it is due to be noticed when the venue is asked next
                waiting.append(often(FOLLOWED).after(self._room.clock.now()))
            await self._room.venue.cancel(stop.request.symbol, stop.request.client_id)

    def _hear(self, event: Event) -> None:
        now = self._room.clock.now()
        match event:
            case ApprovalChanged(approval_id=approval_id, status="expired") if approval_id in self._expires:
                self.late.note(EXPIRY, now - self._expires.pop(approval_id))
            case ExternalCancelled():
                self._noticed(type(event), EVENTS, now)
            case PositionProtected():
                self._noticed(type(event), PROTECTION, now)

    def _noticed(self, kind: type[Event], what: str, now: datetime) -> None:
        if self._cancelled[kind]:
            self.late.note(what, now - self._cancelled[kind].pop(0))


def _reception(room: Room) -> Reception:
    person = Person(name="Ann", role=Role.TRADER)
    return Reception(
        access=Access([Identity(person=person, platform="telegram", user="1")]),
        commands=build_commands(
            views=room.views,
            results=room.results,
            risk=room.risk,
            venues=room.venue_reports,
            desk=room.desk,
            clock=room.clock,
            version="0",
            asker=rules_alone(),
            logs=no_logs,
            backtest=no_backtest,
        ),
        database=room.store,
        desk=room.desk,
        clock=room.clock,
        wall=wall,
        started_at=wall(),
    )
