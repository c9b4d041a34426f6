"""Closing by hand, against the paper venue with and without its faults: asked, pressed, sold once, said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.closing import ALL, Choice, ClosingView, Stage, Wanted
from engine.domain.errors import BadInput, NoData, NotAllowed, UnknownId
from engine.domain.messages import Destination, Person, Ref, Role
from engine.domain.orders import Order, OrderRequest, OrderStatus, OrderType, Purpose, Side
from engine.domain.positions import Position
from engine.execution.external import CONTEXT
from engine.execution.orders import intend
from engine.execution.reconcile import agree, reconcile
from engine.flow.closings import GOOD_FOR, Closings
from tests.auditor import check_conservation
from tests.fakes.engine import DAY, QUIET, Room, engine_room
from tests.fakes.program import Files
from tests.fakes.reports import plan

ANN, BOB = "Ann", "Bob"
CLOSE, KEEP = Choice.CLOSE, Choice.KEEP
FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through the stop at 90."""
THIN = (100, 101, 99, 100, 250)
"""A candle of a market in which not all of ten finds a buyer at once."""


async def buy(room: Room, quantity: str = "10", **changes: object) -> Position:
    """A position with its stop and target."""
    levels = {"price": Decimal(100), "stop": Decimal(90), "target": Decimal(120)}
    wanted = plan(quantity=Decimal(quantity), **{**levels, **changes})
    now = room.clock.now()
    await room.orchestrator.send(await room.store.transact(lambda uow: intend(uow, wanted, now, decision_id="D1")))
    return (await room.held())[-1]


def desk(room: Room) -> Closings:
    return room.desk.closings


async def ask(room: Room, what: str = "T1", share: str = "1", person: str = ANN) -> ClosingView:
    return await desk(room).ask(person, Wanted(what=what, share=Decimal(share)))


async def press(room: Room, view: ClosingView, person: str = ANN, choice: Choice = CLOSE) -> ClosingView:
    """Press, and look once what comes of it has reached the venue."""
    await desk(room).press(view.closing.id, person, choice)
    await desk(room).finished()
    return await desk(room).view_for(view.closing.id, person)


def quantities(view: ClosingView) -> list[Decimal]:
    return [sale.quantity for sale in view.closing.sales]


def reasons(view: ClosingView) -> list[str]:
    return [each.reason for each in view.closing.unsold]


async def sales(room: Room) -> list[tuple[str, Decimal, str]]:
    views = await room.views.orders(99)
    return [
        (each.status.value, each.request.quantity, each.asked_by) for each in views if each.purpose is Purpose.EXIT
    ][::-1]


async def must_agree(room: Room, folder: Path) -> None:
    """What the venue has is what the books have, and whatever is held has its stop."""
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert check_conservation(folder / "venue.sqlite") == []
    assert [view.position.id for view in await room.views.positions() if not view.protected] == []


async def test_nothing_is_sold_before_the_press_and_all_of_it_after(room: Room, tmp_path: Path):
    await buy(room)
    asked = await ask(room)
    assert (quantities(asked), asked.closing.stage) == ([Decimal(10)], Stage.ASKED)
    assert [held.quantity for held in await room.held()] == [Decimal(10)]
    done = await press(room, asked)
    assert done.closing.stage is Stage.CONFIRMED
    assert await room.held() == ()
    (closed,) = await room.views.trades(1)
    assert (closed.closed_by, closed.closed_by_person) == ("close", ANN)
    assert await sales(room) == [("filled", Decimal(10), ANN)]
    assert done.positions["T1"] == closed
    await must_agree(room, tmp_path)


async def test_a_part_leaves_the_rest_with_stop_and_target_anew(room: Room, tmp_path: Path):
    await buy(room)
    done = await press(room, await ask(room, "BTC", "0.25"))
    (held,) = await room.held()
    assert (held.quantity, held.stop, held.target) == (Decimal("7.5"), Decimal(90), Decimal(120))
    assert (await room.orders())[-1] == ("protection", "open", Decimal("7.5"))
    assert done.protected == {"T1"}
    await must_agree(room, tmp_path)


