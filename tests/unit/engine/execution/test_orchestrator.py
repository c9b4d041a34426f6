"""Sending what was written down, against the paper venue with and without its faults."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.errors import NoData, VenueError
from engine.domain.events import OrderChanged, PositionClosed, PositionProtected, ProtectionFailed
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from engine.domain.orders import Ack, Order, OrderRequest, OrderStatus, OrderType, Purpose, Side, Unsent
from engine.domain.plans import TradePlan
from engine.domain.positions import Position
from engine.execution.doubts import LATE_SALE_WITHIN, LATE_WITHIN
from engine.execution.orders import intend
from engine.execution.reconcile import reconcile
from engine.execution.retries import FIRST_PAUSE, LONGEST_PAUSE, failures
from engine.execution.sending import SEND_WITHIN
from tests.fakes.engine import CASH, DAY, QUIET, Room, engine_room, settled
from tests.fakes.feed import BTC, START
from tests.fakes.program import Files
from tests.fakes.reports import plan

FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through the stop at 90."""
THIN = (100, 101, 99, 100, 250)
"""A candle of a market in which not all of ten finds a buyer at once."""


async def buy(room: Room, quantity: str = "10") -> Order:
    """Write an entry down and send it."""
    order = await write(
        room, plan(quantity=Decimal(quantity), price=Decimal(100), stop=Decimal(90), target=Decimal(120))
    )
    await room.orchestrator.send(order)
    return order


async def write(room: Room, wanted: TradePlan) -> Order:
    now = room.clock.now()
    return await room.store.transact(lambda uow: intend(uow, wanted, now, decision_id="D1"))


async def exit_of(room: Room, position: Position) -> Order:
    return await write(
        room,
        plan(
            key=f"exit|{position.id}",
            side=Side.SELL,
            quantity=position.quantity,
            reduce_only=True,
            position_id=position.id,
            stop=None,
            target=None,
        ),
    )


async def test_an_entry_is_filled_and_protected_at_once(room: Room):
    await buy(room)
    assert await room.orders() == [("entry", "filled", Decimal(10)), ("protection", "open", Decimal(10))]
    (held,) = await room.held()
    assert (held.stop, held.target) == (Decimal(90), Decimal(120))
    assert await room.events(PositionProtected) == [PositionProtected(at=room.clock.now(), position_id=held.id)]


async def test_the_database_agrees_with_the_venue_to_the_last_digit(room: Room):
    await buy(room, "7.777")
    balances = await room.venue.balances()
    account = await room.store.read(lambda uow: uow.account.portfolio())
    assert balances == {"USDT": account.free_cash, "BTC": account.positions[0].quantity}


async def test_an_order_is_sent_once_however_often_it_is_asked_for(room: Room):
    order = await write(room, plan(quantity=Decimal(10), stop=Decimal(90), target=Decimal(120)))
    await asyncio.gather(*(room.orchestrator.send(order) for _ in range(4)))
    assert [position.quantity for position in await room.held()] == [Decimal(10)]


async def test_a_stop_that_is_reached_closes_the_position(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (FALL,) + (QUIET,) * 5) as room:
        await buy(room)
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        closed = (await room.views.trades(1))[0]
        assert (closed.is_open, closed.closed_by) == (False, "stop")
        assert await room.orders() == [("entry", "filled", Decimal(10)), ("protection", "filled", Decimal(10))]
        assert (await room.venue.balances())["USDT"] == CASH + closed.net


async def test_what_is_held_can_be_sold_and_its_oco_is_taken_back(room: Room):
    await buy(room)
    await room.orchestrator.send(await exit_of(room, (await room.held())[0]))
    assert await room.held() == ()
    assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
        ("entry", "filled"),
        ("protection", "cancelled"),
        ("exit", "filled"),
    ]
    assert (await room.venue.balances())["BTC"] == 0


async def test_a_sale_that_comes_after_the_stop_is_called_off_and_says_why(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (FALL,) + (QUIET,) * 5) as room:
        await buy(room)
        order = await exit_of(room, (await room.held())[0])
        room.clock.to(DAY + 60)
        await room.orchestrator.send(order)
        view = (await room.views.orders(1))[0]
        assert (view.status, view.reason) == (
            OrderStatus.REJECTED,
            "not sent: the position was closed (stop) meanwhile",
        )
        assert (await room.venue.balances())["BTC"] == 0


