"""Each invariant of the watch finds what it is for, and nothing where all is well."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.orders import OrderRequest, OrderType
from engine.execution.orders import intend_sale
from tests.chaos import watch
from tests.chaos.positions import Positions
from tests.chaos.watch import AT_EACH_STEP, FAILED_AN_HOUR, UNPROTECTED_FOR, Watch
from tests.fakes.database import new_file
from tests.fakes.engine import Room, engine_room
from tests.fakes.feed import BTC

HALF = Decimal(2)


def sound() -> Positions:
    """T1 was bought, sold, bought again and is being sold; T2 of the same coin is closed."""
    found = Positions(sqlite3.connect(":memory:"), Path("none"), {})
    found.rows = {
        "T1": {"symbol": "BTC/USDT", "status": "open", "quantity": "4", "stop": "90"},
        "T2": {"symbol": "BTC/USDT", "status": "closed", "quantity": "0", "stop": "90"},
    }
    found.changes.update(T1=[Decimal(n) for n in (3, -3, 6, -2)], T2=[Decimal(5), Decimal(-5)])
    found.closings.update(T1=1, T2=1)
    found.held.update(T1=Decimal(4), T2=Decimal(0))
    found.selling.update(T1=Decimal(4))
    found.balances, found.level = {"BTC": Decimal(4), "USDT": Decimal(1000)}, True
    found.orders = {str(minute): rejected(minute) for minute in range(FAILED_AN_HOUR)}
    return found


def rejected(minute: int) -> dict[str, Any]:
    return {"position_id": "T1", "status": "rejected", "created_at": f"2026-01-10T12:{minute:02}:00.000000+00:00"}


WRONG: dict[Callable[[Positions], watch.Found], Callable[[Positions], object]] = {
    watch.nothing_is_owed: lambda at: at.rows["T1"].update(quantity="-1"),
    watch.fills_make_the_position: lambda at: at.changes["T2"].append(-HALF),
    watch.sells_its_own_only: lambda at: at.held.update(T2=-HALF),
    watch.is_sold_once: lambda at: at.selling.update(T1=Decimal(4) + HALF),
    watch.coins_are_there: lambda at: at.balances.update(BTC=HALF),
    watch.is_closed_once: lambda at: at.closings.update(T2=1),
    watch.failures_are_few: lambda at: at.orders.update(one_more=rejected(59)),
}


def test_nothing_is_found_where_all_is_well() -> None:
    assert [found for holds in AT_EACH_STEP for found in holds(sound())] == []


@pytest.mark.parametrize("holds", AT_EACH_STEP, ids=lambda holds: holds.__name__)
def test_what_does_not_hold_is_found(holds: Callable[[Positions], watch.Found]) -> None:
    at = sound()
    WRONG[holds](at)
    assert list(holds(at))


def watch_over(folder: Path, room: Room) -> tuple[Watch, list[str]]:
    """A watch over the files of a room, and what it complains of."""
    found: list[str] = []
    positions = Positions(
        sqlite3.connect(new_file(folder), isolation_level=None), folder / "venue.sqlite", {BTC.symbol: BTC.lot}
    )
    return Watch(positions, complain=found.append, now=room.clock.now, is_calm=lambda: True), found


async def oco_of(room: Room) -> OrderRequest:
    """What is held, and the stop and target that the venue has for it."""
    await room.enter()
    (held,) = await room.held()
    orders = await room.store.read(lambda uow: uow.orders.of_position(held.id))
    return next(order.request for order in orders if order.request.type is OrderType.OCO)


async def test_a_sale_beside_a_stop_for_the_same_coins_is_found_before_it_is_sent(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        over, found = watch_over(tmp_path, room)
        oco = await oco_of(room)
        over.before_sending(oco)  # sent again: the venue knows it
        assert found == []
        (held,) = await room.held()
        sale = await room.store.transact(lambda uow: intend_sale(uow, held.id, BTC.lot, room.clock.now()))
        assert sale
        over.before_sending(sale.request)
        assert [text.partition(" was sent")[0] for text in found] == ["O3"]


async def test_a_position_that_loses_its_stop_is_found_unless_it_is_covered_in_time(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        over, found = watch_over(tmp_path, room)
        oco = await oco_of(room)
        await room.venue.cancel(BTC.symbol, oco.client_id)
        over.look()
        room.clock.at += UNPROTECTED_FOR + timedelta(minutes=1)
        await room.store.transact(lambda uow: uow.settings.set("anything", "new"))
        over.look()
        assert len(found) == 1
        assert "nobody was told" in found[0]


async def test_a_stop_that_is_placed_anew_in_time_is_no_complaint(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        over, found = watch_over(tmp_path, room)
        oco = await oco_of(room)
        await room.venue.cancel(BTC.symbol, oco.client_id)
        over.look()
        await room.orchestrator.sync_venue_events()
        over.look()
        room.clock.at += UNPROTECTED_FOR + timedelta(minutes=1)
        await room.store.transact(lambda uow: uow.settings.set("anything", "new"))
        over.look()
        assert found == []
