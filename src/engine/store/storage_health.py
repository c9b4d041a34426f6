"""Notices when nothing can be written any more, has people told without the database, and says when it works again.

It also looks, again and again, whether the files still are where they were opened: while nobody writes nobody fails.

While nothing can be written nothing is ordered: no order is sent whose intent is not stored. Stops and targets stand at
the venue. Whoever failed to write starts the watch; it then tries by itself until a transaction is kept, and that is
the one that writes down since when entries are halted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from engine.domain.errors import StoreError
from engine.domain.events import Halted, HaltEnded
from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import Destination, Ref
from engine.ports import Clock
from engine.store.database import Database
from engine.store.open_files import FileReplaced
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

LOOK_EVERY = 2.0
"""Wall seconds between two looks at whether the files are still there."""
TRY_EVERY = 5.0
"""Wall seconds between two tries to write."""

Tell = Callable[[Halt], Awaitable[Mapping[Destination, Ref]]]
"""Shows people a halt at once, past the database; the messages that show it."""

_log = structlog.get_logger(__name__)


class StorageWatch:
    """Watches over the database of a running program.

    Args:
        tell: Shows people that entries are halted.
        check: Raises a ``StoreError`` where the files are not what they were any more.
        give_up: Tells people that the program ends, and ends it: another one may be at work on other files there.
        wait: Lets wall seconds pass.
    """

    def __init__(
        self,
        *,
        store: Database,
        clock: Clock,
        tell: Tell,
        check: Callable[[], None],
        give_up: Callable[[StoreError], Awaitable[None]],
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._check = check
        self._give_up = give_up
        self._wait = wait
        self._replaced: FileReplaced | None = None
        self._troubled = asyncio.Event()
        self._halt: Halt | None = None
        store.on_trouble(self._note)

    @property
    def health(self) -> str:
        """``ok``, or why nothing can be written and what to do."""
        return self._halt.reason if self._halt else "ok"

    @property
    def halt(self) -> Halt | None:
        """The halt that stands while nothing can be written: it is known here alone."""
        return self._halt

    async def run(self) -> None:
        """Watch until cancelled, or until the program has to end."""
        while self._replaced is None:
            await self._trouble()
            shown = await self._told()
            await self._works_again(shown)
        _log.error("another file is in the place of ours: the program ends", reason=self._replaced.message)
        await self._give_up(self._replaced)

    async def _trouble(self) -> None:
        """Look at the files until somebody is in trouble."""
        while not self._troubled.is_set():
            try:
                self._check()
            except StoreError as error:
                self._note(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._troubled.wait()

    def _note(self, error: StoreError) -> None:
        if isinstance(error, FileReplaced):
            self._replaced = self._replaced or error
        if self._halt is None:
            self._halt = Halt(kind=HaltKind.STORE, reason=str(error), since=self._clock.now())
            self._troubled.set()

    async def _told(self) -> Mapping[Destination, Ref]:
        halt = self._halt
        _log.error("nothing can be written: no new entries", reason=self.health)
        try:
            return await self._tell(halt) if halt else {}
        except Exception:  # noqa: BLE001 - the boundary to platforms: the watch goes on whatever they do
            _log.exception("people could not be told", reference=fault_id())
            return {}

    async def _works_again(self, shown: Mapping[Destination, Ref]) -> None:
        """Try until a transaction is kept: it writes down what happened, and takes over the messages of it."""
        while (halt := self._halt) is not None and self._replaced is None:
            await self._wait(TRY_EVERY)
            try:
                await self._store.transact(lambda uow: _write_down(uow, halt, self._clock.now(), shown))
            except StoreError:
                continue
            self._halt = None
            self._troubled.clear()
            _log.warning("the database works again")


def _write_down(uow: UnitOfWork, halt: Halt, now: datetime, shown: Mapping[Destination, Ref]) -> None:
    """Write down that it was and that it is over; its end is told where it was told that it began, and nowhere else."""
    halt_id = uow.halts.add(halt)
    began = Halted(at=halt.since, halt_id=halt_id, kind=halt.kind)
    uow.record(began)
    uow.halts.end(halt_id, now)
    uow.record(HaltEnded(at=now, halt_id=halt_id, kind=halt.kind))
    for topic in uow.route(began):
        uow.step_in(topic, shown)
        for destination, ref in shown.items():
            uow.register(topic, destination, ref)
