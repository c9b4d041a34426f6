"""What people may do, whichever platform they do it on. Who they are and what their role allows is settled before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.domain.approvals import Press
from engine.domain.errors import BadInput, NotAllowed
from engine.domain.halt_views import HaltView, Paused
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import named, names_of
from engine.domain.messages import Person, Role
from engine.execution.emergency import EmergencyStopSystem, note_end, standing
from engine.flow.adjuster_modes import AdjusterModes
from engine.flow.approvals import Answered, Approvals
from engine.flow.closings import Closings
from engine.flow.confirming import Confirming
from engine.flow.policy_proposals import PolicyProposals
from engine.ports import Clock
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork

_ENDED_BY_TRADERS = (HaltKind.PAUSE, HaltKind.SIGNALS, HaltKind.ABSENT)
_NOT_ENDED_BY_RESUME = (HaltKind.DATA, HaltKind.CHANGED, HaltKind.STORE)
"""They end by themselves, or need the name of their market: nobody is to take another coin in passing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The buttons and levers of the bot."""

    store: Database
    approvals: Approvals
    closings: Closings
    confirming: Confirming
    emergency: EmergencyStopSystem
    adjuster: AdjusterModes
    policies: PolicyProposals
    clock: Clock

    async def answer(self, approval_id: str, press: Press) -> Answered:
        """Answer an approval.

        Raises:
            UnknownId: There is no such approval.
        """
        return await self.approvals.answer(approval_id, press)

    async def stop_everything(self, person: Person) -> str:
        """Call the emergency stop: no entries, no approvals, everything is sold. It survives a restart.

        Returns:
            The id of its halt, as soon as that is written down; the rest is done beside.
        """
        halt_id = await self.emergency.call(person.name)
        self.emergency.start()  # first: whatever becomes of the approvals, which the halt refuses anyway
        await self.approvals.decline_all_open(f"{person.name} called the emergency stop")
        return halt_id

    async def pause(self, person: Person, until: datetime | None) -> Paused:
        """Halt new entries; exits go on. It survives a restart.

        Of two pauses the longer holds, whoever called for it: nobody ends one but by ``resume``.
        """
        return await self.store.transact(lambda uow: self._pause(uow, person, until))

    async def resume(self, person: Person, reason: str = "") -> tuple[HaltView, ...]:
        """End every pause; which ones ended.

        A drawdown halt and an emergency are ended by an admin only, the latter with a reason, which is kept; bad data
        by good data, and a database that does
        not work by one that does. After a drawdown halt without end the total limit counts from the equity of now. A
        market that has changed is named, see ``accept_change``.

        Raises:
            NotAllowed: Only an admin may end what is in force, and the person is none.
            BadInput: There is nothing but markets that have changed, or an emergency stop is to end without a reason.
        """
        return await self.store.transact(lambda uow: self._resume(uow, person, reason))

    async def is_reason(self, words: Sequence[str]) -> bool:
        """Whether what was written behind ``/resume`` says why the emergency stop may end, and names no market."""
        return bool(words) and await self.store.read(lambda uow: _is_reason(uow, words))

    async def accept_change(self, person: Person, symbol: str, venue: str = "") -> tuple[HaltView, ...]:
        """Let a market be traded again as what it has become; the halts that ended.

        Args:
            person: Who has looked at it.
            symbol: The market, or the coin alone where it is halted in one market.
            venue: Where, if it is halted at several venues.

        Raises:
            BadInput: The market is not halted for having changed, or several of that coin are.
        """
        return await self.store.transact(lambda uow: self._accept_change(uow, person, symbol, venue))

    def _pause(self, uow: UnitOfWork, person: Person, until: datetime | None) -> Paused:
        now, standing = self.clock.now(), uow.halts.open()
        pauses = tuple(found for found in standing if found.halt.kind is HaltKind.PAUSE)
        beside = tuple(found for found in standing if found not in pauses and found.halt.blocks(None, now))
        for found in pauses:
            if found.halt.lasts(until):
                return Paused(holds=found, is_new=False, ended=(), beside=beside)
        for found in pauses:
            end_halt(uow, found, now, person.name, replaced=found.halt.blocks(None, now))
        halt = Halt(kind=HaltKind.PAUSE, reason=f"paused by {person.name}", since=now, until=until, by=person.name)
        return Paused(holds=HaltView(id=begin_halt(uow, halt), halt=halt), is_new=True, ended=pauses, beside=beside)

    def _resume(self, uow: UnitOfWork, person: Person, reason: str) -> tuple[HaltView, ...]:
        standing = [found for found in uow.halts.open() if found.halt.kind not in _NOT_ENDED_BY_RESUME]
        is_admin = person.role.includes(Role.ADMIN)
        may_end = [found for found in standing if found.halt.kind in _ENDED_BY_TRADERS or is_admin]
        if standing and not may_end:
            raise _only_an_admin([found.halt for found in standing])
        stops = [found for found in may_end if found.halt.is_emergency]
        if stops and not reason:
            raise BadInput(
                f"The emergency stop ({stops[0].id}) ends with a reason only; {stops[0].halt.reason}.",
                "Say why it may end: /resume the venue works again.",
            )
        for found in stops:
            note_end(uow, found.id, reason)
        changed = _changed(uow)
        if changed and not may_end:
            halt = changed[0].halt
            where = uow.ledger.told_apart(halt.venue)
            raise BadInput(
                f"{halt.reason}.",
                f"Look at the coin first; /resume {f'{halt.symbol} {where}'.rstrip()} then allows entries again.",
            )
        return self._end(uow, may_end, person, reason)

    def _accept_change(self, uow: UnitOfWork, person: Person, symbol: str, venue: str) -> tuple[HaltView, ...]:
        changed = _changed(uow)
        wanted = [found for found in changed if symbol in names_of(found.halt.symbol) and _is_at(found.halt, venue)]
        if not wanted:
            listed = _listed(uow, changed) or "none"
            asked = named(symbol, venue)
            raise BadInput(f"{asked} is no market that was halted for having changed.", f"Halted so: {listed}.")
        if len({found.halt.listing for found in wanted}) > 1:
            message = f"{symbol} was halted in {len(wanted)} markets."
            raise BadInput(message, f"One of them: {_listed(uow, wanted)}.")
        return self._end(uow, wanted, person)

    def _end(
        self, uow: UnitOfWork, halts: Sequence[HaltView], person: Person, reason: str = ""
    ) -> tuple[HaltView, ...]:
        for found in halts:
            end_halt(uow, found, self.clock.now(), person.name, why=reason)
        if any(found.halt.is_total for found in halts):
            uow.account.count_total_from_now()
        return tuple(uow.halts.get(found.id) for found in halts)


def _is_reason(uow: UnitOfWork, words: Sequence[str]) -> bool:
    market = words[0].upper().replace("-", "/")
    names_one = any(market in names_of(found.halt.symbol) for found in _changed(uow))
    is_one = len(words) == 1 and "/" in market
    return bool(standing(uow)) and not names_one and not is_one


def _changed(uow: UnitOfWork) -> list[HaltView]:
    return [found for found in uow.halts.open() if found.halt.kind is HaltKind.CHANGED]


def _is_at(halt: Halt, venue: str) -> bool:
    return not venue or halt.venue.casefold() == venue.casefold()


def _listed(uow: UnitOfWork, halts: Sequence[HaltView]) -> str:
    """The markets of some halts, as people are told of them."""
    return ", ".join(sorted({named(each.halt.symbol, uow.ledger.told_apart(each.halt.venue)) for each in halts}))


def _only_an_admin(standing: Sequence[Halt]) -> NotAllowed:
    """Why a trader cannot let entries go on; what does not end by itself is named first."""
    halt = min(standing, key=_ends_by_itself)
    if not _ends_by_itself(halt):
        return NotAllowed(
            f"Entries are halted because {halt.reason}; only an admin may end that.",
            "Ask an admin: it does not end by itself.",
        )
    return NotAllowed(
        f"Entries are halted because {halt.reason}; only an admin may end that early.",
        "Ask an admin, or see /status for when it ends by itself.",
    )


def _ends_by_itself(halt: Halt) -> bool:
    return halt.until is not None or halt.kind in (HaltKind.REFUSED, HaltKind.TRIGGER, HaltKind.BALANCES)