async def test_a_sale_that_the_venue_refuses_leaves_the_position_protected(room: Room):
    await buy(room)
    room.venue.refuses = (Purpose.EXIT,)
    await room.orchestrator.send(await exit_of(room, (await room.held())[0]))
    assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
        ("entry", "filled"),
        ("protection", "cancelled"),
        ("exit", "rejected"),
        ("protection", "open"),
    ]


async def test_a_position_that_cannot_be_protected_is_sold_and_people_are_told(room: Room):
    room.venue.refuses = (Purpose.PROTECTION,)
    await buy(room)
    assert await room.held() == ()
    (failed,) = await room.events(ProtectionFailed)
    assert failed.reason == "not today"
    assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
        ("entry", "filled"),
        ("protection", "rejected"),
        ("exit", "filled"),
    ]


async def test_a_venue_that_refuses_everything_is_not_stormed_and_tried_again_later(room: Room):
    room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
    await buy(room)
    assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
        ("entry", "filled"),
        ("protection", "rejected"),
        ("exit", "rejected"),
    ]
    assert len(await room.events(ProtectionFailed)) == 1
    await room.orchestrator.restore_protection()
    assert len(await room.orders()) == 3, "the pause is not over"
    room.clock.at += FIRST_PAUSE
    assert await room.orchestrator.next_look() == room.clock.now()
    await room.orchestrator.look_again()
    assert len(await room.orders()) == 5
    room.venue.refuses = ()
    room.clock.at += 2 * FIRST_PAUSE
    await room.orchestrator.look_again()
    assert [view.protected for view in await room.views.positions()] == [True]


@pytest.mark.slow
async def test_what_is_refused_for_days_is_asked_for_twice_an_hour_and_people_are_told(room: Room):
    """Seen: 10,677 refused orders in 21 hours, and no halt."""
    room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
    await buy(room)
    (held,), begun = await room.held(), room.clock.now()
    while room.clock.now() < begun + timedelta(hours=21):
        room.clock.at = min(await room.orchestrator.next_look(), begun + timedelta(hours=21))
        await room.orchestrator.look_again()
    rejected = [order for order in await room.orders() if order[1] == "rejected"]
    assert len(rejected) <= 2 * (2 * 21 + 8), "an OCO and a sale each time"
    (halt,) = [view.halt for view in (await room.views.status()).halts]
    assert (halt.kind, halt.symbol, halt.until) == (HaltKind.REFUSED, "BTC/USDT", None)
    assert halt.reason == f"{held.id} cannot be protected: the venue refused 4 orders in a row (not today)"
    room.venue.refuses = ()
    room.clock.at += LONGEST_PAUSE
    await room.orchestrator.look_again()
    assert (await room.views.status()).halts == ()


async def test_the_alarm_ends_once_the_position_is_gone(room: Room):
    room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
    await buy(room)
    while not (await room.views.status()).halts:
        room.clock.at = await room.orchestrator.next_look()
        await room.orchestrator.look_again()
    room.venue.refuses = (Purpose.PROTECTION,)
    room.clock.at += LONGEST_PAUSE
    await room.orchestrator.look_again()
    assert await room.held() == ()
    assert (await room.views.status()).halts == ()


async def test_a_sale_of_more_than_is_held_is_never_sent(tmp_path: Path):
    """Two sales of one position were written down; the venue would take both, for it has another position's coins."""
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 30) as room:
        await buy(room)
        await room.orchestrator.send(
            await write(room, plan(key="other", context="other", quantity=Decimal(10), stop=Decimal(90)))
        )
        room.clock.to(DAY + 60)
        first = (await room.held())[0]
        await room.orchestrator.send(await exit_of(room, first))
        again = await write(
            room,
            plan(key="again", side=Side.SELL, quantity=Decimal(10), reduce_only=True, position_id=first.id, stop=None),
        )
        await room.orchestrator.send(again)
        view = await room.store.read(lambda uow: uow.orders.get(again.id))
        assert (view.status, view.reason) == (OrderStatus.REJECTED, "not sent: the position was reduced meanwhile")
        while len(await room.held()) > 1:
            room.clock.at += timedelta(minutes=20)
            await room.orchestrator.sync_venue_events()
        assert [(held.context, held.quantity) for held in await room.held()] == [("other", Decimal(10))]
        assert len(await room.events(PositionClosed)) == 1
        assert Files(folder=tmp_path).complaints() == []


