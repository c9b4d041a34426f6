"""How far the bot may trade: what halts make of it, and that it stays on record with its reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.halt_views import HaltView
from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import Person, Role
from engine.domain.trading_states import TradingState, state_of
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import Room, engine_room
from tests.fakes.reports import NOON

ANN, ADA = Person(name="Ann", role=Role.TRADER), Person(name="Ada", role=Role.ADMIN)
ACTIVE, REDUCING, HALTED = TradingState
HALTS = st.lists(
    st.builds(
        Halt,
        kind=st.sampled_from(HaltKind),
        reason=st.just("so"),
        since=st.just(NOON),
        symbol=st.sampled_from(["", "BTC/USDT"]),
    ),
    max_size=5,
)


async def states(room: Room) -> list[tuple[TradingState, str, str, str]]:
    """The changes, oldest first."""
    found = await room.store.read(lambda uow: uow.trading_states.newest(9))
    return [(each.state, each.reason, each.by, each.halt_id) for each in reversed(found)]


def drawdown(uow: UnitOfWork) -> str:
    return begin_halt(uow, Halt(kind=HaltKind.DRAWDOWN, reason="fallen", since=NOON))


@given(HALTS)
def test_the_strictest_halt_everywhere_makes_the_state_and_one_of_a_market_none(halts: list[Halt]):
    views = [HaltView(id=f"H{number}", halt=halt) for number, halt in enumerate(halts)]
    state, found = state_of(views)
    everywhere = [halt for halt in halts if not halt.symbol]
    stops = [halt for halt in everywhere if halt.kind is HaltKind.EMERGENCY]
    assert state is (HALTED if stops else REDUCING if everywhere else ACTIVE)
    assert (found and found.halt) == next(iter(stops or everywhere), None)


async def test_a_pause_reduces_and_its_end_is_on_record_with_who_ended_it(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        assert await room.store.read(lambda uow: uow.trading_states.current()) is None
        await room.desk.pause(ANN, None)
        await room.desk.resume(ADA)
        assert await states(room) == [(REDUCING, "paused by Ann", "Ann", "H1"), (ACTIVE, "H1 is over", "Ada", "")]


async def test_a_longer_pause_takes_over_without_an_entry_between_them(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.desk.pause(ANN, room.clock.now() + timedelta(hours=1))
        await room.desk.pause(ADA, None)
        assert [state for state, *_ in await states(room)] == [REDUCING, REDUCING]
        assert (await states(room))[-1][1:] == ("paused by Ada", "Ada", "H2")


async def test_what_stands_beside_takes_over_when_the_first_ends(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.desk.pause(ANN, None)
        await room.store.transact(drawdown)
        assert len(await states(room)) == 1
        pause = await room.views.halt("H1")
        await room.store.transact(lambda uow: end_halt(uow, pause, NOON, "Ann"))
        assert await states(room) == [(REDUCING, "paused by Ann", "Ann", "H1"), (REDUCING, "fallen", "", "H2")]


async def test_the_emergency_stop_halts_whatever_else_stands(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.desk.pause(ANN, None)
        await room.desk.stop_everything(ADA)
        await room.desk.resume(ADA, "all is well")
        assert [state for state, *_ in await states(room)] == [REDUCING, HALTED, ACTIVE]
        report = await room.risk.risk()
        assert report.state is not None
        assert (report.state.state, report.state.by) == (ACTIVE, "Ada")


async def test_bad_data_of_one_market_is_no_state_of_all(tmp_path: Path):
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, symbol="BTC/USDT", venue="paper")
    async with engine_room(tmp_path) as room:
        await room.store.transact(lambda uow: begin_halt(uow, halt))
        assert await states(room) == []


@pytest.mark.parametrize("reads", [1, 2])
async def test_changes_are_read_newest_first(tmp_path: Path, reads: int):
    async with engine_room(tmp_path) as room:
        await room.desk.pause(ANN, None)
        await room.desk.resume(ANN)
        found = await room.store.read(lambda uow: uow.trading_states.newest(reads))
        assert [each.state for each in found] == [ACTIVE, REDUCING][:reads]
