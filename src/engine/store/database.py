"""The database: one writer thread, readers on their own connections, migrations, and the stamp of whose it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine, event

from engine.domain.errors import StoreError
from engine.domain.events import Event
from engine.domain.messages import Destination
from engine.ports import Route
from engine.store.advisory_lock import keep_alone
from engine.store.batch import Batch
from engine.store.compaction import give_back, is_worth_it
from engine.store.connections import READERS, as_it_is, connect, in_words, is_sqlite
from engine.store.memory import hear, remembering
from engine.store.presence import Presence
from engine.store.unit_of_work import UnitOfWork

T = TypeVar("T")

_GROUP: ContextVar[Database | None] = ContextVar("group_commit", default=None)
"""The database on which the running task lets its transactions wait for a common commit."""

YIELD_EVERY = 0.001
"""Wall seconds that those who write together go on without letting others have their turn."""
YIELD_FOR = 0.02
"""Wall seconds for which those who write together wait at a time while others read or write: people are waiting."""
PRECEDENCE_FOR = 0.1
"""Wall seconds for which they wait at the most while somebody is answered, however long that takes."""


def nowhere(_: Event) -> Mapping[str, tuple[Destination, ...]]:
    """The route of a program without chat: nobody is shown anything."""
    return {}


def _nothing() -> None:
    """Nothing is to be done."""


def _in_a_thread(run: Callable[[], T]) -> T:
    """Do something whose end is waited for elsewhere: a future takes no StopIteration, and would never be done."""
    try:
        return run()
    except StopIteration as error:
        raise RuntimeError("something that was looked for is not there") from error


class DatabaseReader:
    """Looks at what is kept, and changes nothing: what Views need, and all that followers' processes have.

    Args:
        url: An SQLAlchemy URL, e.g. ``sqlite:///var/demo/greenlight.sqlite``.
        route: Which topics an event changes, and where they are shown.
        read_only: Whether the connection itself refuses to write.
    """

    def __init__(self, url: str, *, route: Route = nowhere, read_only: bool = True) -> None:
        self._route = route
        self._readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="store-reader")
        self._read_engine = connect(url, read_only=read_only)
        event.listen(self._read_engine, "before_cursor_execute", hear)

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a synchronous body on a snapshot; what it writes is rolled back.

        Raises:
            StoreError: The database stayed locked, is damaged or away.
        """
        return await self._in_thread(self._readers, partial(self._look, work))

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._readers.shutdown()
        self._read_engine.dispose()

    @staticmethod
    async def _in_thread(pool: ThreadPoolExecutor, run: Callable[[], T]) -> T:
        with in_words():
            # Shielded: a transaction under way is finished even when its caller is cancelled.
            result: T = await asyncio.shield(asyncio.get_running_loop().run_in_executor(pool, _in_a_thread, run))
        return result

    def _look(self, work: Callable[[UnitOfWork], T]) -> T:
        with self._read_engine.connect() as connection, remembering(connection) as memory:
            return work(UnitOfWork(connection, self._route, memory))


