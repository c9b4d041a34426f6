"""Coming back: wherever the last run ended, the database agrees with the venue before anything trades."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.orders import Order, OrderStatus, OrderType, Purpose, Side
from engine.execution.doubts import LATE_WITHIN
from engine.execution.orders import intend
from engine.execution.reconcile import reconcile
from tests.auditor import check_conservation
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room
from tests.fakes.feed import BTC
from tests.fakes.reports import plan

WANTED = plan(quantity=Decimal(10), price=Decimal(100), stop=Decimal(90), target=Decimal(120))
STOPPED = (QUIET,) * 24 + ((100, 100, 80, 85, 10_000),) + (QUIET,) * 5
"""A market that falls through the stop an hour after the room opened."""


async def write(room: Room) -> Order:
    return await room.store.transact(lambda uow: intend(uow, WANTED, room.clock.now(), decision_id="D1"))


async def come_back(room: Room) -> int:
    return await reconcile(room.store, room.orchestrator)


async def test_a_new_account_has_nothing_in_doubt(room: Room):
    assert await come_back(room) == 0


async def test_an_order_that_was_written_but_not_sent_is_refused_and_stays_unsent(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        await write(before)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        assert await come_back(after) == 1
        after.clock.at += LATE_WITHIN
        assert await come_back(after) == 1, "it may have been late"
        assert await after.orders() == [("entry", "rejected", Decimal(10))]
        assert await after.venue.balances() == {"USDT": CASH}
        assert await come_back(after) == 0


async def test_an_order_that_was_sent_but_not_noted_is_taken_in_and_protected(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        order = await write(before)
        await before.venue.submit(order.request)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        assert await come_back(after) == 1
        assert await after.orders() == [("entry", "filled", Decimal(10)), ("protection", "open", Decimal(10))]
        account = await after.store.read(lambda uow: uow.account.portfolio())
        assert await after.venue.balances() == {"USDT": account.free_cash, "BTC": Decimal(10)}


async def test_a_position_that_lost_its_stop_gets_another(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        await before.orchestrator.send(await write(before))
        ocos = await before.store.read(lambda uow: uow.orders.of_position("T1"))
        await before.venue.cancel(BTC.symbol, ocos[-1].request.client_id)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        await come_back(after)
        assert [(purpose, status) for purpose, status, _ in await after.orders()] == [
            ("entry", "filled"),
            ("protection", "cancelled"),
            ("protection", "open"),
        ]


async def test_a_crash_between_fill_and_stop_is_made_good(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        before.venue.loses = "request"
        await before.orchestrator.send(await write(before))
        before.venue.loses = ""
        await before.venue.submit((await before.store.read(lambda uow: uow.orders.get("O1"))).request)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        await come_back(after)
        assert [view.protected for view in await after.views.positions()] == [True]


async def test_a_stop_that_was_reached_while_nobody_looked_is_taken_in(tmp_path: Path):
    async with engine_room(tmp_path, STOPPED) as before:
        await before.orchestrator.send(await write(before))
    async with engine_room(tmp_path, STOPPED, minutes=DAY + 120) as after:
        await come_back(after)
        closed = (await after.views.trades(1))[0]
        assert closed.closed_by == "stop"
        assert at(DAY) < closed.closed_at < at(DAY + 60)
        assert (await after.venue.balances())["USDT"] == CASH + closed.net
        assert check_conservation(tmp_path / "venue.sqlite") == []


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_exit_in_doubt_is_settled_and_what_is_still_held_is_protected(tmp_path: Path, arrived: bool):  # noqa: FBT001 - a table
    leave = plan(
        key="exit", side=Side.SELL, quantity=Decimal(10), reduce_only=True, position_id="T1", stop=None, target=None
    )
    async with engine_room(tmp_path) as before:
        await before.orchestrator.send(await write(before))
        order = await before.store.transact(lambda uow: intend(uow, leave, before.clock.now(), decision_id="D2"))
        for other in await before.store.read(lambda uow: uow.orders.of_position("T1")):
            if other.request.type is OrderType.OCO:
                await before.venue.cancel(BTC.symbol, other.request.client_id)
        if arrived:
            await before.venue.submit(order.request)
    async with engine_room(tmp_path, minutes=DAY + 1) as after:
        assert await come_back(after) == 1
        found = {(view.purpose, view.status) for view in await after.views.orders(9)}
        if arrived:
            assert await after.held() == ()
            assert (Purpose.EXIT, OrderStatus.FILLED) in found
        else:
            assert [view.protected for view in await after.views.positions()] == [True]
            assert (Purpose.EXIT, OrderStatus.REJECTED) in found
