"""Two contexts hold one coin in a market so thin that an exit takes many candles: each sells its own (fault 41)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import PositionClosed
from engine.domain.market import Market, Timeframe
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.execution.reconcile import agree, reconcile
from engine.flow.cycle import run_cycles
from engine.strategies.context import StrategyContext
from tests.auditor import check_conservation
from tests.fakes.engine import DAY, QUIET, Room, Script, engine_room, signals
from tests.fakes.feed import BTC
from tests.fakes.program import Files

THIN = (100, 101, 99, 100, 10)
"""A candle of which one side of the book takes 0.2 BTC at a turn of the price."""
CENTS = Market(symbol="DOGE/USDT", lot=Decimal(1), tick=Decimal("0.00001"))
PENNY = (0.1, 0.101, 0.099, 0.1, 10_000)
DEEP_PENNY = (0.1, 0.101, 0.099, 0.1, 10_000_000)


@dataclass
class Pair:
    """A room with a second context on the same coin."""

    room: Room
    other: Script
    contexts: tuple[StrategyContext, ...]

    async def candle(self) -> None:
        """What the job does at the close of a candle."""
        now = self.room.clock.now()
        await self.room.orchestrator.resolve_unknown_orders()
        await self.room.orchestrator.restore_protection()
        await self.room.books.mark_to_market(now)
        await run_cycles(self.room.services, self.contexts, now)
        await self.room.orchestrator.sync_venue_events()
        await self.room.books.record_equity(now)

    async def both_enter(self, stop: float = 30.0) -> None:
        now = self.room.clock.now()
        for script in (self.room.script, self.other):
            script.entries[now] = signals(stop=stop, target=2 * stop)
        await self.candle()
        assert [held.context for held in await self.room.held()] == ["hand", "other"]

    def wish_to_leave(self, script: Script, hours: int) -> None:
        """The strategy says so at every close from now on."""
        now = self.room.clock.now()
        script.exits |= {now + timedelta(hours=hour): "the trend is over" for hour in range(1, hours + 1)}

    async def hours(self, count: int) -> None:
        for _ in range(count):
            self.room.clock.at += timedelta(hours=1)
            await self.candle()


@asynccontextmanager
async def pair(folder: Path, market: Market = BTC) -> AsyncIterator[Pair]:
    rows = (QUIET, THIN) if market is BTC else (DEEP_PENNY, PENNY)
    script = Script(name="other")
    history = {market.symbol: (rows[0],) * 24 + (rows[1],) * 80}
    async with engine_room(folder, history, markets=(market,)) as room:
        second = StrategyContext(
            name="other", venue="paper", strategy=script, markets=(market.symbol,), timeframe=Timeframe.H1
        )
        yield Pair(room, script, (room.context, second))


@pytest.mark.parametrize(("market", "stop"), [(BTC, 30.0), (CENTS, 0.03)], ids=["BTC", "DOGE"])
async def test_each_sells_what_it_holds_and_once(tmp_path: Path, market: Market, stop: float):
    async with pair(tmp_path, market) as two:
        await two.both_enter(stop)
        first, second = await two.room.held()
        two.wish_to_leave(two.room.script, 40)
        await two.hours(3)
        exits = [order for order in await two.room.orders() if order[0] == "exit"]
        assert exits == [("exit", "partly_filled", first.quantity)], "one exit, however often it is wished for"
        (left, kept) = await two.room.held()
        assert 0 < left.quantity < first.quantity
        assert kept.quantity == second.quantity
        await two.hours(37)
        assert [held.id for held in await two.room.held()] == [second.id]
        assert [view.protected for view in await two.room.views.positions()] == [True]
        assert [closed.position_id for closed in await two.room.events(PositionClosed)] == [first.id]
        await must_agree(two.room, tmp_path)


async def test_both_leave_at_once_and_meet_an_emergency_stop_a_hand_and_a_restart(tmp_path: Path):
    async with pair(tmp_path) as two:
        await two.both_enter()
        first, second = await two.room.held()
        two.wish_to_leave(two.room.script, 40)
        two.wish_to_leave(two.other, 40)
        await two.hours(2)
        await two.room.desk.emergency.call("Ada")
        for held in (first, second):
            await two.room.orchestrator.sell(held.id)
        await two.hours(1)
        assert len([order for order in await two.room.orders() if order[0] == "exit"]) == 2
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 80, minutes=DAY + 240) as room:
        await reconcile(room.store, room.orchestrator)
        assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
        room.clock.at += timedelta(hours=40)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        assert sorted(closed.position_id for closed in await room.events(PositionClosed)) == [first.id, second.id]
        await must_agree(room, tmp_path)


async def test_what_somebody_else_sells_meanwhile_is_not_sold_again_out_of_the_others_position(tmp_path: Path):
    """Our exit is still filling when half of what it sells is gone: it is cancelled, and only the rest is sold."""
    async with pair(tmp_path) as two:
        await two.both_enter()
        first, second = await two.room.held()
        two.wish_to_leave(two.room.script, 40)
        await two.hours(1)
        await two.room.orchestrator.sync_venue_events()
        (left, _) = await two.room.held()
        theirs = OrderRequest(
            venue="paper",
            client_id="theirs",
            symbol=BTC.symbol,
            side=Side.SELL,
            type=OrderType.MARKET,
            quantity=Decimal("1.0"),
        )
        two.room.clock.at += timedelta(minutes=1)
        await two.room.venue.submit(theirs)
        await two.hours(40)
        assert left.quantity < first.quantity
        assert [(held.id, held.quantity) for held in await two.room.held()] == [(second.id, second.quantity)]
        assert (await two.room.views.status()).halts == ()
        await must_agree(two.room, tmp_path)


async def must_agree(room: Room, folder: Path) -> None:
    """The books, the venue and the auditor agree, and nothing is below zero."""
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert check_conservation(folder / "venue.sqlite") == []
    assert Files(folder=folder).complaints() == []
    rejected = [order for order in await room.orders() if order[1] == "rejected"]
    assert rejected == []
    assert [held for held in await room.held() if held.quantity <= 0] == []
