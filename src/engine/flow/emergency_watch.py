"""What calls for a stop by itself: looked at again and again, kept across restarts, and carried out.

    what is known ─▶ armed or tripped (``engine.domain.triggers``) ─▶ no more entries, or the emergency stop

Where a trigger is, and what it led to, is written down in one transaction: a restart neither forgets nor repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.errors import DataError, StoreError, VenueError
from engine.domain.figures import bounded, grouped
from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing, Timeframe, named
from engine.domain.triggers import ARMED, Cause, LeadsTo, Trigger, TriggerState, caller, in_hours, observed
from engine.execution.emergency import EmergencyStopSystem
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import Differences, differing
from engine.flow.approvals import Approvals
from engine.inputs.candles import CheckedCandles
from engine.risk.limits import percent
from engine.risk.metrics import fall_from_highest, simple_returns
from engine.store import codec
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork

_NOTHING = Decimal(0)
_PLACES = 9
"""As exactly as a fall is told: 1 - 0.9 is 0.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look came to.

    Attributes:
        figure: In the unit of its cause; ``None`` where nothing is known.
        words: What people are told where it trips.
    """

    figure: Decimal | None
    words: str = ""


@dataclass(slots=True, kw_only=True)
class EmergencyWatch:
    """Looks at everything that may call for a stop.

    Attributes:
        triggers: Those that are on, by what trips them.
        timeframe: The shortest in use: a flash crash is told by its candles.
        crash_within: Over how long one is looked for.
        outage: Why nothing at all can be traded on; empty where something can.
        at_once: Whether a stop is carried out at each look, for a backtest has no time that passes by itself.
    """

    store: Database
    emergency: EmergencyStopSystem
    approvals: Approvals
    orchestrator: ExecutionOrchestrator
    candles: CheckedCandles
    triggers: Mapping[Cause, Trigger]
    timeframe: Timeframe
    crash_within: timedelta = timedelta(hours=1)
    outage: Callable[[], str] = lambda: ""
    at_once: bool = False
    _in_at: datetime | None = field(default=None, init=False)
    """When prices were last seen to come in; before the first look, that look."""
    _missed_at: set[str] = field(default_factory=set, init=False)

    async def let_go(self, at: datetime) -> None:
        """End what triggers have led to that are off by now: nobody would look whether it is calm again."""
        off = [cause for cause in Cause if cause not in self.triggers]

        def work(uow: UnitOfWork) -> None:
            for cause in off:
                uow.settings.set(_key(cause), codec.dump(ARMED))
                for found in _halts_of(uow, cause):
                    end_halt(uow, found, at)

        if await self.store.read(lambda uow: any(state_of(uow, cause).tripped for cause in off)):
            await self.store.transact(work)

    async def look_at_account(self, at: datetime) -> None:
        """See how far equity has fallen, and what is held, at a close."""
        if self.at_once and await self.emergency.standing():
            await self._carry_out()
        if Cause.DRAWDOWN in self.triggers:
            await self._see(Cause.DRAWDOWN, await self.store.read(self._drawdown), at)
        if Cause.FLASH_CRASH in self.triggers:
            await self._see(Cause.FLASH_CRASH, await self._crash(at), at)

    async def look_around(self, at: datetime) -> None:
        """See whether prices come in, and whether venues answer; nobody is asked."""
        if Cause.CONNECTIVITY in self.triggers:
            await self._see(Cause.CONNECTIVITY, self._away(at), at)
        if Cause.FAILING_API in self.triggers:
            await self._see(Cause.FAILING_API, self._unanswered(), at)

    async def look_at_books(self, venue: str, at: datetime) -> None:
        """See whether a venue has what the books say; only what lacks at two looks in a row counts."""
        seen = await self._lacking(venue)
        trigger = self.triggers[Cause.MISMATCH]
        lacks = seen.figure is not None and seen.figure >= trigger.trips_at
        lacked = venue in self._missed_at
        if seen.figure is not None:
            (self._missed_at.add if lacks else self._missed_at.discard)(venue)
        if not lacks and self._missed_at:
            return  # another venue does not make good what lacks at one
        if not lacks or lacked:
            await self._see(Cause.MISMATCH, seen, at)

    async def _see(self, cause: Cause, seen: Seen, at: datetime) -> None:
        """Take in what a look came to, and carry out what that leads to."""
        state = await self.store.read(lambda uow: state_of(uow, cause))
        if observed(self.triggers[cause], state, seen.figure, at) == state:
            return
        if await self.store.transact(lambda uow: self._note(uow, cause, seen, at)):
            if self.at_once:
                await self._carry_out()
            else:
                self.emergency.start()
            await self.approvals.decline_all_open(seen.words)

    def _note(self, uow: UnitOfWork, cause: Cause, seen: Seen, at: datetime) -> bool:
        """Keep where a trigger is; whether it has just led to the emergency stop."""
        trigger, before = self.triggers[cause], state_of(uow, cause)
        after = observed(trigger, before, seen.figure, at)
        uow.settings.set(_key(cause), codec.dump(after))
        if before.tripped and not after.tripped:
            for found in _halts_of(uow, cause):
                end_halt(uow, found, at)
        if before.tripped or not after.tripped:
            return False
        if trigger.leads_to is LeadsTo.HALTED:
            self.emergency.halt(uow, caller(cause), seen.words)
            return True
        begin_halt(uow, Halt(kind=HaltKind.TRIGGER, reason=seen.words, since=at, by=cause))
        return False

    async def _carry_out(self) -> None:
        with suppress(VenueError):  # the next look tries again
            await self.emergency.try_once()

    def _drawdown(self, uow: UnitOfWork) -> Seen:
        drawdown, most = uow.account.portfolio().drawdown, self.triggers[Cause.DRAWDOWN].trips_at
        words = f"drawdown {percent(drawdown)} has reached the emergency limit of {percent(most)}"
        return Seen(figure=drawdown, words=words)

    async def _crash(self, at: datetime) -> Seen:
        """The deepest fall of what is held; unknown where that is so of anything and nothing else has fallen so far."""
        held = {position.listing for position in await self.store.read(lambda uow: uow.positions.open())}
        falls = {listing: await self._fall(listing, at) for listing in sorted(held)}
        known = {listing: fall for listing, fall in falls.items() if fall is not None}
        deepest = max(known, key=lambda listing: known[listing], default=None)
        if deepest is None:
            return Seen(figure=None if held else _NOTHING)
        fall, most = known[deepest], self.triggers[Cause.FLASH_CRASH].trips_at
        if len(known) < len(falls) and fall < most:
            return Seen(figure=None)
        fell = f"{deepest.symbol} has fallen by {percent(fall)} within {_told(self.crash_within)}"
        return Seen(figure=fall, words=f"{fell}; the emergency limit is {percent(most)}")

    async def _fall(self, listing: Listing, at: datetime) -> Decimal | None:
        """How far a market is below its highest close of late; ``None`` where its candles do not tell it."""
        try:
            candles, report = await self.candles.at(listing, self.timeframe, at)
        except (VenueError, DataError):
            return None
        count = max(1, -(-self.crash_within // self.timeframe.duration))
        if not report.usable or report.changes or len(candles) <= count or candles.closed_at != at:
            return None
        fall = fall_from_highest(simple_returns(candles.close)[-count:])
        return Decimal(repr(round(fall, _PLACES)))

    def _away(self, at: datetime) -> Seen:
        why = self.outage()
        if not why:
            self._in_at = at
            return Seen(figure=_NOTHING)
        self._in_at = self._in_at or at
        lasts = at - self._in_at
        return Seen(figure=in_hours(lasts), words=f"no prices to trade on for {_told(lasts)}: {why}")

    def _unanswered(self) -> Seen:
        worst, venue = max((each.failures, name) for name, each in self.orchestrator.answering.items())
        why = self.orchestrator.answering[venue].why.rstrip(".")
        return Seen(figure=Decimal(worst), words=f"{venue} has not answered {worst} calls in a row; the last: {why}")

    async def _lacking(self, venue: str) -> Seen:
        try:
            found = await differing(self.store, self.orchestrator.answering[venue], self.orchestrator)
        except (VenueError, StoreError):  # no answer, or an empty one, is no loss
            return Seen(figure=None)
        return await self.store.read(lambda uow: _lack(uow, venue, found))


def state_of(uow: UnitOfWork, cause: Cause) -> TriggerState:
    """Where a trigger is."""
    kept = uow.settings.get(_key(cause))
    return codec.load(TriggerState, kept) if kept else TriggerState()


def _lack(uow: UnitOfWork, venue: str, found: Differences) -> Seen:
    """What a venue has less than the books say, as a fraction of equity; coins without a price are not counted."""
    account = uow.account.portfolio()
    prices = {account.quote: Decimal(1)}
    for listing, price in uow.account.marks().items():
        base, _, quote = listing.symbol.partition("/")
        if quote == account.quote:
            prices[base] = price
    lacks = {name: here - there for name, (here, there) in found.items() if there < here and name in prices}
    worth = sum((amount * prices[name] for name, amount in lacks.items()), _NOTHING)
    if account.equity <= 0:
        return Seen(figure=None)
    amounts = ", ".join(f"{grouped(bounded(amount))} {name}" for name, amount in lacks.items())
    reason = (
        f"{named('the account', venue)} has less than the books say, and no order explains it: {amounts}; "
        "if somebody took it out, bot run --accept-balances books that"
    )
    return Seen(figure=worth / account.equity, words=reason)


def _told(length: timedelta) -> str:
    """A length of time for people: whole hours, else minutes, and seconds where these are fewer than two."""
    hours, rest = divmod(length, timedelta(hours=1))
    if hours and not rest:
        return f"{hours} h"
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes} minutes" if minutes > 1 else f"{60 * minutes + seconds} seconds"


def _halts_of(uow: UnitOfWork, cause: Cause) -> list[HaltView]:
    return [each for each in uow.halts.open() if (each.halt.kind, each.halt.by) == (HaltKind.TRIGGER, cause)]


def _key(cause: Cause) -> str:
    return f"trigger.{cause}"
