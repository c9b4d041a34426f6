"""A stage that takes half a minute on twenty markets holds up nothing else: stops, expiry, halts, chat (fault 37)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from engine.domain.approvals import Expired
from engine.domain.messages import Person, Role
from tests.fakes.engine import QUIET, engine_room
from tests.fakes.feed import BTC

ANN = Person(name="Ann", role=Role.TRADER)
MARKETS = (BTC, *(replace(BTC, symbol=f"C{number:02}/USDT") for number in range(19)))
FALLING = (*(QUIET,) * 24, (100, 100, 90, 91, 10_000), *((91, 92, 90, 91, 10_000),) * 30)


async def test_while_twenty_markets_wait_for_their_candles_all_else_goes_on(tmp_path: Path):
    rows = {market.symbol: FALLING if market is BTC else (QUIET,) * 60 for market in MARKETS}
    async with engine_room(tmp_path, rows, markets=MARKETS) as room:
        await room.enter()
        (held,) = [each for each in await room.held() if each.symbol == BTC.symbol]
        asked = await room.ask(minutes=10, symbol="C01/USDT")
        room.venue.hangs = "candles"
        room.services = replace(room.services, late_after=0.2)
        room.clock.at += timedelta(hours=1)
        cycle = asyncio.create_task(room.cycle())
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            await room.orchestrator.sync_venue_events()
            await room.approvals.advance_open()
            await room.desk.pause(ANN, None)
            status = await room.views.status()
        assert not cycle.done(), "the candles are still waited for"
        assert held.id not in [each.id for each in await room.held()], "its stop was hit, and that is in the books"
        approval = await room.store.read(lambda uow: uow.approvals.get(asked.id))
        assert isinstance(approval.state, Expired)
        assert not status.trading
        room.venue.hangs = ""
        room.venue.answers.set()
        record = await asyncio.wait_for(cycle, 30)
        assert len(record.decisions) == len(MARKETS)
