"""Looking at a market: what is fetched, checked and noted before anything is concluded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from engine.data.derivatives.generated import GeneratedDerivatives
from engine.domain.autonomy import Hold
from engine.domain.decisions import Stance
from engine.domain.errors import NoData, VenueError
from engine.domain.events import Halted, HaltEnded
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Timeframe
from engine.domain.messages import Person, Role
from engine.domain.orders import Purpose
from engine.flow.cycle import end_data_halts
from engine.flow.observing import observe
from engine.inputs.derivatives import KeptDerivatives
from tests.fakes.engine import DAY, QUIET, Room, engine_room
from tests.fakes.feed import BTC, hand_feed


async def test_what_was_seen_is_noted_with_its_age(room: Room):
    room.clock.to(DAY + 1)
    seen = await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert [(each.name, each.age, each.detail) for each in seen.inputs] == [
        ("1h candles", timedelta(minutes=1), "24 closed"),
        ("book", timedelta(0), f"bid {seen.book.bid}, ask {seen.book.ask}"),
    ]
    assert seen.quality.usable
    assert len(seen.frames[Timeframe.H1].candles) == 24


async def test_what_was_seen_of_a_large_price_has_commas(tmp_path: Path):
    async with engine_room(tmp_path, ((20_000, 20_100, 19_900, 20_000, 10_000),) * 60) as room:
        seen = await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert seen.book is not None
    assert seen.inputs[-1].detail == f"bid {seen.book.bid:,f}, ask {seen.book.ask:,f}"
    assert "20,0" in seen.inputs[-1].detail


async def test_what_futures_tell_is_kept_with_the_decision_and_no_input_of_it(room: Room):
    source = GeneratedDerivatives(feed=hand_feed((QUIET,) * 60), clock=room.clock, seed=20)
    room.services = replace(room.services, derivatives=KeptDerivatives(source=source, clock=room.clock))
    (judged,) = (await room.enter(1.0)).decisions
    kept = await room.store.read(lambda uow: uow.decisions.get(judged.decision.id))
    assert [(each.name, each.age) for each in kept.market_context] == [
        (name, timedelta(0)) for name in ("funding", "open interest", "long and short")
    ]
    assert "funding" not in {each.name for each in kept.inputs}


async def test_where_nobody_tells_of_futures_nothing_stands_beside_a_decision(room: Room):
    (judged,) = (await room.enter(1.0)).decisions
    assert judged.market_context == ()


async def test_nothing_of_the_future_is_seen(room: Room):
    seen = await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert seen.frames[Timeframe.H1].candles.closed_at == room.clock.now()


async def test_without_a_venue_the_market_is_refused_and_not_guessed(room: Room):
    room.venue.deaf, room.venue.blind = NoData("There is no book."), VenueError("The venue is down.")
    seen = await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert (seen.frames, seen.book, [given.name for given in seen.inputs]) == ({}, None, ["book"])
    assert seen.inputs[0].detail == "missing: the venue gave no order book"
    assert seen.quality.refused[0].detail == "1h: The venue is down."


async def halts_of(room: Room) -> list[tuple[str, bool]]:
    """Why each data halt was called, and whether it is over."""
    halted = await room.events(Halted)
    views = [await room.views.halt(event.halt_id) for event in halted]
    return [(view.halt.reason, view.ended_at is not None) for view in views]


async def test_a_data_halt_ends_once_the_data_is_good_and_not_only_at_the_next_close(room: Room):
    room.venue.blind = VenueError("The venue is down.")
    (judged,) = (await room.enter(1.0)).decisions
    assert (judged.ruling, judged.decision.reasons) == (Hold(), ("bad data: 1h: The venue is down.",))
    room.clock.to(DAY + 1)
    await end_data_halts(room.services, (room.context,), room.clock.now())
    assert await halts_of(room) == [("BTC/USDT: 1h: The venue is down.", False)]
    room.venue.blind = None
    room.clock.to(DAY + 2)
    await end_data_halts(room.services, (room.context,), room.clock.now())
    assert await halts_of(room) == [("BTC/USDT: 1h: The venue is down.", True)]
    assert len(await room.events(HaltEnded)) == 1
    assert await room.orders() == [], "what was refused is not decided on again"
    await end_data_halts(room.services, (room.context,), room.clock.now())
    assert len(await room.events(HaltEnded)) == 1


async def test_only_the_data_halt_of_what_is_good_again_ends(room: Room):
    room.venue.blind = VenueError("The venue is down.")
    await room.cycle()
    await room.desk.pause(Person(name="Ann", role=Role.TRADER), None)
    room.venue.blind = None
    other = Halt(kind=HaltKind.DATA, reason="bad", since=room.clock.now(), symbol="BTC/USDT", by="15m candles")
    await room.store.transact(lambda uow: uow.halts.add(other))
    await end_data_halts(room.services, (room.context,), room.clock.now())
    standing = await room.store.read(lambda uow: uow.halts.open())
    assert [view.halt.kind for view in standing] == [HaltKind.PAUSE, HaltKind.DATA]


async def test_an_outage_halts_no_market_and_what_is_still_bad_after_it_is_halted_then(tmp_path: Path):
    away, eth = ["okx cannot be reached (all 2 markets)"], replace(BTC, symbol="ETH/USDT")
    rows = {"BTC/USDT": (QUIET,) * 60, "ETH/USDT": (QUIET,) * 60}
    async with engine_room(tmp_path, rows, markets=(BTC, eth), no_entry=lambda _: "".join(away)) as room:
        room.venue.blind = VenueError("okx cannot be reached.")
        record = await room.cycle()
        assert {judged.decision.stance for judged in record.decisions} == {Stance.HOLD}
        assert await halts_of(room) == []
        room.clock.to(DAY + 60)
        away.clear()
        await room.cycle()
        assert [ended for _, ended in await halts_of(room)] == [False, False]


async def test_bad_data_is_fetched_once(room: Room):
    room.venue.blind = VenueError("The venue is down.")
    await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert room.venue.candles_asked == 1


async def test_the_same_candles_are_read_once(room: Room):
    await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    first = room.services.frames["paper", "BTC/USDT"][Timeframe.H1]
    await observe(room.services, room.context, "BTC/USDT", room.clock.now())
    assert room.services.frames["paper", "BTC/USDT"][Timeframe.H1].signals is first.signals


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