async def test_while_a_part_waits_for_a_buyer_the_rest_has_its_stop(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 60) as room:
        held = await buy(room)
        room.clock.to(DAY + 65)
        done = await press(room, await ask(room, "T1", "0.75"))
        assert done.orders["T1"].status is OrderStatus.PARTLY_FILLED, "it is more than there are buyers for now"
        standing = [view for view in await room.views.orders(99) if view.request.type is OrderType.OCO]
        free = [view.request.quantity for view in standing if view.status.at_venue]
        assert free == [held.quantity - done.orders["T1"].request.quantity]
        assert Decimal(0) < done.orders["T1"].filled < done.orders["T1"].request.quantity
        assert Files(folder=tmp_path).complaints() == []
        room.clock.to(DAY + 60 * 20)
        await room.orchestrator.sync_venue_events()
        assert [each.quantity for each in await room.held()] == free
        await must_agree(room, tmp_path)


async def test_a_second_press_does_nothing_and_says_what_became_of_it(room: Room):
    await buy(room)
    asked = await ask(room, share="0.5")
    first = await press(room, asked)
    assert (await press(room, asked)).orders == first.orders
    assert await sales(room) == [("filled", Decimal(5), ANN)]


async def test_of_many_presses_at_once_one_counts(room: Room, tmp_path: Path):
    await buy(room)
    asked = await ask(room, share="0.5")
    both = await ask(room, share="0.5", person=BOB)
    presses = [press(room, view, view.closing.person) for view in (asked, both) * 5]
    await asyncio.gather(*presses, *(press(room, asked, choice=KEEP) for _ in range(2)))
    sold = [quantity for status, quantity, _ in await sales(room) if status == "filled"]
    assert sold == [Decimal(5)] * len({who for _, _, who in await sales(room)})
    await must_agree(room, tmp_path)


async def test_half_of_it_is_never_all_of_it_because_somebody_else_was_first(room: Room, tmp_path: Path):
    await buy(room)
    asked, first = await ask(room, share="0.5"), await ask(room, share="0.5", person=BOB)
    await press(room, first, BOB)
    done = await press(room, asked)
    assert reasons(done) == ["only 5 BTC of it can be sold now, so that would be all: /close T1 asks again"]
    assert (done.closing.stage, done.orders) == (Stage.CONFIRMED, {})
    assert [held.quantity for held in await room.held()] == [Decimal(5)]
    await must_agree(room, tmp_path)


async def test_a_question_names_what_its_sale_then_makes(room: Room):
    """Of each part what that part makes, together what the trade has made in the end."""
    await buy(room)
    named = [(await ask(room, share="0.4")).closing.sales[0]]
    await press(room, await ask(room, share="0.4"))
    named.append((await ask(room)).closing.sales[0])
    done = await press(room, await ask(room))
    made = [
        done.positions["T1"].made_by(order.filled, order.average or Decimal(0), order.fee)
        for order in await sold_of(room)
    ]
    assert sum(made) == pytest.approx(done.positions["T1"].net, abs=Decimal("1e-6"))
    for sale, came_to in zip(named, made, strict=True):
        assert sale.net == pytest.approx(came_to, abs=abs(came_to) / 10)


async def sold_of(room: Room) -> list[Order]:
    return [view for view in await room.views.orders(99) if view.purpose is Purpose.EXIT][::-1]


async def test_two_people_who_close_all_of_it_sell_it_once(room: Room, tmp_path: Path):
    await buy(room)
    mine, theirs = await ask(room), await ask(room, person=BOB)
    one, other = await asyncio.gather(press(room, mine), press(room, theirs, BOB))
    assert await room.held() == ()
    assert [(status, quantity) for status, quantity, _ in await sales(room)] == [("filled", Decimal(10))]
    (left,) = [found for found in (one, other) if not found.orders]
    assert reasons(left)[0] in ("it was closed meanwhile", "all of it is being sold already")
    await must_agree(room, tmp_path)


async def test_a_press_is_its_persons_alone(room: Room):
    await buy(room)
    asked = await ask(room)
    for choice in Choice:
        with pytest.raises(NotAllowed, match="Ann asked for that, and only Ann can answer it: nothing was done"):
            await press(room, asked, BOB, choice)
    assert len(await room.held()) == 1
    assert (await press(room, asked)).closing.stage is Stage.CONFIRMED


async def test_a_press_that_comes_too_late_sells_nothing(room: Room):
    await buy(room)
    asked = await ask(room)
    assert desk(room).open_ids == (asked.closing.id,)
    room.clock.at += GOOD_FOR
    assert desk(room).open_ids == ()
    late = await press(room, asked)
    assert (late.closing.stage, late.closing.is_open(late.now)) == (Stage.ASKED, False)
    assert len(await room.held()) == 1


