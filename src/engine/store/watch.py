"""Notices when nothing can be written any more, has people told without the database, and says when it works again.

While nothing can be written nothing is ordered: no order is sent whose intent is not stored. Stops and targets stand at
the venue. Whoever failed to write starts the watch; it then tries by itself until a transaction is kept, and that is
the one that writes down since when entries were stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from engine.domain.errors import StoreError
from engine.domain.events import Halted, HaltEnded
from engine.domain.messages import Destination, Ref
from engine.domain.trading import Halt, HaltKind
from engine.faults import fault_id
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

TRY_EVERY = 5.0
"""Wall seconds between two tries to write."""

Tell = Callable[[Halt], Awaitable[Mapping[Destination, Ref]]]
"""Shows people a halt at once, past the database; the messages that show it."""

_log = structlog.get_logger(__name__)


class StorageWatch:
    """Watches over the database of a running program.

    Args:
        tell: Shows people that entries have stopped.
        wait: Lets wall seconds pass.
    """

    def __init__(
        self, *, store: Database, clock: Clock, tell: Tell, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._store = store
        self._clock = clock
        self._tell = tell
        self._wait = wait
        self._troubled = asyncio.Event()
        self._halt: Halt | None = None
        store.on_trouble(self._note)

    @property
    def health(self) -> str:
        """``ok``, or why nothing can be written."""
        return self._halt.reason if self._halt else "ok"

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._troubled.wait()
            shown = await self._told()
            await self._works_again(shown)

    def _note(self, error: StoreError) -> None:
        if self._halt is None:
            self._halt = Halt(kind=HaltKind.STORE, reason=error.message, since=self._clock.now())
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
        while (halt := self._halt) is not None:
            await self._wait(TRY_EVERY)
            try:
                await self._store.transact(lambda uow: _write_down(uow, halt, self._clock.now(), shown))
            except StoreError:
                continue
            self._halt = None
            self._troubled.clear()
        _log.warning("the database works again")


def _write_down(uow: UnitOfWork, halt: Halt, now: datetime, shown: Mapping[Destination, Ref]) -> None:
    halt_id = uow.halts.add(halt)
    uow.emit(Halted(at=halt.since, halt_id=halt_id, kind=halt.kind))
    uow.halts.end(halt_id, now)
    uow.emit(HaltEnded(at=now, halt_id=halt_id, kind=halt.kind))
    for destination, ref in shown.items():
        uow.register(f"halt:{halt_id}", destination, ref)