async def test_a_stop_stays_while_there_is_nobody_to_sell_to(room: Room):
    await buy(room)
    order = await exit_of(room, (await room.held())[0])
    room.venue.deaf = NoData("Nobody trades BTC/USDT.")
    await room.orchestrator.send(order)
    assert (await room.orders())[1:] == [("protection", "open", Decimal(10)), ("exit", "rejected", Decimal(10))]
    assert (await room.views.orders(1))[0].reason == "not sent: Nobody trades BTC/USDT."


async def test_a_stop_stays_where_the_venue_would_refuse_the_sale(room: Room):
    """Its refusal counts as one: what cannot be sold again and again people must know."""
    await buy(room)
    order = await exit_of(room, (await room.held())[0])
    room.venue.speaks_against = "trading is suspended"
    await room.orchestrator.send(order)
    assert (await room.orders())[1:] == [("protection", "open", Decimal(10)), ("exit", "rejected", Decimal(10))]
    orders = await room.store.read(lambda uow: uow.orders.of_position("T1"))
    assert [failed.reason for failed in failures(orders, Purpose.EXIT)] == ["trading is suspended"]


async def test_the_rest_of_an_entry_is_taken_back_before_its_position_is_sold(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await buy(room, "12")
        await room.orchestrator.send(await exit_of(room, (await room.held())[0]))
        assert await room.held() == ()
        assert [(purpose, status) for purpose, status, _ in await room.orders()] == [
            ("entry", "cancelled"),
            ("protection", "cancelled"),
            ("exit", "filled"),
        ]


async def test_what_somebody_else_sells_of_a_position_that_is_being_sold_is_taken_off_its_sale(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 30) as room:
        order = await partly_sold(room)
        await room.venue.cancel(BTC.symbol, order.request.client_id)  # frees the coins, as a venue's own page would
        theirs = OrderRequest(
            venue="paper",
            client_id="theirs",
            symbol="BTC/USDT",
            side=Side.SELL,
            type=OrderType.MARKET,
            quantity=Decimal(2),
        )
        room.clock.to(DAY + 100)
        await room.venue.submit(theirs)
        await room.orchestrator.sync_venue_events()
        (held,) = await room.held()
        standing = [
            size for purpose, status, size in await room.orders() if (purpose, status) == ("protection", "open")
        ]
        assert standing == [held.quantity]
        assert Files(folder=tmp_path).complaints() == []


async def test_an_oco_that_never_arrived_is_placed_anew(room: Room):
    room.venue.loses_ocos = True
    await buy(room)
    assert [status for _, status, _ in await room.orders()] == ["filled", "unknown"], "it may be late"
    room.venue.loses_ocos = False
    lost_at = room.clock.now()
    while room.clock.now() < lost_at + LATE_SALE_WITHIN:
        assert [status for _, status, _ in await room.orders()] == ["filled", "unknown"], "both could sell"
        room.clock.at = await room.orchestrator.next_look()
        await room.orchestrator.look_again()
    assert room.clock.now() == lost_at + LATE_SALE_WITHIN
    assert [status for _, status, _ in await room.orders()] == ["filled", "rejected", "open"]


async def test_an_oco_of_which_the_venue_says_that_it_comes_no_more_is_placed_anew_at_once(room: Room):
    room.venue.loses_ocos, room.venue.late_within = True, timedelta(seconds=0.7)
    await buy(room)
    assert [status for _, status, _ in await room.orders()] == ["filled", "unknown"], "it may be late"
    lost_at = room.clock.now()
    room.venue.loses_ocos, room.venue.late_within = False, timedelta(0)
    room.clock.at = await room.orchestrator.next_look()
    await room.orchestrator.look_again()
    assert room.clock.now() == lost_at + timedelta(seconds=0.7)
    assert [status for _, status, _ in await room.orders()] == ["filled", "rejected", "open"]


@pytest.mark.slow
async def test_ocos_that_are_lost_for_days_are_sent_twice_an_hour_and_people_are_told(room: Room):
    """Seen: one every ten seconds, for as long as the line lost them."""
    room.venue.loses_ocos = True
    await buy(room)
    begun = room.clock.now()
    while room.clock.now() < begun + timedelta(hours=21):
        room.clock.at = min(await room.orchestrator.next_look(), begun + timedelta(hours=21))
        await room.orchestrator.look_again()
    assert len(await room.orders()) <= 1 + 2 * 21 + 8
    (halt,) = [view.halt for view in (await room.views.status()).halts]
    assert halt.kind is HaltKind.REFUSED
    assert halt.reason.startswith("T1 cannot be protected: 4 orders in a row were lost or refused (it never reached")
    room.venue.loses_ocos = False
    room.clock.at += LONGEST_PAUSE
    await room.orchestrator.look_again()
    await room.orchestrator.look_again()
    assert [view.protected for view in await room.views.positions()] == [True]
    assert (await room.views.status()).halts == ()


async def test_an_order_whose_answer_was_lost_is_asked_for_at_once(room: Room):
    """What it has bought stands without a stop until it is known."""
    room.venue.loses = "answer"
    await buy(room)
    assert [position.quantity for position in await room.held()] == [Decimal(10)]
    assert [status for _, status, _ in await room.orders()] == ["filled", "open"]
    assert await room.orchestrator.next_look() is None


async def test_a_venue_that_does_not_answer_is_asked_again_soon_and_then_less_and_less_often(room: Room):
    await buy(room)
    for seconds in (0.5, 1, 2, 4, 8, 10, 10):
        room.venue.storm = 1
        with pytest.raises(VenueError):
            await room.orchestrator.look_again()
        assert await room.orchestrator.next_look() == room.clock.now() + timedelta(seconds=seconds)
    await room.orchestrator.look_again()
    room.venue.storm = 1
    with pytest.raises(VenueError):
        await room.orchestrator.sync_venue_events()
    assert await room.orchestrator.next_look() == room.clock.now() + timedelta(seconds=0.5)


async def test_a_venue_that_wants_to_be_left_alone_is_looked_at_again_once_it_does_no_more(room: Room):
    room.venue.storm, room.venue.retry_after = 1, 3.0
    with pytest.raises(VenueError):
        await room.orchestrator.sync_venue_events()
    assert await room.orchestrator.next_look() == room.clock.now() + timedelta(seconds=3)
    room.venue.storm, room.venue.retry_after = 1, 5.0
    await room.orchestrator.look_again()  # no failure: the job's own pause would be longer
    assert await room.orchestrator.next_look() == room.clock.now() + timedelta(seconds=5)


async def test_an_order_that_never_arrived_is_never_sent_again(room: Room):
    room.venue.loses = "request"
    order = await buy(room)
    assert [status for _, status, _ in await room.orders()] == ["unknown"]
    room.venue.loses = ""
    await room.orchestrator.resolve_unknown_orders()
    await room.orchestrator.send(order)
    for seconds in (1, 1, 2, 4, 2):
        assert [status for _, status, _ in await room.orders()] == ["unknown"], "it may be late"
        room.clock.at += timedelta(seconds=seconds)
        assert await room.orchestrator.next_look() == room.clock.now()
        await room.orchestrator.look_again()
    await room.orchestrator.send(order)
    view = (await room.views.orders(1))[0]
    assert view.status is OrderStatus.REJECTED
    assert "never reached the venue" in view.reason
    assert (await room.venue.balances()) == {"USDT": CASH}
    assert [event.status for event in await room.events(OrderChanged)] == ["unknown", "rejected"]


async def test_an_order_that_arrives_after_the_venue_did_not_know_it_is_taken_for_what_it_is(room: Room):
    """A request that was late (fault 3)."""
    room.venue.loses = "request"
    order = await buy(room)
    room.venue.loses = ""
    await room.orchestrator.look_again()
    await room.venue.submit(order.request)
    room.clock.at += LATE_WITHIN
    await room.orchestrator.look_again()
    assert await room.orders() == [("entry", "filled", Decimal(10)), ("protection", "open", Decimal(10))]
    assert len(await room.held()) == 1


@pytest.mark.parametrize("again", ["second look", "start"])
async def test_an_oco_that_arrives_once_its_position_is_closed_is_cancelled(tmp_path: Path, again: str):
    """Its request was on its way while the position was sold: nothing would look after it."""
    balances = {"USDT": CASH, "BTC": Decimal(50)}
    async with engine_room(tmp_path, balances=balances) as room:
        room.venue.loses_ocos = True
        await buy(room)
        room.venue.loses_ocos = False
        (oco,) = [order for order in await room.views.orders(9) if order.purpose is Purpose.PROTECTION]
        (held,) = [position for position in await room.held() if not position.is_external]
        await room.orchestrator.sell(held.id)
        lost = await room.store.read(lambda uow: uow.orders.get(oco.id))
        assert (lost.status, lost.unsent) == (OrderStatus.REJECTED, Unsent.LOST)
        assert isinstance(await room.venue.submit(oco.request), Ack), "it is late"
        assert [order.client_id for order in await room.venue.open_orders()] == [oco.request.client_id]
        if again == "start":
            await reconcile(room.store, room.orchestrator)
        else:
            room.clock.at = await room.orchestrator.next_look()
            await room.orchestrator.look_again()
        assert await room.venue.open_orders() == ()
        await room.orchestrator.look_again()
        told = await room.store.read(lambda uow: uow.orders.get(oco.id))
        assert told.reason == "cancelled: it arrived when it was held to be lost"
        assert (told.status, told.unsent) == (OrderStatus.CANCELLED, Unsent.NO), "as the venue has it"
        assert await room.orchestrator.next_look() is None, "and that is all"


async def test_what_is_on_order_cannot_be_spent_again(room: Room):
    room.venue.loses = "request"
    await buy(room)
    account = await room.store.read(lambda uow: uow.account.portfolio())
    assert (account.free_cash, account.reserved, account.equity) == (CASH - 1000, Decimal(1000), CASH)


async def test_a_thin_book_fills_an_entry_in_parts_and_protection_grows_with_it(tmp_path: Path):
    async with engine_room(tmp_path, (THIN,) * 60) as room:
        await buy(room, "12")
        assert [position.quantity for position in await room.held()] == [Decimal(5)]
        while (await room.held())[0].quantity < 12:
            room.clock.at += timedelta(minutes=20)
            await room.orchestrator.sync_venue_events()
        standing = [
            quantity for purpose, status, quantity in await room.orders() if (purpose, status) == ("protection", "open")
        ]
        assert standing == [Decimal(12)]


async def partly_sold(room: Room) -> Order:
    """Buy while the market is deep, and begin to sell when it has become thin."""
    await buy(room)
    room.clock.to(DAY + 60)
    order = await exit_of(room, (await room.held())[0])
    await room.orchestrator.send(order)
    assert [position.quantity for position in await room.held()] == [Decimal(5)]
    return order


async def test_the_open_rest_of_an_exit_covers_the_position_until_all_of_it_is_sold(tmp_path: Path):
    """At the end of a replay it may stay so: the rest waits for a candle that does not come."""
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 6) as room:
        await partly_sold(room)
        assert [(purpose, status) for purpose, status, _ in await room.orders()][1:] == [
            ("protection", "cancelled"),
            ("exit", "partly_filled"),
        ]
        assert Files(folder=tmp_path).complaints() == []
        room.clock.to(DAY + 180)
        await room.orchestrator.sync_venue_events()
        assert await room.held() == ()
        assert Files(folder=tmp_path).complaints() == []


