"""People are told of what no strategy manages, once for each time, and of its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from structlog.testing import capture_logs

from engine.books.unmanaged import UnmanagedWatch
from engine.domain.approvals import Press, Verb
from engine.domain.events import Event, PositionUnmanaged, UnmanagedEnded
from engine.domain.messages import Card, CardKind, Destination
from engine.domain.orders import Purpose
from engine.domain.positions import Position
from engine.domain.results import AtWork
from engine.store.retention import Retention, let_go
from handlers.notifications import Notifications
from handlers.topics import routes
from tests.fakes.engine import DAY, Room, engine_room, settled
from tests.fakes.patience import until

LOUNGE = Destination(platform="web", address="room")
HAND = AtWork(name="hand", strategy="script", venue="paper", markets=("BTC/USDT",), timeframe="1h")
RENAMED = replace(HAND, name="by hand")
WITHOUT = replace(HAND, markets=("ETH/USDT",))


async def start(room: Room, *contexts: AtWork) -> tuple[Position, ...]:
    """What a start of the program with these contexts does."""
    return await UnmanagedWatch(store=room.store, contexts=contexts, clock=room.clock).observe()


async def shown(room: Room, subject: str, *contexts: AtWork) -> Card:
    views = replace(room.views, contexts=contexts)
    card = await Notifications(views).card(f"unmanaged:{subject}")
    assert card is not None
    return card


async def due(room: Room) -> set[str]:
    found = await room.store.read(lambda uow: uow.outbox.due())
    return {showing.topic for showing in found if showing.topic.startswith("unmanaged")}


async def told(room: Room) -> list[tuple[str, str]]:
    return [(each.unmanaged_id, each.why) for each in await room.events(PositionUnmanaged)]  # type: ignore[attr-defined]


async def test_a_renamed_context_is_told_of_once_and_logged_at_each_start(tmp_path: Path):
    async with engine_room(tmp_path, route=routes({LOUNGE: tuple(CardKind)})) as room:
        await room.enter()
        for _ in range(2):
            with capture_logs() as logs:
                assert [held.id for held in await start(room, RENAMED)] == ["T1"]
            (line,) = [line for line in logs if line["event"] == "no strategy manages a position"]
            assert (line["position"], line["context"], line["absent"]) == ("T1", "hand", "context")
        assert await told(room) == [("N1", "context")]
        assert await due(room) == {"unmanaged:N1"}
        card = await shown(room, "N1", RENAMED)
        assert card.title.startswith("T1: no strategy manages ")
        assert dict(card.fields)["Why"] == "there is no context called hand"
        assert "/close T1" in card.text


async def test_the_card_ends_once_the_context_is_back_and_the_next_time_has_one_of_its_own(tmp_path: Path):
    async with engine_room(tmp_path, route=routes({LOUNGE: tuple(CardKind)})) as room:
        await room.enter()
        await start(room, RENAMED)
        assert await start(room, HAND) == ()
        assert [each.unmanaged_id for each in await room.events(UnmanagedEnded)] == ["N1"]  # type: ignore[attr-defined]
        assert (await shown(room, "N1", HAND)).title == "T1 is managed by its strategy again: hand"
        await start(room, WITHOUT)
        assert await told(room) == [("N1", "context"), ("N2", "market")]
        assert (await shown(room, "N1", WITHOUT)).title == "T1 is managed by its strategy again: hand"


async def test_another_reason_is_told_anew_and_the_first_card_points_to_it(room: Room):
    await room.enter()
    await start(room, WITHOUT)
    await start(room)
    assert await told(room) == [("N1", "market"), ("N2", "context")]
    assert (await shown(room, "N1")).title == "T1: no strategy manages it, now for another reason (see below)"
    assert (await shown(room, "N2")).title.startswith("T1: no strategy manages ")


async def test_the_card_ends_when_the_position_is_closed(tmp_path: Path):
    async with engine_room(tmp_path, route=routes({LOUNGE: tuple(CardKind)})) as room:
        await room.enter()
        await start(room, RENAMED)
        (before,) = [each for each in await room.store.read(lambda uow: uow.outbox.due()) if "unmanaged" in each.topic]
        await room.orchestrator.sell("T1")
        (after,) = [each for each in await room.store.read(lambda uow: uow.outbox.due()) if "unmanaged" in each.topic]
        assert after.wanted_version > before.wanted_version
        assert (await shown(room, "N1", RENAMED)).plain.startswith("T1 was managed by no strategy: it was closed, ")
        assert await start(room, RENAMED) == ()
        assert len(await told(room)) == 1


async def test_a_position_without_a_stop_is_named_as_having_none(room: Room):
    room.venue.refuses = (Purpose.PROTECTION, Purpose.EXIT)
    await room.enter()
    await start(room)
    card = await shown(room, "N1")
    assert dict(card.fields)["Stop"] == "none"
    assert "It has no stop at the venue, and no strategy will exit it." in card.text
    assert "leave it to its stop" not in card.text
    assert card.alarm


async def test_what_is_bought_later_for_a_context_that_is_gone_is_told_of_too(room: Room):
    """An approval outlives its context: whoever presses it must know who manages what it buys."""
    asked = await room.ask(context="gone", quantity=Decimal(10))
    watch = UnmanagedWatch(store=room.store, contexts=(HAND,), clock=room.clock)
    assert await watch.observe() == ()
    seen = list[Event]()
    room.store.on_kept(lambda events: seen.extend(each for each in events if isinstance(each, PositionUnmanaged)))
    running = asyncio.create_task(watch.run())
    await settled(room.approvals, asked.id, Press(person="Ann", verb=Verb.APPROVE))
    await until(lambda: bool(seen))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert await told(room) == [("N1", "context")]


async def test_a_position_that_a_context_holds_at_another_venue_is_left_alone_and_told_of(room: Room):
    await room.enter()
    elsewhere = replace(room.context, venue="kraken")
    assert [held.id for held in await start(room, replace(HAND, venue="kraken"))] == ["T1"]
    assert await told(room) == [("N1", "venue")]
    room.clock.to(DAY + 60)
    room.script.exits[room.clock.now()] = "over"
    known = {"paper": room.venue, "kraken": room.venue}
    services = replace(room.services, market_data=known, candles=replace(room.services.candles, market_data=known))
    await replace(room, services=services, context=elsewhere).cycle()
    assert [held.id for held in await room.held()] == ["T1"], "its strategy would sell it at a venue where it is not"
    room.clock.to(DAY + 120)
    room.script.exits[room.clock.now()] = "over"
    await room.cycle()
    assert await room.held() == ()


async def test_the_views_mark_what_no_strategy_manages(room: Room):
    await room.enter()
    for contexts, why, named in (((HAND,), None, ()), ((WITHOUT,), "market", ("T1",))):
        views = replace(room.views, contexts=contexts)
        (view,) = await views.positions()
        assert (view.unmanaged, (await views.status()).unmanaged) == (why, named)


async def test_a_time_that_is_long_over_is_forgotten_and_one_that_is_not_stays(room: Room):
    await room.enter()
    await start(room, RENAMED)
    await start(room, HAND)
    await start(room, RENAMED)
    later = room.clock.now() + timedelta(days=3)
    await room.store.transact(lambda uow: let_go(uow, Retention(halts=timedelta(days=1)), later, later))
    assert [each.id for each in await room.store.read(lambda uow: uow.unmanaged.standing())] == ["N2"]
    assert await Notifications(room.views).card("unmanaged:N1") is None
