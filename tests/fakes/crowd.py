"""Several processes on one database, each on its own connections, who answer the same questions at the same moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from bot.engine import Engine, build_engine
from bot.externals import Externals
from bot.markets import source
from config.settings import Settings
from engine.domain.approvals import Press, Verb
from engine.domain.orders import OrderRequest, SubmitResult
from engine.exchanges.paper import PaperExchange
from engine.execution.doubts import LATE_WITHIN
from engine.flow.cycle import run_cycles
from engine.store.database import Database, Route, nowhere
from engine.store.migrate import upgrade
from engine.timing.clocks import MarketClock
from tests.fakes.forks import FORKS
from tests.fakes.program import ASKED

TOGETHER_WITHIN = 60.0
TABLE = "CREATE TABLE IF NOT EXISTS sent (client_id TEXT)"


class WatchedVenue(PaperExchange):
    """The paper venue, which all processes share; every order that anybody sends is noted beside its file.

    The venue itself would take an order twice without a word, because it knows it by its client id.
    """

    def __init__(self, *, file: Path, **options: Any) -> None:
        super().__init__(file=file, **options)
        self._notes = sent_file(file.parent)

    async def submit(self, request: OrderRequest) -> SubmitResult:
        with closing(sqlite3.connect(self._notes, timeout=10, isolation_level=None)) as notes:
            notes.execute(TABLE)
            notes.execute("INSERT INTO sent VALUES (?)", (request.client_id,))
        return await super().submit(request)


class SharedDatabase(Database):
    """A database that several processes write to, as one bot's tasks do: a server would let in only one of them."""

    def __init__(self, url: str, *, route: Route = nowhere, alone: bool = False) -> None:  # noqa: ARG002 - it is not heeded
        super().__init__(url, route=route, alone=False)


def sent_file(folder: Path) -> Path:
    return folder / "sent.sqlite"


def sent(folder: Path) -> list[str]:
    """The client id of every order that anybody sent, as often as it was sent."""
    with closing(sqlite3.connect(sent_file(folder))) as notes:
        notes.execute(TABLE)
        return [client_id for (client_id,) in notes.execute("SELECT client_id FROM sent")]


@dataclass(kw_only=True)
class Heard:
    """What one process was told: how its presses counted, who had won by then, and what was raised."""

    replies: list[tuple[str, str]] = field(default_factory=list)
    """For each press the question and the reply."""
    winners: set[tuple[str, str]] = field(default_factory=set)
    """For each press that came too late the question and everybody who had approved it."""
    errors: list[str] = field(default_factory=list)

    def count(self, question: str) -> Counter[str]:
        return Counter(reply for asked, reply in self.replies if asked == question)


@asynccontextmanager
async def engine_on(settings: Settings) -> AsyncIterator[Engine]:
    """An engine of one's own over the files of the settings."""
    engine = await build_engine(
        settings, source(settings), nowhere, Externals(store=SharedDatabase, venue=WatchedVenue)
    )
    try:
        yield engine
    finally:
        engine.venues["paper"].close()
        await engine.store.close()


async def ask(settings: Settings) -> list[str]:
    """Make the files, and have every context ask its question; their ids."""
    await asyncio.to_thread(upgrade, settings.database.url)
    async with engine_on(settings) as engine:
        assert isinstance(engine.clock, MarketClock)
        engine.clock.move_to(ASKED)
        for context in engine.market.contexts:
            await run_cycles(engine.services, (context,), ASKED)
        return [asked.id for asked in await engine.store.read(lambda uow: uow.approvals.open())]


async def look_again(settings: Settings) -> None:
    """What a program does about what a fault has left half done: of eight that write at once one may be late.

    An order that the venue does not know is in doubt for as long as its request may still arrive, and over then.
    """
    async with engine_on(settings) as engine:
        assert isinstance(engine.clock, MarketClock)
        await engine.services.orchestrator.look_again()
        engine.clock.move(2 * LATE_WITHIN)
        await engine.services.orchestrator.look_again()


def press_together(settings: Settings, *, people: Sequence[str], questions: Sequence[str], times: int) -> list[Heard]:
    """Let so many processes, one for each name, press every question so many times; all begin with each at once."""
    barrier, results = FORKS.Barrier(len(people)), FORKS.Queue()
    processes = [
        FORKS.Process(target=_person, args=(settings, name, questions, times, barrier, results)) for name in people
    ]
    for process in processes:
        process.start()
    heard = [results.get(timeout=TOGETHER_WITHIN) for _ in processes]
    for process in processes:
        process.join()
    return heard


def _person(
    settings: Settings,
    name: str,
    questions: Sequence[str],
    times: int,
    barrier: Barrier,
    results: Queue[Heard],
) -> None:
    results.put(asyncio.run(_press(settings, name, questions, times, barrier)))


async def _press(settings: Settings, name: str, questions: Sequence[str], times: int, barrier: Barrier) -> Heard:
    heard = Heard()
    async with engine_on(settings) as engine:
        for question in questions:
            await asyncio.to_thread(barrier.wait, TOGETHER_WITHIN)
            await asyncio.gather(*(_once(engine, heard, question, name) for _ in range(times)))
        await engine.approvals.finished()
    return heard


async def _once(engine: Engine, heard: Heard, question: str, name: str) -> None:
    try:
        answered = await engine.approvals.answer(question, Press(person=name, verb=Verb.APPROVE))
    except Exception as error:  # noqa: BLE001 - it is carried to the test
        heard.errors.append(repr(error))
        return
    heard.replies.append((question, answered.reply.value))
    if answered.reply.value == "too late":
        heard.winners.add((question, " and ".join(vote.person for vote in answered.approval.state.votes)))
