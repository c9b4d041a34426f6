"""The stories that are cut off at every line, what one life makes of them, and what must hold in the end.

A life is the program put together as ever, on files that a life before it left. It comes back, goes on with the
market, lets people answer, and ends once everybody has been shown everything. A life that is not cut off always ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.app import App
from bot.externals import Externals
from bot.wiring import Program, build
from config.loader import load
from config.settings import Settings
from engine.backtest.replay import Replay
from engine.domain.orders import OrderRequest, SubmitResult
from engine.exchanges.paper import PaperExchange
from engine.store.database import Database
from tests.fakes.kill_notes import SENT, WALL, note, noted
from tests.fakes.kill_people import ON_SLACK, ON_TELEGRAM, PEOPLE, Nobody, everything_shown
from tests.fakes.program import ASKED, Files, Json, environ, write_config

LATER = ASKED + timedelta(hours=1)
"""When a story ends: the market has gone on."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What happens on the candle that breaks out, and from where on every line counts.

    Attributes:
        approval: Changes to the section of that name: who decides.
        asks: On which platform people are asked; empty where they are not.
        killed_before: Whether a life before has died between an order and its answer, so that coming back counts.
    """

    name: str
    approval: Json
    asks: str = ""
    killed_before: bool = False

    def people(self, folder: Path) -> Nobody:
        """Who answers."""
        return PEOPLE[self.asks](folder)

    @property
    def is_simulated(self) -> bool:
        """Whether it is lived on simulated time, without threads: distant platforms make the program wait."""
        return self.asks in ("telegram", "slack")


ASKS: Json = {"auto_above": 2, "ask_above": 0}
STORIES = {
    story.name: story
    for story in (
        Story(name="alone", approval={"auto_above": 0}),
        Story(name="asked", approval=ASKS, asks="web"),
        Story(name="telegram", approval=ASKS, asks="telegram"),
        Story(name="slack", approval=ASKS, asks="slack"),
        Story(name="comes_back", approval={"auto_above": 0}, killed_before=True),
    )
}


def settings_for(folder: Path, story: Story) -> Settings:
    """The settings of a story in a folder; nothing waits for people by itself."""
    people = [{"name": "P1", "role": "trader", "telegram": ON_TELEGRAM, "slack": ON_SLACK, "web": "p1"}]
    asked = PEOPLE[story.asks]
    waits = {"wait_for_people": "0s"}
    config = write_config(folder, people=people, approval=story.approval, replay=waits, **asked.sections)
    return load(None, config, {}, environ() | asked.secrets, folder).settings


class NotingVenue(PaperExchange):
    """The paper venue; every order that reaches it is noted beside its file.

    That is where it has called for what its client has not committed yet: before, nothing has left the program.
    """

    def __init__(self, *, file: Path, **options: Any) -> None:
        super().__init__(file=file, **options)
        self._folder = file.parent

    def _submit(self, request: OrderRequest, now: datetime) -> SubmitResult:
        note(self._folder, SENT, request.client_id)
        return super()._submit(request, now)


class HastyVenue(NotingVenue):
    """Does not call for what its client holds back: as a venue on somebody else's servers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"client": None})


class DeadlyVenue(NotingVenue):
    """Kills this process once it has taken an order."""

    async def submit(self, request: OrderRequest) -> SubmitResult:
        await super().submit(request)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody is left")


_ENGINES: dict[str, tuple[Engine, Engine]] = {}


class WarmStore(Database):
    """The database; what SQLAlchemy has compiled for it in this process, or in the one it was forked from, is kept."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        new = self._write_engine, self._read_engine
        self._write_engine, self._read_engine = kept = _ENGINES.setdefault(url, new)
        for engine in set(new) - set(kept):
            engine.dispose()


class HastyStore(WarmStore):
    """Says that it has committed, and does so a moment later.

    Without a crash nobody would notice.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._later: set[asyncio.Task[None]] = set()

    async def flush(self) -> None:
        self._later.add(asyncio.create_task(super().flush()))

    async def close(self) -> None:
        await asyncio.gather(*self._later)
        await super().close()


