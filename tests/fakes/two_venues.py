"""A room whose orders go to two venues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from engine.cycle import run_cycles
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import agree
from engine.risk.rules import RiskLimits
from engine.simulation.fills import FillModel
from engine.strategies.context import StrategyContext
from tests.fakes.engine import QUIET, FickleVenue, Room, engine_room, signals
from tests.fakes.feed import hand_feed


@dataclass
class Two:
    """A room whose orders go to two venues, and what trades at the second."""

    room: Room
    other: FickleVenue
    contexts: tuple[StrategyContext, ...]

    async def both_enter(self) -> None:
        now = self.room.clock.now()
        self.room.script.entries[now] = signals()
        await run_cycles(self.room.services, self.contexts, now)

    async def agreed(self) -> None:
        for venue in (self.room.venue, self.other):
            now = self.room.clock.now()
            assert await agree(self.room.store, venue, self.room.orchestrator, now) == {}


@asynccontextmanager
async def two_venues(folder: Path) -> AsyncIterator[Two]:
    async with engine_room(
        folder, limits=RiskLimits(max_position=Decimal("0.9"), risk_per_trade=Decimal("0.002"))
    ) as room:
        other = FickleVenue(
            name="other",
            file=folder / "other.sqlite",
            feed=hand_feed((QUIET,) * 60),
            clock=room.clock,
            model=FillModel(fee_in="received"),
            balances={"USDT": Decimal(20_000)},
        )
        other.clock, other.called_at, other.answers = room.clock, [], asyncio.Event()
        await room.store.transact(lambda uow: uow.account.pay_in("other", Decimal(20_000), room.clock.now()))
        orchestrator = ExecutionOrchestrator(
            store=room.store,
            venues={"paper": room.venue, "other": other},
            market_data=room.venue,
            clock=room.clock,
        )
        room.services = replace(room.services, orchestrator=orchestrator)
        second = replace(room.context, name="second", venue="other")
        try:
            yield Two(room, other, (room.context, second))
        finally:
            other.close()
