"""Entries at a limit: what waits, fills, gives up, goes to market, is cancelled and survives a crash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.errors import VenueError
from engine.domain.events import OrderChanged
from engine.domain.messages import Person, Role
from engine.domain.orders import OrderStatus, OrderType
from engine.domain.plans import Entry, Then
from engine.execution.reconcile import agree
from tests.fakes.engine import CASH, DAY, QUIET, Room, engine_room, settled
from tests.fakes.program import Files

ADA = Person(name="Ada", role=Role.TRADER)
DIP = (100, 100.5, 97, 100, 10_000)
"""A candle that goes down to 97 and comes back."""
RISE = (100, 104, 100, 104, 10_000)
ENTRY = Entry(offset=Decimal("0.01"), patience=timedelta(minutes=90))
LIMIT = Decimal("98.98")
"""One per cent below the bid, on the tick."""


def room_with(folder: Path, candle=QUIET, entry: Entry = ENTRY, minutes: float = DAY):
    """A room whose context buys at a limit; the candle after the first decision is given."""
    return engine_room(folder, (*(QUIET,) * 24, candle, *(QUIET,) * 30), minutes=minutes)


async def enter(room: Room, entry: Entry = ENTRY) -> None:
    room.context = replace(room.context, entry=entry)
    await room.enter()


async def on_time(room: Room, minutes: float) -> None:
    """Let market time pass; patience ends when it does, as the job sees to it."""
    room.clock.to(minutes)
    await room.orchestrator.sync_venue_events()
    ends = await room.orchestrator.patience_ends()
    if ends is not None and ends <= room.clock.now():
        await room.orchestrator.end_patience()


async def agreed(room: Room, folder: Path) -> None:
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert Files(folder=folder).complaints() == []


async def test_it_waits_below_the_bid_with_its_cash_set_aside_and_is_protected_once_filled(tmp_path: Path):
    async with room_with(tmp_path, DIP) as room:
        await enter(room)
        (order,) = await room.views.orders(9)
        assert (order.request.type, order.request.limit_price) == (OrderType.LIMIT, LIMIT)
        assert (order.status, order.wait_until) == (OrderStatus.OPEN, room.clock.now() + ENTRY.patience)
        portfolio = await room.store.read(lambda uow: uow.account.portfolio())
        assert portfolio.free_cash == CASH - order.request.quantity * LIMIT
        assert portfolio.equity == CASH
        await on_time(room, DAY + 60)
        (held,) = await room.held()
        assert held.entry_price == LIMIT
        assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
            ("entry", "filled"),
            ("protection", "open"),
        ]
        await agreed(room, tmp_path)


async def test_after_its_patience_it_is_given_up_and_its_cash_is_free(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await enter(room)
        await on_time(room, DAY + 89)
        assert [status for _, status, _ in await room.orders()] == ["open"]
        await on_time(room, DAY + 90)
        (order,) = await room.views.orders(9)
        assert (order.status, order.reason) == (OrderStatus.CANCELLED, "cancelled: it has waited long enough")
        assert (await room.store.read(lambda uow: uow.account.portfolio())).free_cash == CASH
        assert await room.orchestrator.patience_ends() is None
        await agreed(room, tmp_path)


@pytest.mark.parametrize(("chase", "bought"), [("0.02", True), ("0.005", False)])
async def test_after_its_patience_the_rest_is_bought_at_market_unless_the_price_has_run_away(
    tmp_path: Path, chase: str, *, bought: bool
):
    async with room_with(tmp_path) as room:
        await enter(room, replace(ENTRY, then=Then.MARKET, chase=Decimal(chase)))
        await on_time(room, DAY + 90)
        orders = list(reversed(await room.views.orders(9)))
        assert len(await room.held()) == bought
        if bought:
            waited, instead, _ = orders
            assert (waited.status, instead.status) == (OrderStatus.CANCELLED, OrderStatus.FILLED)
            assert instead.request.parent_id == waited.request.client_id
            assert (instead.decision_id, instead.request.quantity) == (waited.decision_id, waited.request.quantity)
        else:
            assert [order.status for order in orders] == [OrderStatus.CANCELLED]
            assert orders[0].reason == "cancelled: it has waited long enough, and the price has run away"
            assert await room.orchestrator.patience_ends() is None, "it is not asked for again and again"
        await on_time(room, DAY + 91)
        assert len(await room.views.orders(9)) == len(orders), "once"
        await agreed(room, tmp_path)


async def test_a_pause_takes_back_what_waits(tmp_path: Path):
    async with room_with(tmp_path, DIP) as room:
        await enter(room)
        await room.desk.pause(ADA, room.clock.now() + timedelta(hours=5))
        await on_time(room, DAY + 1)
        (order,) = await room.views.orders(9)
        assert (order.status, order.reason) == (OrderStatus.CANCELLED, "cancelled: entries are halted")
        await on_time(room, DAY + 60)
        assert await room.held() == ()
        await agreed(room, tmp_path)


async def crash_between_cancel_and_purchase(folder: Path) -> None:
    """Leave an entry that was cancelled for its patience, and whose rest nobody has bought."""
    async with room_with(folder) as room:
        await enter(room, replace(ENTRY, then=Then.MARKET, chase=Decimal("0.02")))
        room.clock.to(DAY + 90)
        (order,) = await room.views.orders(9)
        now = room.clock.now()
        await room.store.transact(lambda uow: uow.orders.request_cancel(order.id, "cancelled", now))
        await room.venue.cancel(order.request.symbol, order.request.client_id)
        await room.orchestrator.sync_venue_events()


async def test_a_crash_between_the_cancel_and_the_purchase_buys_the_rest_once(tmp_path: Path):
    await crash_between_cancel_and_purchase(tmp_path)
    async with room_with(tmp_path, minutes=DAY + 91) as room:
        await on_time(room, DAY + 91)
        await on_time(room, DAY + 91)
        assert [(p, s) for p, s, _ in await room.orders()] == [
            ("entry", "cancelled"),
            ("entry", "filled"),
            ("protection", "open"),
        ]
        await agreed(room, tmp_path)


async def test_who_comes_back_too_late_to_buy_the_rest_says_so_once_whether_the_venue_answers_or_not(tmp_path: Path):
    await crash_between_cancel_and_purchase(tmp_path)
    async with room_with(tmp_path, minutes=DAY + 95) as room:
        room.clock.to(DAY + 95)
        room.venue.storm = 1
        with suppress(VenueError):
            await room.orchestrator.end_patience()
        (order,) = await room.views.orders(9)
        assert order.reason == "cancelled, and it was too late to buy the rest"
        assert [each.reason for each in await room.events(OrderChanged)][-1] == order.reason
        assert await room.orchestrator.patience_ends() is None
        await agreed(room, tmp_path)


async def test_what_people_approve_waits_at_its_limit_too(tmp_path: Path):
    async with room_with(tmp_path, DIP) as room:
        room.context = replace(room.context, entry=ENTRY)
        await room.enter(0.6)
        (view,) = await room.views.pending()
        await settled(room.approvals, view.approval.id, Press(person="Ada", verb=Verb.APPROVE))
        (order,) = await room.views.orders(9)
        assert (order.status, order.request.limit_price) == (OrderStatus.OPEN, LIMIT)
        await on_time(room, DAY + 60)
        (held,) = await room.held()
        assert held.entry_price == LIMIT
        await agreed(room, tmp_path)


async def test_one_that_would_be_filled_at_once_is_refused_where_it_must_not_be(tmp_path: Path):
    async with room_with(tmp_path) as room:
        await enter(room, Entry(offset=Decimal(0), post_only=True))
        (order,) = await room.views.orders(9)
        assert order.status is OrderStatus.OPEN, "at the best bid nobody sells"
