"""Several transactions kept by one commit: what a replay writes while nobody looks.

    open ─▶ savepoint, body, release ─▶ savepoint, body, release … ─▶ commit

A body that fails takes back its own savepoint alone. Nobody else writes or sees anything of it until the commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event

from engine.domain.events import Event
from engine.ports import Route
from engine.store.connections import TROUBLE, version_of
from engine.store.memory import Memory
from engine.store.unit_of_work import UnitOfWork

T = TypeVar("T")


class Batch:
    """The open transaction of a writer's connection. One thread at a time may use it.

    Args:
        engine: The writer's.
        route: As in ``Database``.

    Attributes:
        shown: Whether anything that waits changes what people see.
    """

    def __init__(self, engine: Engine, route: Route) -> None:
        self._engine = engine
        self._route = route
        self._connection: Connection | None = None
        self._memory = Memory()
        event.listen(engine, "before_cursor_execute", self._hear)
        self.shown = self._news = False
        self._events: list[Event] = []
        self._once_kept: list[Callable[[], None]] = []
        self._kept: deque[Event] = deque()  # a thread fills it while another empties it

    @property
    def is_open(self) -> bool:
        """Whether the transaction has begun, so that nobody else is waited for."""
        return self._connection is not None

    @property
    def is_local(self) -> bool:
        """Whether the database is a file of this machine."""
        return self._engine.dialect.name == "sqlite"

    def write(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a body on top of the ones before; all of it waits for the commit, or nothing.

        Where the database itself fails, nothing that waits can be kept.
        """
        connection = self._savepoint()
        try:
            uow = UnitOfWork(connection, self._route, self._memory)
            result = work(uow)
            uow.complete()
            connection.exec_driver_sql("RELEASE SAVEPOINT body")
        except TROUBLE:
            self.forget()
            raise
        except BaseException:
            self._take_back(connection)  # whatever it was
            raise
        self.shown = self.shown or uow.shown
        self._events += uow.events
        self._once_kept += uow.once_kept
        return result

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a body that only reads on everything that waits."""
        return work(UnitOfWork(self._begun(), self._route, self._memory))

    def commit(self) -> None:
        """Keep what waits; what was read of it stays known for as long as nobody else writes."""
        try:
            if self._connection is not None:
                self._connection.commit()
                self._news = self._news or self.shown
                self._kept.extend(self._events)
                for act in self._once_kept:
                    act()
        except BaseException:
            self.forget()
            raise
        self._end()

    def take_news(self) -> bool:
        """Whether anything was kept, since this was last asked, that changes what people see."""
        news, self._news = self._news, False
        return news

    def take_kept(self) -> tuple[Event, ...]:
        """What happened that was kept since this was last asked, in order."""
        return tuple(self._kept.popleft() for _ in range(len(self._kept)))

    def forget(self) -> None:
        """Take back what waits."""
        self._memory.forget()
        self._end()

    def _end(self) -> None:
        self._events.clear()
        self._once_kept.clear()
        connection, self._connection, self.shown = self._connection, None, False
        if connection is not None:
            connection.close()

    def _hear(self, _connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        self._memory.invalidate(statement)

    def _savepoint(self) -> Connection:
        """Where a body begins. One of SQLAlchemy's own savepoints would be compiled each time."""
        try:
            connection = self._begun()
            connection.exec_driver_sql("SAVEPOINT body")
        except BaseException:
            self.forget()
            raise
        return connection

    def _take_back(self, connection: Connection) -> None:
        """Undo the last body, and remember nothing that it wrote; where that cannot be done, undo all that waits."""
        self._memory.forget()
        try:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT body")
            connection.exec_driver_sql("RELEASE SAVEPOINT body")
        except BaseException:
            self.forget()
            raise

    def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.begin()
            self._memory.begin(version_of(self._connection))
        return self._connection