async def test_whose_time_is_up_is_shown_so_wherever_it_is_shown(room: Room):
    await buy(room)
    asked, at = await ask(room), Destination(platform="telegram", address="7")
    topic = f"closing:{asked.closing.id}"
    await room.store.transact(lambda uow: uow.outbox.answered(topic, at, Ref(messages=("3",))))
    assert await desk(room).next_deadline() == asked.closing.expires_at
    await desk(room).expire()
    assert (await desk(room).view(asked.closing.id)).closing.stage is Stage.ASKED
    room.clock.at += GOOD_FOR
    await desk(room).expire()
    assert (await desk(room).view(asked.closing.id)).closing.stage is Stage.EXPIRED
    assert [each.topic for each in await room.store.read(lambda uow: uow.outbox.due())] == [topic]
    assert await desk(room).next_deadline() is None
    assert (await press(room, asked)).closing.stage is Stage.EXPIRED
    assert len(await room.held()) == 1


async def test_a_sale_that_fills_later_is_shown_wherever_it_is_shown(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 60) as room:
        await buy(room)
        room.clock.to(DAY + 65)
        asked, at = await ask(room, "T1", "0.75"), Destination(platform="telegram", address="7")
        topic = f"closing:{asked.closing.id}"
        await room.store.transact(lambda uow: uow.answered(topic, at, Ref(messages=("3",))))

        async def shown() -> list[str]:
            """What was to be drawn anew, drawn."""
            due = [each for each in await room.store.read(lambda uow: uow.outbox.due()) if each.topic == topic]
            for each in due:
                await room.store.transact(lambda uow, each=each: uow.outbox.sent(each, each.ref))
            return [(await desk(room).view(asked.closing.id)).orders["T1"].status.value for _ in due]

        await press(room, asked)
        assert await shown() == ["partly_filled"]
        assert await shown() == []
        room.clock.to(DAY + 60 * 20)
        await room.orchestrator.sync_venue_events()
        assert await shown() == ["filled"]
        room.clock.at += timedelta(days=1)
        await press(room, await ask(room, "T1"))
        assert await room.held() == ()
        assert await shown() == ["filled"], "the card says what became of the rest too"


async def test_what_waits_when_the_program_stops_runs_out_of_time_in_the_next_run(room: Room):
    await buy(room)
    asked, kept = await ask(room), await ask(room)
    await press(room, kept, choice=KEEP)
    after = Closings(
        store=room.store, market_data=room.services.market_data, orchestrator=room.orchestrator, clock=room.clock
    )
    assert await after.next_deadline() == asked.closing.expires_at
    assert after.open_ids == (asked.closing.id,)
    room.clock.at += GOOD_FOR
    await after.expire()
    assert (await after.view(asked.closing.id)).closing.stage is Stage.EXPIRED
    assert (await after.view(kept.closing.id)).closing.stage is Stage.KEPT


async def test_what_was_let_be_cannot_be_closed_by_a_later_press(room: Room):
    await buy(room)
    asked = await ask(room)
    assert (await press(room, asked, choice=KEEP)).closing.stage is Stage.KEPT
    assert (await press(room, asked)).closing.stage is Stage.KEPT
    assert len(await room.held()) == 1


@pytest.mark.parametrize("forged", ["C1", "C99", "C", "", "A1", "C1;drop", "C-1", "C\u0663", "c1", "C01"])
async def test_a_press_on_what_nobody_asked_for_is_refused(room: Room, forged: str):
    await buy(room)
    with pytest.raises(UnknownId, match="no longer good: it sells nothing"):
        await desk(room).press(forged, ANN, CLOSE)


async def test_it_can_be_pressed_after_a_restart(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await buy(room)
        asked = await ask(room)
    async with engine_room(tmp_path) as room:
        assert (await press(room, asked)).positions["T1"].closed_by == "close"


@pytest.mark.parametrize("what", ["T1", "BTC/USDT", "BTCUSDT", "BTC", ALL])
async def test_it_is_called_by_its_trade_its_market_or_its_coin(room: Room, what: str):
    await buy(room)
    assert [sale.position_id for sale in (await ask(room, what)).closing.sales] == ["T1"]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("", r"Nothing was named\. Held: T1 BTC/USDT\."),
        ("ETH/USDT", r"Nothing is held of ETH/USDT\. Held: T1 BTC/USDT\."),
        ("T7", r"There is no trade T7\. Held: T1 BTC/USDT\."),
    ],
)
async def test_what_is_not_held_is_answered_with_what_is(room: Room, what: str, says: str):
    await buy(room)
    with pytest.raises(BadInput, match=says):
        await ask(room, what)