async def test_what_an_exit_leaves_unsold_when_it_ends_is_protected_at_once(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 6) as room:
        order = await partly_sold(room)
        await room.venue.cancel(BTC.symbol, order.request.client_id)
        await room.orchestrator.sync_venue_events()
        assert (await room.orders())[-2:] == [("exit", "cancelled", Decimal(10)), ("protection", "open", Decimal(5))]
        assert Files(folder=tmp_path).complaints() == []


async def test_the_auditor_sees_a_rest_that_nothing_covers(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 6) as room:
        order = await partly_sold(room)
        room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
        await room.venue.cancel(BTC.symbol, order.request.client_id)
        await room.orchestrator.sync_venue_events()
        assert len(await room.events(ProtectionFailed)) == 1
        assert "T1 of 5.000 has the orders []" in Files(folder=tmp_path).complaints()


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.HALF])
async def test_nothing_is_held_that_is_not_protected_after_an_answer(room: Room, verb: Verb):
    await settled(room.approvals, (await room.ask()).id, Press(person="Ann", verb=verb))
    assert [view.protected for view in await room.views.positions()] == [True]


async def test_an_entry_that_waited_too_long_is_not_sent_and_an_exit_is(room: Room):
    """After a sleep of the machine, or behind a venue that was slow (fault 16)."""
    await buy(room)
    late = await write(room, plan(key="late", quantity=Decimal(1), stop=Decimal(90), target=Decimal(120)))
    leaving = await exit_of(room, (await room.held())[0])
    room.clock.at += SEND_WITHIN + timedelta(seconds=1)
    await room.orchestrator.send(late)
    await room.orchestrator.send(leaving)
    assert await room.held() == ()
    view = await room.store.read(lambda uow: uow.orders.get(late.id))
    assert (view.status, view.reason) == (OrderStatus.REJECTED, "not sent: it is 121 s old")


