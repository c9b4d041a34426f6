"""What calls for a stop by itself: each trigger, its hysteresis, storms of 503 and restarts (fault 30)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.errors import NotAllowed, VenueError
from engine.domain.halts import HaltKind
from engine.domain.market import Timeframe
from engine.domain.messages import Person, Role
from engine.domain.trading_states import TradingState
from engine.domain.triggers import Cause, LeadsTo, Trigger
from engine.execution.emergency import DONE, KEPT, EmergencyStopSystem
from engine.flow.emergency_watch import EmergencyWatch
from engine.risk.limits import RiskLimits
from tests.fakes.engine import QUIET, Room, engine_room

ADA, TOM = Person(name="Ada", role=Role.ADMIN), Person(name="Tom", role=Role.TRADER)
CALM = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
FALLING = (
    *(QUIET,) * 25,
    (100, 100, 91, 91, 10_000),
    (91, 91, 83, 83, 10_000),
    (83, 83, 75, 75, 10_000),
    *((75, 76, 74, 75, 10_000),) * 40,
)
"""From an hour after the entry on 25 % lower within three hours, by steps that could be of any day."""
LARGE = RiskLimits(risk_per_trade=Decimal("0.5"), max_position=Decimal("0.9"), max_exposure=Decimal("0.9"))


def trigger(leads_to: LeadsTo, at: str, ends_at: str = "0") -> Trigger:
    return Trigger(leads_to=leads_to, trips_at=Decimal(at), ends_at=Decimal(ends_at), calm_for=CALM)


def watch(room: Room, triggers: dict[Cause, Trigger], *, keep_stops: bool = False, **changes: Any) -> EmergencyWatch:
    """A watch over a room; another over the same room is as after a restart."""
    stop = EmergencyStopSystem(
        store=room.store,
        orchestrator=room.orchestrator,
        clock=room.clock,
        keep_stops=keep_stops,
        wait=lambda _: asyncio.sleep(0.01),
    )
    usual: dict[str, Any] = {"timeframe": Timeframe.H1, "at_once": True, **changes}
    return EmergencyWatch(
        store=room.store,
        emergency=stop,
        approvals=room.approvals,
        orchestrator=room.orchestrator,
        candles=room.services.candles,
        triggers=triggers,
        **usual,
    )


async def state(room: Room) -> TradingState:
    found = await room.store.read(lambda uow: uow.trading_states.current())
    return found.state if found else TradingState.ACTIVE


async def reasons(room: Room) -> list[tuple[HaltKind, str]]:
    standing = await room.store.read(lambda uow: uow.halts.open())
    return [(found.halt.kind, found.halt.reason) for found in standing]


async def next_close(room: Room) -> None:
    """Let the candle go by, and mark what is held."""
    room.clock.at += timedelta(hours=1)
    await room.orchestrator.sync_venue_events()
    await room.books.mark_to_market(room.clock.now())
    await room.books.record_equity(room.clock.now())


@pytest.mark.parametrize("leads_to", [LeadsTo.REDUCING, LeadsTo.HALTED])
async def test_what_is_held_and_falls_at_once_leads_where_it_is_set_to(tmp_path: Path, leads_to: LeadsTo):
    async with engine_room(tmp_path, FALLING) as room:
        own = watch(room, {Cause.FLASH_CRASH: trigger(leads_to, "0.2", "0.1")}, crash_within=timedelta(hours=3))
        await room.enter(stop=60.0, target=80.0)
        for _ in range(3):
            assert len(await room.held()) == 1
            await own.look_at_account(room.clock.now())
            assert await state(room) is TradingState.ACTIVE
            await next_close(room)
        await next_close(room)
        await own.look_at_account(room.clock.now())
        ((kind, reason),) = await reasons(room)
        assert reason == "BTC/USDT has fallen by 25% within 3 h; the emergency limit is 20%"
        if leads_to is LeadsTo.REDUCING:
            assert (kind, await state(room)) == (HaltKind.TRIGGER, TradingState.REDUCING)
            assert len(await room.held()) == 1, "exits and protection alone go on"
        else:
            assert (kind, await state(room)) == (HaltKind.EMERGENCY, TradingState.HALTED)
            await own.look_at_account(room.clock.now())
            assert await room.held() == ()
            (closed,) = await room.views.trades(9)
            assert (closed.closed_by, closed.closed_by_person) == ("emergency", "")


async def test_a_fall_of_what_is_not_held_trips_nothing(tmp_path: Path):
    async with engine_room(tmp_path, FALLING) as room:
        own = watch(room, {Cause.FLASH_CRASH: trigger(LeadsTo.HALTED, "0.2")}, crash_within=timedelta(hours=3))
        for _ in range(5):
            await next_close(room)
            await own.look_at_account(room.clock.now())
        assert await reasons(room) == []


async def test_a_drawdown_trips_once_and_is_told_with_its_number(tmp_path: Path):
    async with engine_room(tmp_path, FALLING, limits=LARGE) as room:
        own = watch(room, {Cause.DRAWDOWN: trigger(LeadsTo.HALTED, "0.05", "0.01")})
        await room.enter(stop=60.0, target=80.0)
        for _ in range(5):
            await next_close(room)
            await own.look_at_account(room.clock.now())
        (stop,) = [each for each in await reasons(room) if each[0] is HaltKind.EMERGENCY]
        assert stop[1].endswith("has reached the emergency limit of 5%")
        assert await room.held() == ()
        with pytest.raises(NotAllowed):
            await room.desk.resume(TOM, "it looks fine")
        await room.desk.resume(ADA, "we take the loss")
        for _ in range(3):  # equity is as low as before: what an admin has ended does not come back by itself
            await next_close(room)
            await watch(room, own.triggers).look_at_account(room.clock.now())
        assert HaltKind.EMERGENCY not in [kind for kind, _ in await reasons(room)]
        last = await room.store.read(lambda uow: uow.trading_states.newest(1))
        assert (last[0].by, last[0].reason.endswith("is over: we take the loss")) == ("Ada", True)


async def test_prices_that_stay_away_end_entries_and_their_return_allows_them_after_a_while(tmp_path: Path):
    away = ["no answer from the venue"]
    async with engine_room(tmp_path) as room:
        own = watch(room, {Cause.CONNECTIVITY: trigger(LeadsTo.REDUCING, "0.25")}, outage=lambda: away[0])

        async def look(minutes: int) -> TradingState:
            for _ in range(minutes):
                room.clock.at += MINUTE
                await own.look_around(room.clock.now())
            return await state(room)

        assert await look(15) is TradingState.ACTIVE
        assert await look(1) is TradingState.REDUCING
        assert await reasons(room) == [
            (HaltKind.TRIGGER, "no prices to trade on for 15 minutes: no answer from the venue")
        ]
        away[0] = ""
        assert await look(9) is TradingState.REDUCING
        away[0] = "away again"
        await look(1)
        away[0] = ""
        assert await look(10) is TradingState.REDUCING, "it was away in between, so it is calm anew from there on"
        assert await look(1) is TradingState.ACTIVE


async def test_prices_that_are_away_for_less_than_two_minutes_are_told_of_in_seconds(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        own = watch(room, {Cause.CONNECTIVITY: trigger(LeadsTo.REDUCING, "0.005")}, outage=lambda: "gone")
        for seconds in (0, 20):
            await own.look_around(room.clock.now() + timedelta(seconds=seconds))
        assert await reasons(room) == [(HaltKind.TRIGGER, "no prices to trade on for 20 seconds: gone")]


async def test_an_api_that_fails_again_and_again_leads_to_a_stop_that_goes_on_through_the_storm(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        own = watch(room, {Cause.FAILING_API: trigger(LeadsTo.HALTED, "5")})
        room.venue.storm = 12
        while await state(room) is not TradingState.HALTED:
            with pytest.raises(VenueError):
                await room.orchestrator.sync_venue_events()
            await own.look_around(room.clock.now())
        ((_, reason),) = await reasons(room)
        assert reason == "paper has not answered 5 calls in a row; the last: The venue answers 503"
        assert len(await room.held()) == 1, "nothing can be sold in the storm, and the stop stands at the venue"
        after = watch(room, own.triggers, at_once=False)  # a restart: the halt and the trigger are known
        after.emergency.start()
        for _ in range(400):
            if await room.held() == ():
                break
            await asyncio.sleep(0.05)
        await after.look_around(room.clock.now())
        await after.emergency.stop()
        assert await room.held() == ()
        assert [kind for kind, _ in await reasons(room)] == [HaltKind.EMERGENCY]


async def test_a_restart_neither_forgets_nor_repeats_a_trigger(tmp_path: Path):
    triggers = {Cause.CONNECTIVITY: trigger(LeadsTo.REDUCING, "0.25")}
    async with engine_room(tmp_path) as room:
        own = watch(room, triggers, outage=lambda: "gone")
        await own.look_around(room.clock.now())
        await own.look_around(room.clock.now() + timedelta(hours=1))
        assert await state(room) is TradingState.REDUCING
    async with engine_room(tmp_path) as room:
        own = watch(room, triggers, outage=lambda: "gone")
        await own.look_around(room.clock.now())
        await own.look_around(room.clock.now() + timedelta(hours=1))
        assert len(await reasons(room)) == 1
        well = watch(room, triggers)
        await well.look_around(room.clock.now())
        await well.look_around(room.clock.now() + CALM)
        assert await reasons(room) == []


async def test_a_trigger_that_was_switched_off_lets_go_at_the_start_and_one_that_is_on_does_not(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        own = watch(room, {Cause.CONNECTIVITY: trigger(LeadsTo.REDUCING, "0.25")}, outage=lambda: "gone")
        for hours in (0, 1):
            await own.look_around(room.clock.now() + timedelta(hours=hours))
        await own.let_go(room.clock.now())
        assert await state(room) is TradingState.REDUCING
        await watch(room, {}).let_go(room.clock.now())
        assert await state(room) is TradingState.ACTIVE
        await own.look_around(room.clock.now() + timedelta(hours=2))
        assert await state(room) is TradingState.REDUCING, "where it is on again it is armed"


async def test_a_venue_that_has_less_than_the_books_say_is_told_of_at_the_second_look(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        own = watch(room, {Cause.MISMATCH: trigger(LeadsTo.REDUCING, "0.01", "0.001")})
        await room.store.transact(lambda uow: uow.ledger.change("paper", "USDT", Decimal("200.50000000")))
        room.venue.storm = 1
        await own.look_at_books("paper", room.clock.now())  # no answer
        await own.look_at_books("paper", room.clock.now())
        assert await reasons(room) == []
        await own.look_at_books("paper", room.clock.now())
        told = "the account at paper has less than the books say, and no order explains it: 200.5 USDT; if somebody"
        ((kind, reason),) = await reasons(room)
        assert (kind, reason.startswith(told)) == (HaltKind.TRIGGER, True)
        await room.store.transact(lambda uow: uow.ledger.change("paper", "USDT", Decimal(-200)))
        await own.look_at_books("paper", room.clock.now())
        await own.look_at_books("paper", room.clock.now() + CALM)
        assert await reasons(room) == []


async def test_what_is_paid_in_at_the_venue_is_no_mismatch_that_stops_anything(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        own = watch(room, {Cause.MISMATCH: trigger(LeadsTo.HALTED, "0.01", "0.001")})
        await room.store.transact(lambda uow: uow.ledger.change("paper", "USDT", Decimal(-500)))
        for _ in range(3):
            await own.look_at_books("paper", room.clock.now())
        assert await reasons(room) == []


async def test_a_stop_that_keeps_stops_cancels_what_would_buy_and_sells_nothing_also_after_a_restart(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 60) as room:
        await room.enter()
        stop = EmergencyStopSystem(store=room.store, orchestrator=room.orchestrator, clock=room.clock, keep_stops=True)
        halt_id = await stop.call("Ada")
        await stop.try_once()
        assert (await room.views.emergency(halt_id)).note == KEPT
        held = await room.held()
        assert len(held) == 1
        assert await room.views.has_stop(held[0].id)
        other = EmergencyStopSystem(store=room.store, orchestrator=room.orchestrator, clock=room.clock)
        await other.try_once()  # its settings would sell; this stop was called by others
        assert await room.held() == held
        await room.desk.resume(ADA, "over")
        await other.call("Ada")
        await other.try_once()
        assert await room.held() == ()
        assert (await room.views.emergency("H2")).note == DONE
