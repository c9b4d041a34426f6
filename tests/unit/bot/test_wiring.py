"""What the program is put together with: a day waits for its market."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bot.wiring import CATCH_UP_LOOK, booked, caught_up
from engine.data.live.feed import LiveFeed
from engine.domain.market import Market
from engine.exchanges.paper import PaperExchange
from engine.simulation.fills import FillModel
from tests.fakes.engine import DAY, QUIET, engine_room
from tests.fakes.feed import BTC, START, HandClock, Row


def _feed(markets: Sequence[Market]) -> LiveFeed:
    feed = LiveFeed([market.symbol for market in markets], fresh_for=timedelta(seconds=30))
    for market in markets:
        feed.list_as(market)
    return feed


async def test_a_day_waits_for_the_market_that_hangs_while_others_go_on(tmp_path: Path):
    """Its stop may have been hit within the day; one that never comes back does not hold the day up for ever."""
    markets = (BTC, replace(BTC, symbol="ETH/USDT"))
    feed, clock, end = _feed(markets), HandClock(), START + timedelta(minutes=10)

    def see(*symbols: str) -> None:
        for symbol in symbols:
            feed.see(symbol, clock.now(), Decimal(100))

    see("BTC/USDT", "ETH/USDT")
    venue = PaperExchange(
        file=tmp_path / "venue.sqlite", feed=feed, clock=clock, model=FillModel(), balances={"USDT": Decimal(1000)}
    )
    try:
        await venue.events(None)
        clock.at = end
        see("BTC/USDT")
        await venue.events(None)
        assert venue.advanced == {"BTC/USDT": end, "ETH/USDT": START}
        waiting = asyncio.create_task(caught_up(lambda: venue.advanced, end))
        done, _ = await asyncio.wait({waiting}, timeout=2 * CATCH_UP_LOOK)
        assert not done
        await caught_up(lambda: venue.advanced, end, within=0.05)
        see("ETH/USDT")
        await venue.events(None)
        async with asyncio.timeout(10):
            await waiting
    finally:
        venue.close()


async def test_a_day_waits_for_a_venue_that_is_behind_and_not_for_one_that_stays_away():
    end = datetime(2026, 1, 1, 18, tzinfo=UTC)
    reached: list[Mapping[str, datetime]] = [{}]
    waiting = asyncio.create_task(caught_up(lambda: reached[-1], end))
    for reached[-1] in ({}, {"BTC/USDT": end - timedelta(seconds=1)}):
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
    reached.append({"BTC/USDT": end})
    async with asyncio.timeout(10):
        await waiting
        await caught_up(dict, end, within=0.05)


async def test_what_was_hit_within_a_day_is_in_the_books_before_it_is_closed(tmp_path: Path):
    """The day's figures no longer wait for the account's jobs by sharing their lock."""
    fell: Row = (100, 101, 50, 60, 10_000)
    async with engine_room(tmp_path, (QUIET,) * 24 + (fell,) * 9) as room:
        await room.enter()
        room.clock.to(DAY + 60)
        await room.venue.events(None)
        assert len(await room.held()) == 1, "the stop was hit, and nobody has heard of it"
        await booked(lambda: room.venue.advanced, room.orchestrator.sync_venue_events, room.clock.now(), within=5)
        assert await room.held() == ()
        room.venue.storm = 9
        await booked(lambda: room.venue.advanced, room.orchestrator.sync_venue_events, room.clock.now(), within=0.1)