async def test_where_nothing_is_held_that_is_said(room: Room):
    await buy(room)
    await press(room, await ask(room))
    with pytest.raises(BadInput, match=r"T1 BTC/USDT is closed already\. Nothing is held\."):
        await ask(room, "T1")


@pytest.mark.parametrize("what", ["", ALL, "ETH/USDT"])
async def test_where_nothing_at_all_is_held_that_is_said_once(room: Room, what: str):
    with pytest.raises(BadInput) as refused:
        await ask(room, what)
    assert str(refused.value).strip() == "Nothing is held."


async def theirs(room: Room) -> None:
    """Somebody else buys 3 BTC on the account."""
    await room.venue.submit(
        OrderRequest(
            venue="paper",
            client_id="by-hand",
            symbol="BTC/USDT",
            side=Side.BUY,
            type=OrderType.MARKET,
            quantity=Decimal(3),
        )
    )
    await room.orchestrator.sync_venue_events()


async def test_what_somebody_else_bought_is_closed_by_its_name_and_not_with_all(room: Room):
    await buy(room)
    await theirs(room)
    assert [held.context == CONTEXT for held in await room.held()] == [False, True]
    assert [sale.position_id for sale in (await ask(room, ALL)).closing.sales] == ["T1"]
    assert [sale.external for sale in (await ask(room, "BTC")).closing.sales] == [False, True]
    await press(room, await ask(room, "T2"))
    assert [held.id for held in await room.held()] == ["T1"]
    assert [view.protected for view in await room.views.positions()] == [True]


async def test_all_is_nothing_where_only_somebody_else_bought(room: Room):
    await theirs(room)
    with pytest.raises(BadInput, match=r"The bot itself holds nothing\. Held: T1 BTC/USDT\."):
        await ask(room, ALL)


async def test_a_pause_does_not_stop_it(room: Room):
    await buy(room)
    await room.desk.pause(Person(name=BOB, role=Role.TRADER), None)
    await press(room, await ask(room))
    assert await room.held() == ()


async def test_what_the_emergency_stop_sells_is_left_to_it(room: Room):
    await buy(room)
    asked = await ask(room)
    await room.desk.emergency.call("Ada")
    assert reasons(await ask(room)) == ["the emergency stop is selling it"]
    assert reasons(await press(room, asked)) == ["the emergency stop is selling it"]
    assert await sales(room) == []


async def test_what_its_stop_has_closed_meanwhile_is_said_and_not_sold(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (FALL,) + (QUIET,) * 5) as room:
        await buy(room)
        room.clock.to(DAY + 59)
        asked = await ask(room)
        room.clock.at = asked.closing.expires_at - timedelta.resolution
        await room.orchestrator.sync_venue_events()
        done = await press(room, asked)
        assert (reasons(done), done.positions["T1"].closed_by) == (["it was closed meanwhile"], "stop")
        assert await sales(room) == []


async def test_without_a_price_nothing_is_offered_and_nothing_is_sold(room: Room, tmp_path: Path):
    await buy(room)
    asked = await ask(room)
    room.venue.deaf = NoData("Nobody trades BTC/USDT.")
    assert reasons(await ask(room)) == ["BTC/USDT has no price now: Nobody trades BTC/USDT"]
    with pytest.raises(NoData, match=r"Nothing was sold: BTC/USDT has no price now.*Stops stay where they are"):
        await press(room, asked)
    room.venue.deaf = None
    await must_agree(room, tmp_path)
    assert (await press(room, asked)).closing.stage is Stage.CONFIRMED, "it could be pressed again"


