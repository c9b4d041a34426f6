"""What people may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.errors import NoData, UnknownId, VenueError
from engine.domain.health import Part
from engine.domain.market import Timeframe, from_millis
from engine.domain.messages import Person, Role
from engine.domain.orders import OrderStatus
from tests.fakes.engine import QUIET, Room, at, engine_room, settled

ANN = Person(name="Ann", role=Role.TRADER)


async def buy(room: Room):
    """Ten BTC, by way of a question that was answered."""
    approval = await room.ask()
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))
    return approval


async def test_a_question_is_shown_with_what_became_of_it(room: Room):
    approval = await buy(room)
    view = await room.views.approval(approval.id)
    assert view.approval.status == "ordered"
    assert view.decision.id == approval.decision_id
    assert view.order is not None
    assert (view.order.id, view.order.status) == ("O1", OrderStatus.FILLED)
    assert view.position is not None
    assert view.position.id == "T1"


async def test_open_questions_are_oldest_first_and_all_newest_first(room: Room):
    first, second = await room.ask(context="one"), await room.ask(context="two")
    assert [view.approval.id for view in await room.views.pending()] == [first.id, second.id]
    await settled(room.approvals, first.id, Press(person="Ann", verb=Verb.REJECT))
    assert [view.approval.id for view in await room.views.pending()] == [second.id]
    assert [view.approval.id for view in await room.views.approvals(9)] == [second.id, first.id]
    assert [view.order for view in await room.views.pending()] == [None]


@pytest.mark.parametrize("any_id", ["D1", "A1", "O1", "O2", "T1", "a1", "t1"])
async def test_every_id_leads_to_the_decision_it_came_from(room: Room, any_id: str):
    await buy(room)
    why = await room.views.why(any_id)
    assert why.judged.decision.id == "D1"
    assert why.approval is not None
    assert why.order is not None
    assert why.position is not None
    assert (why.approval.id, why.order.id, why.position.id) == ("A1", "O1", "T1")


async def test_a_trade_knows_the_question_it_came_from(room: Room):
    await buy(room)
    assert await room.views.asked_for("T1") == "A1"
    with pytest.raises(UnknownId):
        await room.views.asked_for("T9")


async def test_a_decision_that_led_to_nothing_has_its_reasons(room: Room):
    await room.cycle()
    why = await room.views.why("D1")
    assert (why.approval, why.order, why.position) == (None, None, None)
    assert why.judged.decision.reasons


@pytest.mark.parametrize("any_id", ["A9", "D9", "O9", "T9", "", "X1", "nonsense"])
async def test_an_id_that_nothing_has_is_said_so(room: Room, any_id: str):
    with pytest.raises(UnknownId):
        await room.views.why(any_id)


async def test_lists_are_newest_first_and_as_long_as_asked_for(room: Room):
    await buy(room)
    assert [view.id for view in await room.views.orders(1)] == ["O2"]
    assert [view.order_id for view in await room.views.fills(5)] == ["O1"]
    assert [position.id for position in await room.views.trades(5)] == ["T1"]
    assert (await room.views.trade("T1")).position.id == "T1"
    assert [judged.decision.id for judged in await room.views.decisions(5)] == ["D1"]
    assert await room.views.audit(5) == ()
    assert await room.views.health() == (Part(name="jobs", ok=True, detail="ok"),)
    assert await room.views.equity_curve(5) == ()


async def test_a_trade_is_shown_with_the_candles_around_it(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 400) as room:
        room.clock.to(100 * 60)
        await room.enter(1.0)
        room.clock.to(110 * 60 + 30)
        found = await room.views.trade_candles("T1")
        assert (found.candles.timeframe, found.candles.closed_at) == (Timeframe.H1, at(110 * 60))
        assert from_millis(int(found.candles.open_ms[0])) < at(100 * 60), "some from before"
        assert (found.price, found.now) == ((await room.venue.book("BTC/USDT")).mid, room.clock.now())
        room.clock.to(300 * 60)
        long = await room.views.trade_candles("T1")
        assert long.candles.timeframe is Timeframe.H4
        room.venue.deaf = room.venue.blind = VenueError("down")
        with pytest.raises(NoData, match="There are no candles of the time of T1"):
            await room.views.trade_candles("T1")
        with pytest.raises(UnknownId):
            await room.views.trade_candles("T9")
