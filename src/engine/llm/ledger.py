"""What calls of models cost: set aside before the call, settled after it, within caps.

    reserve (worst case, within every cap) ─▶ the call ─▶ end (what was used, or the reservation for good)

A process that dies in between leaves a reservation, which the next start keeps for good: it may have been billed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from engine.domain.events import ModelBudgetUsed
from engine.domain.model_ledger import (
    SPENT,
    TOLD_AT,
    BudgetNotice,
    CallState,
    Cap,
    ModelCall,
    OverCap,
    told_id,
)
from engine.ports import Clock
from engine.store.database import Database
from engine.store.together import Together
from engine.store.unit_of_work import UnitOfWork

LOST = "the program ended while it was under way"


class CostLedger:
    """Books every call in the database; no two of them together pass a cap, whichever process makes them.

    Args:
        caps: The most that may be spent, see ``Cap``; all that are about a call hold for it.
        clock: The market's, for what people are told, by days of theirs.
        wall: The wall clock: providers bill by it.
    """

    def __init__(self, *, store: Database, caps: Sequence[Cap], clock: Clock, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._caps = tuple(caps)
        self._clock = clock
        self._wall = wall
        self._together = Together(store)

    @property
    def caps(self) -> tuple[Cap, ...]:
        """The most that may be spent."""
        return self._caps

    async def reserve(self, call: ModelCall) -> ModelCall | OverCap:
        """Set aside what a call can cost at most; on the disk before this returns, or refused for a cap.

        Raises:
            StoreError: It cannot be written down, so it must not be made.
        """

        def work(uow: UnitOfWork) -> ModelCall | OverCap:
            for cap in self._about(call):
                used = _used(uow, cap, call.at)
                if call.reserved_usd and used + call.reserved_usd > cap.usd:
                    self._tell(uow, cap, SPENT, used, call)
                    return OverCap(cap=cap, used=used, worst=call.reserved_usd)
            return uow.model_calls.add(replace(call, market_at=self._clock.now()))

        return await self._together.transact(work)

    async def end(self, call: ModelCall) -> None:
        """Keep what became of a call, and tell people where a part of a cap is used.

        Raises:
            StoreError: It cannot be written down: its reservation stands.
        """

        def work(uow: UnitOfWork) -> None:
            uow.model_calls.put(call)
            for cap in self._about(call):
                used = _used(uow, cap, call.at)
                passed = [part for part in TOLD_AT if part < SPENT and used * 100 >= cap.usd * part]
                if passed and used:
                    self._tell(uow, cap, passed[-1], used, call)

        await self._together.transact(work)

    async def keep_lost(self) -> int:
        """Keep the reservations of calls whose end nobody will tell, once at the start; how many they were."""

        def work(uow: UnitOfWork) -> int:
            lost = uow.model_calls.under_way()
            for call in lost:
                uow.model_calls.put(replace(call, state=CallState.KEPT, reason=LOST))
            return len(lost)

        return await self._store.transact(work)

    async def share(self, purpose: str, context: str) -> Decimal:
        """How much is used of the cap that is nearest to its end, of those about a purpose in a context: 1 for all."""
        at, about = self._wall(), [cap for cap in self._caps if cap.applies(purpose, context)]

        def work(uow: UnitOfWork) -> Decimal:
            shares = [_used(uow, cap, at) / cap.usd if cap.usd else Decimal(1) for cap in about]
            return max(shares, default=Decimal(0))

        return await self._store.read(work)

    def _about(self, call: ModelCall) -> list[Cap]:
        return [cap for cap in self._caps if cap.applies(call.purpose, call.context)]

    def _tell(self, uow: UnitOfWork, cap: Cap, percent: int, used: Decimal, call: ModelCall) -> None:
        """Tell people once in a period; who hears of a higher part first is not told of a lower one after it."""
        if any(uow.model_budgets.has(told_id(cap, call.at, part)) for part in TOLD_AT if part >= percent):
            return
        worst = call.reserved_usd if percent == SPENT else None
        notice_id = told_id(cap, call.at, percent)
        uow.model_budgets.put(BudgetNotice(id=notice_id, at=call.at, cap=cap, percent=percent, used=used, worst=worst))
        uow.emit(ModelBudgetUsed(at=self._clock.now(), notice_id=notice_id))


def _used(uow: UnitOfWork, cap: Cap, at: datetime) -> Decimal:
    return cap.used(uow.model_calls.spent_since(cap.first(at)), at)