class Database(DatabaseReader):
    """Where everything is kept: ``transact`` writes, ``read`` reads a snapshot.

    What a task does within ``group_commit`` waits for one commit: that of ``flush``, or of the first other task that
    comes to read or to write. So nobody sees, and nobody is shown, what is not on the disk.

    Args:
        url: An SQLAlchemy URL, e.g. ``sqlite:///var/demo/greenlight.sqlite``.
        route: Which topics an event changes, and where they are shown.
        alone: Whether it is the only one that is alone on a server: a running bot, see ``store.advisory_lock``.
    """

    def __init__(self, url: str, *, route: Route = nowhere, alone: bool = False) -> None:
        self._url = url
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")
        prepare = keep_alone if alone and not is_sqlite(url) else as_it_is
        self._write_engine = connect(url, writer=True, prepare=prepare)
        super().__init__(url, route=route, read_only=False)
        self._listeners: list[Callable[[], None]] = []
        self._on_kept: list[Callable[[Sequence[Event]], None]] = []
        self._on_trouble: list[Callable[[StoreError], None]] = []
        self._check: Callable[[], None] = _nothing
        self._batch = Batch(self._write_engine, route)
        self._asked = self._kept = self._visits = 0
        self._guests, self._answered = Presence(), Presence()
        self._yielded_at = float("-inf")

    @property
    def waiting(self) -> bool:
        """Whether anything is written that is not committed yet."""
        return self._asked > self._kept

    @property
    def has_news(self) -> bool:
        """Whether anything that waits changes what people see."""
        return self._batch.shown

    @contextmanager
    def group_commit(self) -> Iterator[None]:
        """Let what this task writes within wait for ``flush``; it sees its own writes."""
        before = _GROUP.set(self)
        try:
            yield
        finally:
            _GROUP.reset(before)

    async def flush(self) -> None:
        """Commit what waits.

        Raises:
            StoreError: It could not be written: nothing of it is kept.
        """
        if self.waiting:
            await self._visit(self._commit)

    async def give_back(self) -> None:
        """Give room that is no longer needed back to the disk, in steps between which others write."""

        def outside(step: Callable[[Engine], bool]) -> bool:
            self._commit()
            return step(self._write_engine)

        more = await self._visit(partial(outside, is_worth_it))
        while more:
            more = await self._visit(partial(outside, give_back))
            await self.yield_to_callers()

    def on_shown(self, listener: Callable[[], None]) -> None:
        """Call a listener, in the event loop, after each transaction that changed what should be shown."""
        self._listeners.append(listener)

    def on_kept(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Call a listener, in the event loop, with what happened, in order, once that is kept."""
        self._on_kept.append(listener)

    def on_trouble(self, listener: Callable[[StoreError], None]) -> None:
        """Call a listener, in the event loop, after each transaction that the database itself could not do."""
        self._on_trouble.append(listener)

    def check_before_writing(self, check: Callable[[], None]) -> None:
        """Ask on the writer's thread before anything is begun or kept; where it raises a ``StoreError``, nothing is."""
        self._check = check

    async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a synchronous body in one transaction on the writer thread; all of it is kept, or nothing.

        Raises:
            StoreError: The database stayed locked, is full or is damaged; nothing was written.
        """
        if _GROUP.get() is not self:
            with self._guests.one_more():
                return await self._visit(partial(self._write, work))
        self._asked += 1
        return await self._within(partial(self._batch.write, work))

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a synchronous body on a snapshot; what it writes is rolled back."""
        if _GROUP.get() is not self:
            return await self._look_by_itself(work)
        if self.waiting:
            return await self._within(partial(self._batch.read, work))
        await self.yield_to_callers()
        found = await self._look_by_itself(work)
        await self.yield_to_callers()
        return found

    async def _look_by_itself(self, work: Callable[[UnitOfWork], T]) -> T:
        """Look at what is on the disk: whatever waits is kept before."""
        with self._guests.one_more():
            await self.flush()
            return await super().read(work)

    async def yield_to_callers(self) -> None:
        """Let others have their turn, and those who read or write finish: both at once would take each longer."""
        clock = asyncio.get_running_loop().time
        if clock() < self._yielded_at + YIELD_EVERY and not self._guests.some:
            return
        await asyncio.sleep(0)
        self._yielded_at = clock()
        await self._guests.gone(YIELD_FOR)

    async def yield_to_answers(self) -> None:
        """Let those who are being answered be answered first, but do not wait long: there may always be somebody."""
        await self._answered.gone(PRECEDENCE_FOR)

    def take_precedence(self) -> Callable[[], None]:
        """Have those who write together wait for somebody who is being answered, also between two reads.

        Returns:
            What ends it; after ``PRECEDENCE_FOR`` it ends by itself.
        """
        answered = ExitStack()
        for presence in (self._guests, self._answered):
            answered.enter_context(presence.one_more())
        ends = asyncio.get_running_loop().call_later(PRECEDENCE_FOR, answered.close)

        def end() -> None:
            ends.cancel()
            answered.close()

        return end

    async def _visit(self, work: Callable[[], T]) -> T:
        """Do something on the writer's thread that commits what waits."""
        return await self._on_writer(work, partial(self._settle, self._asked))

    def _settle(self, asked: int) -> None:
        """Note that what was asked for by then waits no more, and tell of it: it is kept, or given up."""
        self._kept = max(self._kept, asked)
        if self._batch.take_news():
            for listener in self._listeners:
                listener()
        if kept := self._batch.take_kept():
            for tell in self._on_kept:
                tell(kept)

    async def _within(self, run: Callable[[], T]) -> T:
        """Do something in the open batch: on a file right here, as nothing there waits for a lock or for the disk.

        Going to the writer's thread and back takes longer than most of what is done within a batch.
        """
        if self._visits or not (self._batch.is_open and self._batch.is_local):
            result = await self._on_writer(run)
        else:
            with self._telling():
                result = run()
        await self.yield_to_callers()
        return result

    async def _on_writer(self, run: Callable[[], T], then: Callable[[], None] = _nothing) -> T:
        """Do something on the writer's thread, and then something in the event loop, whether anybody still waits."""

        def left(_: asyncio.Future[T]) -> None:
            self._visits -= 1
            then()

        self._visits += 1
        visit = asyncio.get_running_loop().run_in_executor(self._writer, _in_a_thread, run)
        visit.add_done_callback(left)
        with self._telling():
            # Shielded: a transaction under way is finished even when its caller is cancelled.
            result: T = await asyncio.shield(visit)
        return result

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Put trouble of the database into words, and tell those who listen for it."""
        try:
            with in_words():
                yield
        except StoreError as error:
            for listener in self._on_trouble:
                listener(error)
            raise

    def _shut(self) -> None:
        self._writer.shutdown()
        self._batch.forget()
        super()._shut()
        self._write_engine.dispose()

    def _commit(self) -> None:
        try:
            self._check()
        except StoreError:
            self._batch.forget()
            raise
        self._batch.commit()

    def _write(self, work: Callable[[UnitOfWork], T]) -> T:
        self._commit()
        try:
            return self._batch.write(work)
        finally:
            self._batch.commit()


def stamp(uow: UnitOfWork, owner: Mapping[str, str]) -> bool:
    """Mark a new database as belonging to a profile, venue and account; whether it was new.

    Raises:
        StoreError: It belongs to another one.
    """
    new = uow.settings.get("stamp.profile") is None
    for key, value in owner.items():
        found = uow.settings.get(f"stamp.{key}")
        if found is None:
            uow.settings.set(f"stamp.{key}", value)
        elif found != value:
            raise StoreError(
                f"This database belongs to {key} {found!r}, not to {value!r}.",
                "Set BOT_DATABASE__URL to another file, or start with what it belongs to.",
            )
    return new
