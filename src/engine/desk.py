"""What people may do, whichever platform they do it on. Who they are and what their role allows is settled before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.approvals import Answered, Approvals
from engine.bookkeeping import end_halt
from engine.domain.approvals import Press
from engine.domain.errors import NotAllowed
from engine.domain.events import Halted
from engine.domain.messages import Person, Role
from engine.domain.reports import HaltView
from engine.domain.trading import Halt, HaltKind
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The buttons and levers of the bot."""

    store: Database
    approvals: Approvals
    clock: Clock

    async def answer(self, approval_id: str, press: Press) -> Answered:
        """Answer an approval.

        Raises:
            UnknownId: There is no such approval.
        """
        return await self.approvals.answer(approval_id, press)

    async def pause(self, person: Person, until: datetime | None) -> HaltView:
        """Stop new entries; exits go on. A pause that is in force is replaced. It survives a restart."""
        return await self.store.transact(lambda uow: self._pause(uow, person, until))

    async def resume(self, person: Person) -> tuple[HaltView, ...]:
        """End every pause; which ones ended. A drawdown pause is ended by an admin only, bad data by good data only.

        Raises:
            NotAllowed: Only a drawdown pause is in force, and the person is no admin.
        """
        return await self.store.transact(lambda uow: self._resume(uow, person))

    def _pause(self, uow: UnitOfWork, person: Person, until: datetime | None) -> HaltView:
        now = self.clock.now()
        for found in uow.halts.open():
            if found.halt.kind is HaltKind.PAUSE:
                end_halt(uow, found.id, found.halt.kind, now, person.name)
        halt = Halt(kind=HaltKind.PAUSE, reason=f"paused by {person.name}", since=now, until=until, by=person.name)
        halt_id = uow.halts.add(halt)
        uow.emit(Halted(at=now, halt_id=halt_id, kind=halt.kind))
        return HaltView(id=halt_id, halt=halt)

    def _resume(self, uow: UnitOfWork, person: Person) -> tuple[HaltView, ...]:
        standing = [found for found in uow.halts.open() if found.halt.kind is not HaltKind.DATA]
        may_end = [found for found in standing if found.halt.kind is HaltKind.PAUSE or person.role.includes(Role.ADMIN)]
        if standing and not may_end:
            raise NotAllowed(
                f"Entries are stopped because {standing[0].halt.reason}; only an admin may end that early.",
                "It ends by itself when its time is over, see /status.",
            )
        for found in may_end:
            end_halt(uow, found.id, found.halt.kind, self.clock.now(), person.name)
        return tuple(uow.halts.get(found.id) for found in may_end)
