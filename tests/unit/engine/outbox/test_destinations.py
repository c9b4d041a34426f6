"""What a start does about places that are new, and about those where cards go no more."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from engine.domain.halts import Halt, HaltKind
from engine.domain.messages import CardKind, Destination
from engine.domain.orders import Purpose
from engine.outbox.destinations import retarget_cards
from handlers.topics import routes
from tests.fakes.engine import Room

ROOM, OLD, NEW, CHANNEL = (
    Destination(platform="web", address="room"),
    Destination(platform="telegram", address="-55"),
    Destination(platform="telegram", address="-1005"),
    Destination(platform="slack", address="C1"),
)


async def start(room: Room, *places: Destination, platforms: tuple[str, ...] = ("web", "telegram")) -> None:
    """A start of a program whose cards go to these places."""
    await retarget_cards(
        room.store, places=places, platforms=platforms, route=routes(dict.fromkeys(places, tuple(CardKind)))
    )


async def due(room: Room) -> set[tuple[str, str]]:
    found = await room.store.read(lambda uow: uow.outbox.due())
    return {(showing.topic, showing.destination.address) for showing in found}


async def want(room: Room, topic: str, *places: Destination) -> None:
    for place in places:
        await room.store.transact(lambda uow, place=place: uow.outbox.want(topic, place))


async def test_open_questions_go_to_the_new_place_and_nothing_waits_at_the_old(room: Room):
    asked = await room.ask()
    topic = f"approval:{asked.id}"
    await want(room, topic, ROOM, OLD)
    await want(room, "trade:T7", OLD)
    with capture_logs() as logs:
        await start(room, ROOM, NEW)
    assert await due(room) == {(topic, "room"), (topic, "-1005")}
    (line,) = [line for line in logs if line["event"] == "cards stay as they are"]
    assert (line["platform"], line["address"], line["cards"], line["waiting"]) == ("telegram", "-55", 2, 2)


@pytest.mark.parametrize(("kind", "topic"), [(HaltKind.PAUSE, "halt:H1"), (HaltKind.EMERGENCY, "emergency:H1")])
async def test_what_stops_entries_is_told_at_the_new_place(room: Room, kind: HaltKind, topic: str):
    halt = Halt(kind=kind, reason="somebody said so", since=room.clock.now())
    await room.store.transact(lambda uow: uow.halts.add(halt))
    await want(room, topic, OLD)
    await start(room, NEW)
    assert await due(room) == {(topic, "-1005")}


async def test_what_is_held_and_has_no_stop_is_told_at_the_new_place_until_it_has_one(room: Room):
    room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
    await room.enter()
    await want(room, "unprotected:T1", OLD)
    await start(room, NEW)
    assert await due(room) == {("unprotected:T1", "-1005"), ("trade:T1", "-1005")}
    room.venue.refuses = ()
    room.clock.at = await room.orchestrator.next_look()
    await room.orchestrator.look_again()
    await start(room, ROOM)
    assert {topic for topic, place in await due(room) if place == "room"} == {"trade:T1"}


async def test_what_is_held_is_told_at_the_new_place_and_what_is_sold_is_not(room: Room):
    await room.enter()
    await want(room, "trade:T1", OLD)
    await start(room, NEW)
    assert await due(room) == {("trade:T1", "-1005")}
    await room.orchestrator.sell("T1")
    await start(room, ROOM)
    assert {topic for topic, place in await due(room) if place == "room"} == set()


async def test_a_platform_in_trouble_is_told_at_the_new_place_until_it_is_well(room: Room):
    begun = await room.store.transact(lambda uow: uow.troubles.begin("telegram", "it is away", room.clock.now()))
    await start(room, NEW)
    assert await due(room) == {("platform:P1", "-1005")}
    await room.store.transact(lambda uow: uow.troubles.end(begun, room.clock.now()))
    await start(room, ROOM)
    assert {topic for topic, place in await due(room) if place == "room"} == set()


async def test_a_start_at_the_same_places_changes_nothing(room: Room):
    asked = await room.ask()
    await want(room, f"approval:{asked.id}", ROOM, OLD)
    before = await due(room)
    with capture_logs() as logs:
        await start(room, ROOM, OLD)
        await start(room, ROOM, OLD)
    assert await due(room) == before
    assert logs == []


async def test_the_cards_of_a_platform_that_is_off_wait_for_it(room: Room):
    await want(room, "trade:T1", CHANNEL)
    await start(room, ROOM)
    assert await due(room) == {("trade:T1", "C1")}


async def test_a_platform_without_a_place_for_cards_is_owed_none(room: Room):
    await want(room, "trade:T1", OLD)
    await start(room, ROOM)
    assert await due(room) == set()


async def test_what_is_over_is_not_told_anew(room: Room):
    asked = await room.ask()
    await room.approvals.decline_all_open("the story ends")
    await want(room, f"approval:{asked.id}", OLD)
    await start(room, NEW)
    assert await due(room) == set()