async def test_an_entry_that_was_paused_before_it_was_sent_is_not_sent(room: Room):
    order = await write(room, plan(quantity=Decimal(1), stop=Decimal(90), target=Decimal(120)))
    await room.desk.pause(Person(name="Tom", role=Role.TRADER), None)
    await room.orchestrator.send(order)
    assert (await room.views.orders(1))[0].reason == "not sent: paused by Tom"
    assert (await room.venue.events(None)).events == ()


async def test_what_lies_unsent_after_a_fault_is_settled_and_its_position_protected(room: Room):
    """The exit was written down and its OCO cancelled; then something failed, and nobody came back to it."""
    await buy(room)
    held = (await room.held())[0]
    await exit_of(room, held)
    oco = (await room.store.read(lambda uow: uow.orders.of_position(held.id)))[1]
    await room.venue.cancel(BTC.symbol, oco.request.client_id)
    await room.orchestrator.look_again()
    assert [view.protected for view in await room.views.positions()] == [False], "it may yet be under way"
    room.clock.at += SEND_WITHIN + timedelta(seconds=1)
    await room.orchestrator.look_again()
    assert [view.protected for view in await room.views.positions()] == [True]


async def test_nothing_reaches_the_venue_that_is_not_on_the_disk(room: Room):
    """Whether or not the venue itself asks for what is held back."""
    held_back: list[bool] = []
    room.venue.on_taken = lambda: held_back.append(room.store.waiting)
    with room.store.group_commit():
        await buy(room)
        await room.store.flush()
    assert held_back == [False, False], "the entry and its oco"


