"""Looking at a market: what is fetched, checked and noted before anything is concluded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from engine.cycle import look
from engine.domain.errors import NoData, VenueError
from engine.domain.market import Timeframe
from engine.domain.trading import Purpose
from tests.fakes.engine import DAY, Room, engine_room


async def test_what_was_seen_is_noted_with_its_age(room: Room):
    room.clock.to(DAY + 1)
    seen = await look(room.kit, room.context, "BTC/USDT", room.clock.now())
    assert [(each.name, each.age, each.detail) for each in seen.inputs] == [
        ("1h candles", timedelta(minutes=1), "24 closed"),
        ("book", timedelta(0), f"bid {seen.book.bid}, ask {seen.book.ask}"),
    ]
    assert seen.quality.usable
    assert len(seen.frames[Timeframe.H1].candles) == 24


async def test_nothing_of_the_future_is_seen(room: Room):
    seen = await look(room.kit, room.context, "BTC/USDT", room.clock.now())
    assert seen.frames[Timeframe.H1].candles.closed_at == room.clock.now()


async def test_without_a_venue_the_market_is_refused_and_not_guessed(room: Room):
    room.venue.deaf, room.venue.blind = NoData("There is no book."), VenueError("The venue is down.")
    seen = await look(room.kit, room.context, "BTC/USDT", room.clock.now())
    assert (seen.frames, seen.book, [given.name for given in seen.inputs]) == ({}, None, ["book"])
    assert seen.inputs[0].detail == "missing: the venue gave no order book"
    assert seen.quality.refused[0].detail == "1h: The venue is down."


async def test_the_same_candles_are_read_once(room: Room):
    await look(room.kit, room.context, "BTC/USDT", room.clock.now())
    first = room.kit.last_seen["BTC/USDT"].frames[Timeframe.H1]
    await look(room.kit, room.context, "BTC/USDT", room.clock.now())
    assert room.kit.last_seen["BTC/USDT"].frames[Timeframe.H1].signals is first.signals


async def test_a_restart_in_the_middle_of_a_candle_decides_no_second_time(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        await before.enter(1.0)
    async with engine_room(tmp_path) as after:
        record = await after.enter(1.0)
        assert record.decisions == ()
        assert [position.quantity for position in await after.held()] == [Decimal("24.995")]


async def test_an_order_that_is_refused_does_not_stop_the_cycle(room: Room):
    room.venue.refuses = (Purpose.ENTRY,)
    record = await room.enter(1.0)
    assert len(record.decisions) == 1
    assert [status for _, status, _ in await room.orders()] == ["rejected"]


async def test_the_record_names_its_context_and_time(room: Room):
    record = await room.cycle()
    assert (record.context, record.at) == ("hand", room.clock.now())
