"""What is open at a venue and how it is: the books beside what it says when it is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from engine.domain.errors import VenueError
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderRequest, OrderType, Purpose, Side
from engine.domain.plans import Entry
from engine.store.halting import begin_halt
from tests.fakes.engine import Room, engine_room

ENTRY = Entry(offset=Decimal("0.01"))


async def waiting(room: Room) -> None:
    """An entry that waits at its limit."""
    room.context = replace(room.context, entry=ENTRY)
    await room.enter()


async def test_what_is_open_is_told_with_what_somebody_else_has_there(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        theirs = OrderRequest(
            client_id="by-hand",
            venue="paper",
            symbol="BTC/USDT",
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            limit_price=Decimal(50),
        )
        await room.venue.submit(theirs)
        (found,) = await room.venue_reports.orders()
        assert [order.id for order in found.own] == ["O1"]
        assert [state.client_id for state in found.others] == ["by-hand"]
        assert (found.missing, found.trouble) == (frozenset(), "")


async def test_an_order_that_the_venue_does_not_list_is_told_as_missing(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        (order,) = (await room.venue_reports.orders())[0].own
        await room.venue.cancel(order.request.symbol, order.request.client_id)
        (found,) = await room.venue_reports.orders()
        assert found.missing == {"O1"}


async def test_a_venue_that_does_not_answer_is_told_of_from_the_books(tmp_path: Path) -> None:
    class Silent:
        name = "paper"

        async def open_orders(self) -> tuple[()]:
            raise VenueError("The venue answers 503.")

    async with engine_room(tmp_path) as room:
        await waiting(room)
        reports = replace(room.venue_reports, exchanges={"paper": Silent()})
        (view,) = await reports.venues()
        assert view.orders.trouble == "The venue answers 503."
        assert [order.id for order in view.orders.own] == ["O1"]
        assert view.last_at is not None


async def test_why_nothing_is_entered_is_told_once(tmp_path: Path) -> None:
    async with engine_room(tmp_path, no_entry=lambda _: "the clock is wrong") as room:
        halt = Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=room.clock.now())
        await room.store.transact(lambda uow: begin_halt(uow, halt))
        (view,) = await room.venue_reports.venues()
        assert view.obstacles == ("paused by Ann", "the clock is wrong")
        assert view.last_at is None


async def test_an_order_is_told_with_its_fills_and_what_protects_what_it_bought(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await room.enter()
        view = await room.venue_reports.order("O1")
        assert view.order.purpose is Purpose.ENTRY
        assert sum(each.fill.quantity for each in view.fills) == view.order.filled > 0
        assert view.stop is not None
        assert view.venue_order_id