async def test_a_venue_that_refuses_is_said_and_asked_once(room: Room, tmp_path: Path):
    await buy(room)
    room.venue.refuses = (Purpose.EXIT,)
    done = await press(room, await ask(room, share="0.5"))
    assert (done.orders["T1"].status, done.orders["T1"].reason) == (OrderStatus.REJECTED, "not today")
    assert done.protected == {"T1"}
    for minutes in range(1, 20):
        room.clock.to(DAY + minutes)
        await room.orchestrator.look_again()
    assert await sales(room) == [("rejected", Decimal(5), ANN)], "nobody storms"
    await must_agree(room, tmp_path)


async def test_a_storm_of_503_leaves_the_stop_or_brings_it_back(room: Room, tmp_path: Path):
    await buy(room)
    for storm in range(1, 7):
        room.venue.storm = storm
        done = await press(room, await ask(room, share="0.1"))
        assert done.closing.stage is Stage.CONFIRMED
        room.venue.storm = 0
        room.clock.at += timedelta(minutes=3)
        await room.orchestrator.look_again()
        await must_agree(room, tmp_path)


@pytest.mark.parametrize("loses", ["request", "answer"])
async def test_where_the_answer_is_lost_it_is_asked_for_and_nothing_is_sent_twice(
    room: Room, tmp_path: Path, loses: str
):
    await buy(room)
    asked = await ask(room, share="0.5")
    room.venue.loses = loses
    done = await press(room, asked)
    room.venue.loses = ""
    room.clock.at += timedelta(minutes=1)
    await room.orchestrator.look_again()
    sold = {"request": Decimal(10), "answer": Decimal(5)}[loses]
    assert [held.quantity for held in await room.held()] == [sold]
    assert len(await sales(room)) == 1
    assert done.orders["T1"].id == (await desk(room).view_for(asked.closing.id, ANN)).orders["T1"].id
    await must_agree(room, tmp_path)


def hurried(room: Room) -> Closings:
    """The desk of people who wait for nothing."""
    return Closings(
        store=room.store,
        market_data=room.services.market_data,
        orchestrator=room.orchestrator,
        clock=room.clock,
        patience=0.05,
    )


async def test_a_press_is_answered_while_the_venue_hangs_and_the_sale_goes_on(room: Room):
    await buy(room)
    asked, impatient = await ask(room), hurried(room)
    room.venue.hangs = "submit"
    done = await impatient.press(asked.closing.id, ANN, CLOSE)
    assert done.orders["T1"].status in (OrderStatus.INTENT, OrderStatus.SENT)
    assert impatient.busy
    room.venue.answers.set()
    await impatient.finished()
    assert await room.held() == ()


async def test_a_venue_that_does_not_say_its_price_has_none(room: Room):
    await buy(room)
    room.venue.hangs = "book"
    (reason,) = reasons(await hurried(room).ask(ANN, Wanted(what="T1")))
    assert reason == "the venue did not say within 0.05 s what BTC/USDT is worth"


async def test_stopped_between_the_intent_and_the_sending_it_is_not_sent_and_that_is_said(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await buy(room)
        asked, impatient = await ask(room, share="0.5"), hurried(room)

        async def hang() -> None:
            room.venue.hangs = "book"

        room.venue.meanwhile = hang  # from the second time on it is asked for its book
        await impatient.press(asked.closing.id, ANN, CLOSE)
        await impatient.stop(within=0.1)
        assert await sales(room) == [("intent", Decimal(5), ANN)]
    async with engine_room(tmp_path) as room:
        await reconcile(room.store, room.orchestrator)
        seen = await press(room, asked)
        assert (seen.closing.stage, seen.orders["T1"].status) == (Stage.CONFIRMED, OrderStatus.REJECTED)
        assert "it is not sent again" in seen.orders["T1"].reason
        assert [held.quantity for held in await room.held()] == [Decimal(10)]
        await must_agree(room, tmp_path)


async def test_what_is_being_sold_already_is_not_sold_again(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 24 + (THIN,) * 60) as room:
        await buy(room)
        room.clock.to(DAY + 65)
        await press(room, await ask(room, "T1"))
        again = await ask(room, "T1", person=BOB)
        assert (again.closing.id, reasons(again)) == ("", ["all of it is being sold already"])


async def test_what_it_grew_to_since_it_was_asked_is_not_sold(room: Room):
    held = await buy(room)
    asked = await ask(room)
    grown = replace(held, quantity=Decimal(12))
    await room.store.transact(lambda uow: uow.positions.put(grown, "D1"))
    assert reasons(await press(room, asked)) == ["it holds 12 BTC now, not 10: /close T1 asks again"]
