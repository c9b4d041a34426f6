"""The whole firm in one process, on one seed: the program, its market and venue, the chat servers, and the people.

A run is a play in three acts. While the faults last, lines break, the power is cut and people do what people do. Then
the faults are over, an admin pauses new entries, and everything that was begun must come to its end. At last the
program stops in order, and its files are audited.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from starlette.responses import Response

from bot.app import App
from bot.externals import Externals
from engine.ai.panel import NO_PANEL
from engine.domain.errors import GreenlightError
from engine.ports import MarketFeed
from engine.simulation.fills import FillModel
from engine.store.database import Database
from tests.chaos import faults, invariants
from tests.chaos.externals import Page, store_in
from tests.chaos.faults import Faults
from tests.chaos.firm import CALM_CANDLES, CANDLES, MARKET_BEGINS, Someone, settings_for
from tests.chaos.loop import LIFE, Life, SimulatedLoop
from tests.chaos.markets import ThinFeed, shape_of
from tests.chaos.panel import SlowPanel, is_asked
from tests.chaos.people import Crowd
from tests.chaos.positions import Positions
from tests.chaos.slack import PATH, Session, Slack
from tests.chaos.telegram import Wire
from tests.chaos.venue import Line, venue_on
from tests.chaos.watch import Watch
from tests.fakes.database import new_file
from tests.fakes.program import Files, Json
from tests.fakes.telegram_state import TOKEN, BotApi

T = TypeVar("T")

EPOCH = datetime(2026, 6, 1, 9, tzinfo=UTC)
"""The wall time at which every run begins; the market is elsewhere in time."""
PLAYED_WITHIN = 1800.0
CALM_WITHIN = 600.0
"""Simulated seconds in which the first act ends, and in which everything comes to its end once the faults are over."""
SETTLED_AFTER, STOPPED_WITHIN = 60.0, 10.0
LOOKS = 3
"""How often one looks at all cards, at most, before what is wrong there is held to stay so."""


@dataclass(kw_only=True)
class Report:
    """How a run went."""

    seed: int
    complaints: list[str] = field(default_factory=list)
    trace: str = ""
    lines: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


class World:
    """Everything of one run.

    Args:
        folder: Where the files are.
        externals: changes the externals, to build a known fault in.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        loop: SimulatedLoop,
        *,
        externals: Callable[[Externals], Externals] = lambda made: made,
    ) -> None:
        self.seed = seed
        self.files = Files(folder=folder)
        self._eyes = sqlite3.connect(new_file(folder), isolation_level=None)
        self._eyes.row_factory = sqlite3.Row
        self.loop = loop
        self.settings = settings_for(seed, folder)
        self.market_ends = MARKET_BEGINS + timedelta(hours=CANDLES + CALM_CANDLES)
        self.report = Report(seed=seed)
        self.chance = Random(f"{seed}/world")
        length = CANDLES * 3600 / float(self.settings.replay.speed)
        kinds = {"telegram": faults.PLATFORM, "slack": faults.SLACK, "venue": faults.VENUE}
        if shape_of(seed).thin:
            kinds["sales"] = faults.SALES
        self.faults = Faults(seed, kinds, loop.time, length=length)
        self.telegram = BotApi(
            username="greenlight_bot",
            bot_id=int(TOKEN.partition(":")[0]),
            answer_within=15.0,
            wall=lambda: self.wall().timestamp(),
            monotonic=loop.time,
        )
        self.slack = Slack(self)
        traded = shape_of(seed).coins.markets
        lots = {symbol: Decimal(str(made.get("lot", "0.00001"))) for symbol, made in traded.items()}
        self.positions = Positions(sqlite3.connect(new_file(folder), isolation_level=None), self.files.venue_file, lots)
        self.watch = Watch(
            self.positions, complain=self.complain, now=self._market_time, is_calm=lambda: self.faults.over
        )
        self.line = Line(seed, self.faults, self.moment, self.note, self.watch.before_sending)
        self.app: App | None = None
        self.stores: list[Database] = []
        self._hash = hashlib.sha256()
        self._life = Life()
        self._lives: list[Life] = []
        self._gone = asyncio.Event()
        self._fuse = 0
        self._cuts = self.chance.choice((0, 1, 1, 2, 3))
        self._stopping = False
        self.closed = False
        wires = Random(f"{seed}/wires")
        self._externals = externals(
            Externals(
                store=store_in(self),
                venue=venue_on(self.line, self._market),
                wall=self.wall,
                telegram=lambda: Wire(self, wires),
                slack=lambda _: Session(self, wires),
                server=Page,
                panel=SlowPanel(seed, self.faults.happened) if is_asked(seed) else NO_PANEL,
            )
        )
        self.people = Crowd(self)

    # What the program is given

    def wall(self) -> datetime:
        """The wall clock."""
        return EPOCH + timedelta(seconds=self.loop.time())

    def moment(self) -> None:
        """Something that outlives the program is about to be touched, or just was: the power may be cut."""
        self.watch.look()
        if self._fuse > 0 and LIFE.get() is self._life:
            self._fuse -= 1
            if self._fuse == 0:
                self._cut()

    def _market(self, feed: MarketFeed, model: FillModel) -> MarketFeed:
        """What the venue trades on."""
        shape = shape_of(self.seed)
        return ThinFeed(feed, shape.coins, seed=self.seed, model=model) if shape.thin else feed

    def note(self, *what: object) -> None:
        """Write down what happened, for the trace."""
        line = f"{self.loop.time():.6f} {' '.join(map(str, what))}"
        self._hash.update(line.encode())
        self.report.lines.append(line)

    def complain(self, text: str) -> None:
        """Something is not as it must be."""
        self.note("COMPLAINT", text)
        self.report.complaints.append(text)

    def rows(self, query: str, *values: object) -> list[Json]:
        """Rows of the program's database, as they are on the disk."""
        return [dict(row) for row in self._eyes.execute(query, values)]

    # The play

    async def play(self) -> None:
        """The three acts."""
        keeping = asyncio.create_task(self._keep_running(), name="supervisor")
        crowd = asyncio.create_task(self.people.live(), name="people")
        faulty_until = MARKET_BEGINS + timedelta(hours=CANDLES)
        try:
            await self._until(lambda: self._market_at() >= faulty_until, PLAYED_WITHIN, "the market goes on")
            if not crowd.cancel():
                crowd.result()  # people do not go home by themselves
            self.faults.over, self._cuts, self._fuse = True, 0, 0
            self.note("the faults are over")
            self.people.pause()
            await self.people.go_home()
            await self._until(self._has_ended, CALM_WITHIN, "the market comes to its end")
            await self._take_in_the_last()
            await self._until(lambda: not invariants.unfinished(self), CALM_WITHIN, "everything comes to its end")
        except TimeoutError as missed:
            self.complain(f"not true in time: {missed}; {invariants.unfinished(self)}")
        for complaint in await self._wrong_in_the_chat():
            self.complain(complaint)
        await self._stop(keeping)
        try:
            found = invariants.of_the_files(self)
        except LookupError as error:  # tables without what every firm has in them
            found = [f"the files cannot be audited: {error!r}"]
        for complaint in found:
            self.complain(complaint)
        await self._close()

    async def _wrong_in_the_chat(self) -> list[str]:
        """What stays wrong: something may happen, such as a platform being called well, just while one looks."""
        found = await self._look_at_the_chat()
        for _ in range(LOOKS - 1):
            if not found:
                break
            await asyncio.sleep(SETTLED_AFTER)
            found = await self._look_at_the_chat()
        return found

    async def _look_at_the_chat(self) -> list[str]:
        try:
            return await invariants.of_the_chat(self)
        except RuntimeError as error:  # the program has ended, and shut the threads that read for its cards
            return [f"no card can be drawn: {error}"]

    async def _until(self, holds: Callable[[], bool], within: float, what: str) -> None:
        deadline = self.loop.time() + within
        while not holds():
            if self.loop.time() > deadline:
                raise TimeoutError(what)
            await asyncio.sleep(0.5)

    def _has_ended(self) -> bool:
        self.people.keep_paused()
        return self._market_at() >= self.market_ends and self.app is not None and self.app.program is not None

    async def _take_in_the_last(self) -> None:
        """Let the program take in what happened at the venue after the last candle, as it would at the next one."""
        program = self.app.program if self.app else None
        assert program
        taking_in = program.engine.services.orchestrator.sync_venue_events()
        await self.loop.create_task(taking_in, context=_context_of(self._life))

    async def _stop(self, keeping: asyncio.Task[None]) -> None:
        self._stopping = True
        if self.app:
            self.app.stop()
        done, _ = await asyncio.wait([keeping], timeout=STOPPED_WITHIN)
        if not done:
            self.complain(f"it has not stopped within {STOPPED_WITHIN:g} s")
            self._cut()

    async def _close(self) -> None:
        self.note("steps", self.loop.steps)
        self.report.trace = self._hash.hexdigest()
        for name in ("audit", "orders", "decisions", "approvals"):
            (row,) = self.rows(f"SELECT count(*) AS n FROM {name}")  # noqa: S608 - one of these four
            self.faults.counts[name] = row["n"]
        self.report.counts = dict(self.faults.counts)
        self.closed = True
        for life in self._lives:
            await self.loop.bury(life)
        self._pick_up_the_pieces()
        self.positions.close()
        self._eyes.close()

    def _market_at(self) -> datetime:
        return self._market_time() or MARKET_BEGINS

    def _market_time(self) -> datetime | None:
        program = self.app.program if self.app else None
        return program.engine.clock.now() if program else None

    # Lives

    async def _keep_running(self) -> None:
        """Start the program again whenever it has ended, as a supervisor does."""
        while not self._stopping:
            await self._live()
            if not self._stopping:
                await asyncio.sleep(self.chance.choice((0.01, 0.5, 3.0, 10.0)))

    async def _live(self) -> None:
        life = self._life = Life()
        self._lives.append(life)
        self._gone.clear()
        self._fuse = int(self.chance.expovariate(1 / 120)) + 1 if self._cuts > 0 else 0
        self.app = App(self.settings, announce=lambda _: None, externals=self._externals)
        self.note("the program starts")
        running = self.loop.create_task(self.app.run(), context=_context_of(life))
        running.add_done_callback(lambda _: self._gone.set(), context=Context())
        await self._gone.wait()
        if life.dead:
            self._pick_up_the_pieces()
        else:
            self._ended(running)

    def _ended(self, running: asyncio.Task[None]) -> None:
        error = running.exception()
        self.note("the program has ended", repr(error))
        if error is None and not self._stopping:
            self.complain("the program stopped without being told to")
        elif error is not None and not isinstance(error, GreenlightError):
            self.complain(f"the program died of {error!r}")

    def _cut(self) -> None:
        """Cut the power."""
        self._cuts -= 1
        self.faults.happened("power cut")
        self.note("POWER CUT")
        self.loop.kill(self._life)
        self._gone.set()

    def _pick_up_the_pieces(self) -> None:
        """Do for the dead what the kernel does: let go of locks and files."""
        for store in self.stores:
            store._shut()
        for venue in self.line.opened:
            venue.close()
        self.stores.clear()
        self.line.opened.clear()
        for lock in self.files.folder.glob("*.lock"):
            lock.unlink()

    def through_slack(self, kind: str, payload: Json) -> tuple[asyncio.Task[Response], Life] | None:
        """Let Slack's servers call the program; ``None`` where nobody answers."""
        server = self._server()
        if server is None or PATH not in server.hooks:
            return None
        called = server.hooks[PATH](self.slack.signed(kind, payload))
        return self.loop.create_task(called, context=_context_of(self._life)), self._life

    def _server(self) -> Any:
        """The web server, where it is up."""
        program = self.app.program if self.app and not self._life.dead else None
        web = program.chat.web if program else None
        return web.server if web is not None and web.server.port else None

    def through_the_web(
        self, who: Someone, what: str, delivery: UUID, *, pressed: bool
    ) -> tuple[asyncio.Task[None], Life] | None:
        """Let somebody type or press in the web chat; ``None`` where nobody serves it, or would let them in."""
        server = self._server()
        if server is None:
            return None
        services = server.services
        caller = services.sessions.known(who.web)
        if caller is None:
            return None
        acting = services.chat.press if pressed else services.chat.say
        return self.loop.create_task(acting(caller, what, delivery), context=_context_of(self._life)), self._life


def _context_of(life: Life) -> Context:
    context = Context()
    context.run(LIFE.set, life)
    return context