HONEST = Externals(store=WarmStore, venue=NotingVenue, wall=lambda: WALL)
HASTY = Externals(store=HastyStore, venue=HastyVenue, wall=lambda: WALL)
DEADLY = Externals(store=WarmStore, venue=DeadlyVenue, wall=lambda: WALL)


async def live(
    settings: Settings, story: Story, externals: Externals, *, on_begin: Callable[[], None], until: datetime = LATER
) -> None:
    """One life, to the end of the story.

    Args:
        on_begin: Called where every line begins to count.
        until: The market time at which it ends.
    """
    people = story.people(settings.venue_file.parent)
    externals = people.externals(externals)
    program = await build(settings, externals=externals)
    engine = program.engine
    if story.killed_before:
        on_begin()
    try:
        await App(settings, announce=print, externals=externals)._come_back(engine)
        if not story.killed_before:
            on_begin()
        async with _listening(program):
            await _work(program, people, until=until)
    finally:
        await engine.store.close()
        engine.venues["paper"].close()


@asynccontextmanager
async def _listening(program: Program) -> AsyncIterator[None]:
    """Distant platforms are reached, and in the end let go."""
    async with AsyncExitStack() as closing:
        for platform in program.chat.remote:
            await platform.start()
            closing.push_async_callback(platform.stop)
        yield


async def _work(program: Program, people: Nobody, *, until: datetime) -> None:
    showing = asyncio.create_task(program.chat.outbox.run())
    try:
        await _replay(program, min(until, ASKED))
        if until > ASKED:
            await people.press(program)
        await _replay(program, until)
        await everything_shown(program)
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


async def _replay(program: Program, until: datetime) -> None:
    assert isinstance(program.driver, Replay)
    await program.driver.run(until)
    await program.chat.outbox.flush()


def complaints(folder: Path, story: Story) -> list[str]:
    """Everything that is not as it must be once the story has ended."""
    files = Files(folder=folder)
    found = files.complaints()
    if not files.is_quiet():
        found.append("something is still to be shown")
    found += [f"{name} was sent {times} times" for name, times in Counter(noted(folder, SENT)).items() if times > 1]
    found += [*_outcome(files, story), *_account(files)]
    return found + story.people(folder).complaints(files)


def _outcome(files: Files, story: Story) -> list[str]:
    """One decision to enter, one order for it: filled, or refused because it was never sent."""
    found = []
    decided = files.rows("SELECT id FROM decisions WHERE stance = 'enter'")
    entries = files.rows("SELECT status, reason FROM orders WHERE purpose = 'entry'")
    if len(decided) != 1:
        found.append(f"{len(decided)} decisions to enter")
    outcomes = [entry["status"] == "filled" or "never reached the venue" in entry["reason"] for entry in entries]
    if outcomes != [True]:
        found.append(f"the entries are {entries}")
    if story.asks:
        found += [f"{row['id']} is {row['status']}" for row in files.rows("SELECT * FROM approvals")[1:]]
        found += [] if files.approval()["status"] == "ordered" else [f"A1 is {files.approval()['state']}"]
    return found


def _account(files: Files) -> list[str]:
    """What the bot believes it owns is what the venue says."""
    kept = files.rows("SELECT currency, amount FROM balances")
    ours = defaultdict(Decimal, {row["currency"]: Decimal(row["amount"]) for row in kept})
    for position in files.rows("SELECT symbol, quantity FROM positions WHERE status = 'open'"):
        ours[position["symbol"].partition("/")[0]] += Decimal(position["quantity"])
    theirs = {row["currency"]: Decimal(row["current"]) for row in files.venue("SELECT * FROM balances")}
    return [
        f"{ours.get(name, 0)} {name} here, {theirs.get(name, 0)} at the venue"
        for name in sorted(ours.keys() | theirs.keys())
        if abs(ours.get(name, Decimal(0)) - theirs.get(name, Decimal(0))) > Decimal("1e-9")
    ]
