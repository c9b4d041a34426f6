"""Every card that tells of a position is drawn anew once it is closed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from engine.domain.approvals import Press, Verb
from engine.domain.events import PositionClosed
from engine.domain.messages import CardKind, Destination
from engine.domain.orders import Purpose
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.fakes.engine import DAY, QUIET, Room, engine_room, settled
from tests.fakes.feed import BTC

ROOM = Destination(platform="web", address="room")
FALL = (100, 100, 80, 85, 10_000)
"""A candle that falls through the stop at 90."""
THIN = (100, 101, 99, 100, 100)
"""A candle of a market in which two of ten find a buyer at once."""


async def show_everything(room: Room) -> None:
    due = await room.store.read(lambda uow: uow.outbox.due())
    await room.store.transact(lambda uow: [uow.outbox.sent(showing, None) for showing in due])


async def due(room: Room) -> set[str]:
    return {showing.topic for showing in await room.store.read(lambda uow: uow.outbox.due())}


async def test_the_question_that_a_position_came_from_shows_that_it_is_closed(tmp_path: Path):
    async with engine_room(tmp_path, (*(QUIET,) * 24, FALL, QUIET), route=routes({ROOM: tuple(CardKind)})) as room:
        asked = await room.ask()
        await settled(room.approvals, asked.id, Press(person="Ada", verb=Verb.APPROVE))
        await show_everything(room)
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()

        assert [closed.approvals for closed in await room.events(PositionClosed)] == [(asked.id,)]
        assert f"approval:{asked.id}" in await due(room)


async def test_an_alarm_about_a_position_is_over_when_it_is_closed(tmp_path: Path):
    async with engine_room(tmp_path, route=routes({ROOM: tuple(CardKind)})) as room:
        room.venue.refuses = (Purpose.PROTECTION,)
        asked = await room.ask(quantity=Decimal(1))
        await settled(room.approvals, asked.id, Press(person="Ada", verb=Verb.APPROVE))

        assert await room.events(PositionClosed)
        shown = {s.topic: s.wanted_version for s in await room.store.read(lambda uow: uow.outbox.due())}
        assert shown["unprotected:T1"] > 1


async def test_an_alarm_about_a_position_is_over_when_its_stop_is_taken(tmp_path: Path):
    """Seen: a card that said it had no stop, for as long as it was held."""
    async with engine_room(tmp_path, route=routes({ROOM: tuple(CardKind)})) as room:
        room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
        await room.enter()
        cards = Notifications(room.views)
        assert (await cards.card("unprotected:T1")).title.startswith("T1 has no stop")
        await show_everything(room)
        room.venue.refuses = ()
        room.clock.at = await room.orchestrator.next_look()
        await room.orchestrator.look_again()

        assert "unprotected:T1" in await due(room)
        assert (await cards.card("unprotected:T1")).title == "T1 had no stop: it is protected again"


async def test_an_alarm_says_what_is_left_while_it_is_being_sold(tmp_path: Path):
    rows = (*(QUIET,) * 24, *(THIN,) * 6)
    async with engine_room(tmp_path, rows, route=routes({ROOM: tuple(CardKind)})) as room:
        asked = await room.ask(quantity=Decimal(10))
        await settled(room.approvals, asked.id, Press(person="Ada", verb=Verb.APPROVE))
        room.clock.to(DAY + 60)
        room.venue.refuses = (Purpose.PROTECTION,)
        orders = await room.store.read(lambda uow: uow.orders.of_position("T1"))
        (oco,) = [order for order in orders if order.purpose is Purpose.PROTECTION]
        await room.venue.cancel(BTC.symbol, oco.request.client_id)
        await room.orchestrator.sync_venue_events()
        (before,) = await room.held()
        await show_everything(room)
        room.clock.to(DAY + 85)
        await room.orchestrator.sync_venue_events()

        (after,) = await room.held()
        assert 0 < after.quantity < before.quantity, "it is still being sold"
        assert "unprotected:T1" in await due(room)
