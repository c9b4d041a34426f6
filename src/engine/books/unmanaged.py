"""Sees to it that people know of each position that no strategy manages: once, and again once that is over.

At a start the contexts may be others than those that opened what is held; and what was ordered or asked before may be
bought for a context that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from engine.domain.events import Event, PositionOpened, PositionUnmanaged, UnmanagedEnded
from engine.domain.figures import plain
from engine.domain.positions import Position
from engine.domain.results import AtWork
from engine.domain.unmanaged import Ending, absence
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)


class UnmanagedWatch:
    """Looks at what is held and at who is at work.

    Args:
        contexts: The contexts that are configured.
        clock: Market time for what is written.
    """

    def __init__(self, *, store: Database, contexts: Sequence[AtWork], clock: Clock) -> None:
        self._store = store
        self._contexts = tuple(contexts)
        self._clock = clock
        self._opened = asyncio.Event()
        self._logged = set[str]()
        store.on_kept(self._hear)

    async def run(self) -> None:
        """Look whenever something has been bought, until cancelled."""
        while True:
            await self._opened.wait()
            self._opened.clear()
            try:
                await self.observe()
            except Exception:  # noqa: BLE001 - one look that fails must not be the last one
                _log.exception("what is held was not looked at", reference=fault_id())

    async def observe(self) -> tuple[Position, ...]:
        """Tell people of what has changed, and the log; what no strategy manages now, oldest first."""
        if await self._store.read(self._is_news):
            await self._store.transact(self._tell)
        found = await self._store.read(self._unmanaged)
        for held in found:
            if held.id not in self._logged:
                self._log(held)
        self._logged = {held.id for held in found}
        return found

    def _log(self, held: Position) -> None:
        why = absence(held, self._contexts)
        named = {"position": held.id, "symbol": held.symbol, "venue": held.venue, "context": held.context}
        _log.warning("no strategy manages a position", **named, quantity=plain(held.quantity, 8), absent=why)

    def _hear(self, events: Sequence[Event]) -> None:
        if any(isinstance(event, PositionOpened) for event in events):
            self._opened.set()

    def _unmanaged(self, uow: UnitOfWork) -> tuple[Position, ...]:
        return tuple(held for held in uow.positions.open() if absence(held, self._contexts))

    def _is_news(self, uow: UnitOfWork) -> bool:
        now = {held.id: absence(held, self._contexts) for held in self._unmanaged(uow)}
        return now != {told.position_id: told.why for told in uow.unmanaged.standing()}

    def _tell(self, uow: UnitOfWork) -> None:
        at, known = self._clock.now(), {told.position_id: told for told in uow.unmanaged.standing()}
        for held in uow.positions.open():
            told, why = known.get(held.id), absence(held, self._contexts)
            if why is (told.why if told else None):
                continue
            if told:
                over = uow.unmanaged.end(told, at, Ending.CHANGED if why else Ending.MANAGED)
                uow.emit(UnmanagedEnded(at=at, unmanaged_id=over.id, position_id=held.id))
            if why:
                new = uow.unmanaged.begin(held.id, why, at)
                uow.emit(PositionUnmanaged(at=at, unmanaged_id=new.id, position_id=held.id, why=why))