async def test_an_entry_whose_acknowledgement_was_not_written_down_is_taken_back_at_the_venue(tmp_path: Path):
    thin = (100, 101, 99, 100, 250)
    async with engine_room(tmp_path, (thin,) * 60) as room:
        order = await write(room, plan(quantity=Decimal(12), price=Decimal(100), stop=Decimal(90), target=Decimal(120)))
        await room.venue.submit(order.request)
        await room.orchestrator.cancel_order(order, "by a test")
        assert (await room.venue.find(BTC.symbol, order.request.client_id)).status is OrderStatus.CANCELLED
        assert [position.quantity for position in await room.held()] == [Decimal(5)]
        assert await room.orders() == [("entry", "cancelled", Decimal(12)), ("protection", "open", Decimal(5))]


async def test_a_venue_is_at_rest_from_when_all_is_protected_until_an_order_meets_the_market(tmp_path: Path):
    async with engine_room(tmp_path, [*[QUIET] * 26, FALL, QUIET]) as room:
        assert await room.orchestrator.is_at_rest("paper")
        await write(room, plan(quantity=Decimal(10), price=Decimal(100), stop=Decimal(90), target=Decimal(120)))
        assert not await room.orchestrator.is_at_rest("paper")
        await room.orchestrator.send((await room.views.orders(1))[0])
        assert await room.orchestrator.is_at_rest("paper")
        falls_at = START + timedelta(minutes=DAY + 140)  # the second of three legs leads from 100 to 80
        assert room.venue.still_until(START + timedelta(minutes=DAY + 120)) == START + timedelta(minutes=DAY + 120)
        assert room.venue.still_until(START + timedelta(minutes=DAY + 180)) == falls_at + timedelta(minutes=10)
        room.clock.to(DAY + 180)
        assert not await room.orchestrator.is_at_rest("paper")
        await room.orchestrator.sync_venue_events()
        assert await room.orchestrator.is_at_rest("paper")
