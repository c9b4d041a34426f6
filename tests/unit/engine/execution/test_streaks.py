"""Losses in a row, of each strategy context by itself, on real positions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import LosingStreakChanged
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.domain.positions import Position
from engine.domain.streaks import Streak
from engine.execution.streaks import note_result
from engine.store.unit_of_work import UnitOfWork
from tests.fakes import reports
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room

FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through a stop at 98."""


def closed(number: int, net: str, context: str = "hand") -> Position:
    return reports.closed_position(id=f"T{number}", context=context, realised=Decimal(net), fees=Decimal(0))


async def results(room: Room, *positions: Position) -> None:
    def work(uow: UnitOfWork) -> None:
        for number, position in enumerate(positions):
            note_result(uow, position, at(DAY + number))

    await room.store.transact(work)


async def test_a_loss_lengthens_the_streak_of_its_context_and_what_is_none_ends_it(room: Room):
    await results(room, closed(1, "-10"), closed(2, "5", "other"), closed(3, "-20"), closed(4, "0"), closed(5, "-1"))
    first, second = await room.views.streak("S1"), await room.views.streak("S2")
    assert first == Streak(
        id="S1",
        context="hand",
        quote="USDT",
        since=at(DAY),
        first="T1",
        last="T3",
        equity=CASH,
        losses=2,
        net=Decimal(-30),
        ended_at=at(DAY + 3),
        ended_by="T4",
    )
    assert (second.first, second.losses, second.ended_at) == ("T5", 1, None)
    assert [(event.streak_id, event.losses) for event in await room.events(LosingStreakChanged)] == [
        ("S1", 1),
        ("S1", 2),
        ("S1", 2),
        ("S2", 1),
    ]


async def test_it_goes_on_over_a_restart(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await results(room, closed(1, "-10"))
    async with engine_room(tmp_path) as room:
        await results(room, closed(2, "-10"))
        assert (await room.views.streak("S1")).losses == 2


@pytest.mark.parametrize("external", [False, True])
async def test_a_stop_that_is_hit_counts_and_what_somebody_else_lost_does_not(tmp_path: Path, external: bool):  # noqa: FBT001
    async with engine_room(tmp_path, (*(QUIET,) * 24, FALL, QUIET)) as room:
        if external:
            theirs = OrderRequest(
                venue="paper",
                client_id="e" * 32,
                symbol="BTC/USDT",
                side=Side.BUY,
                type=OrderType.MARKET,
                quantity=Decimal(1),
            )
            await room.venue.submit(theirs)
            await room.orchestrator.sync_venue_events()
            await room.orchestrator.sell("T1")
        else:
            await room.enter()
            room.clock.to(DAY + 60)
            await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        assert len(await room.events(LosingStreakChanged)) == (0 if external else 1)
