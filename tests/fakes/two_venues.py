"""A room whose orders go to two venues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from engine.domain.market import Listing, Timeframe
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import agree
from engine.flow.cycle import run_cycles
from engine.risk.limits import RiskLimits
from engine.simulation.fills import FillModel
from engine.strategies.context import StrategyContext
from tests.fakes.engine import QUIET, FickleVenue, Room, engine_room, signals
from tests.fakes.feed import BTC, Row, hand_feed


@dataclass
class Two:
    """A room whose orders go to two venues, and what trades at the second."""

    room: Room
    other: FickleVenue
    contexts: tuple[StrategyContext, ...]

    @property
    def venues(self) -> dict[str, FickleVenue]:
        return {"paper": self.room.venue, "other": self.other}

    async def both_enter(self) -> None:
        now = self.room.clock.now()
        self.room.script.entries[now] = signals()
        await run_cycles(self.room.services, self.contexts, now)

    async def agreed(self) -> None:
        for venue in (self.room.venue, self.other):
            now = self.room.clock.now()
            assert await agree(self.room.store, venue, self.room.orchestrator, now) == {}


@asynccontextmanager
async def two_venues(folder: Path, rows: Sequence[Row] = (QUIET,) * 60) -> AsyncIterator[Two]:
    """Two venues with the same market.

    Args:
        folder: Where their files are.
        rows: What trades at the second.
    """
    async with engine_room(
        folder, limits=RiskLimits(max_position=Decimal("0.9"), risk_per_trade=Decimal("0.002"))
    ) as room:
        other = FickleVenue(
            name="other",
            file=folder / "other.sqlite",
            feed=hand_feed(rows),
            clock=room.clock,
            model=FillModel(fee_in="received"),
            balances={"USDT": Decimal(20_000)},
        )
        other.clock, other.called_at, other.answers = room.clock, [], asyncio.Event()
        await room.store.transact(lambda uow: uow.account.pay_in("other", Decimal(20_000), room.clock.now()))
        venues = {"paper": room.venue, "other": other}
        orchestrator = ExecutionOrchestrator(store=room.store, venues=venues, market_data=venues, clock=room.clock)
        room.services = replace(
            room.services,
            orchestrator=orchestrator,
            market_data=venues,
            candles=replace(room.services.candles, market_data=venues),
            stats=replace(room.services.stats, market_data=venues),
        )
        room.views = replace(room.views, market_data=venues)
        marked = {**room.books.markets, Listing("other", BTC.symbol): Timeframe.H1}
        room.books = replace(room.books, market_data=venues, candles=room.services.candles, markets=marked)
        second = replace(room.context, name="second", venue="other")
        try:
            yield Two(room, other, (room.context, second))
        finally:
            other.close()
