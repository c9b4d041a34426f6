"""Cancelling by hand: what it would come to, whose press counts, what is left, and what is never cancelled so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.confirmations import CancelWish, Confirmation, Consent, Stage
from engine.domain.errors import BadInput, NotAllowed, UnknownId
from engine.domain.events import ConfirmationChanged
from engine.domain.messages import Person, Role
from engine.domain.orders import OrderStatus, Purpose
from engine.domain.plans import Entry, Then
from engine.execution.reconcile import agree
from tests.fakes.engine import CASH, DAY, QUIET, Room, engine_room
from tests.fakes.program import Files

ADA, BEN = Person(name="Ada", role=Role.ADMIN), Person(name="Ben", role=Role.TRADER)
ENTRY = Entry(offset=Decimal("0.01"), patience=timedelta(hours=5), then=Then.MARKET)
THIN = (100, 101, 99, 100, 250)
"""A candle of a market in which not all finds a buyer at once."""


async def waiting(room: Room) -> None:
    room.context = replace(room.context, entry=ENTRY)
    await room.enter()


async def ask(room: Room, order_id: str = "O1") -> Confirmation:
    return await room.desk.confirming.cancelling.ask("Ben", order_id)


async def press(room: Room, asked: Confirmation, consent: Consent = Consent.YES, person: Person = BEN) -> Confirmation:
    answered = await room.desk.confirming.press(asked.id, person, consent)
    await room.desk.confirming.cancelling.finished()
    return answered


async def agreed(room: Room, folder: Path) -> None:
    assert await agree(room.store, room.venue, room.orchestrator, room.clock.now()) == {}
    assert Files(folder=folder).complaints() == []


async def test_an_entry_that_waits_is_cancelled_for_good_and_its_cash_is_free(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        asked = await ask(room)
        assert (await room.views.orders(9))[0].status is OrderStatus.OPEN
        assert (await press(room, asked)).stage is Stage.AGREED
        (order,) = await room.views.orders(9)
        assert (order.status, order.reason) == (OrderStatus.CANCELLED, "cancelled: by Ben")
        room.clock.to(DAY + 600)
        await room.orchestrator.end_patience()  # what it had planned to buy at market is given up
        assert len(await room.views.orders(9)) == 1
        assert (await room.store.read(lambda uow: uow.account.portfolio())).free_cash == CASH
        assert await room.events(ConfirmationChanged) == []  # nobody else is shown it
        await agreed(room, tmp_path)


async def test_what_an_exit_has_not_sold_stays_with_a_stop_for_all_of_it(tmp_path: Path) -> None:
    async with engine_room(tmp_path, (*(QUIET,) * 24, THIN, *(QUIET,) * 30)) as room:
        await room.enter()
        room.clock.to(DAY + 60)
        await room.orchestrator.sell("T1")
        exits = [each for each in await room.views.orders(9) if each.purpose is Purpose.EXIT]
        asked = await ask(room, exits[0].id)
        assert isinstance(asked.subject, CancelWish)
        assert 0 < asked.subject.filled < asked.subject.filled + asked.subject.rest
        assert (asked.subject.position_id, asked.subject.is_entry, asked.subject.has_stop) == ("T1", False, True)
        await press(room, asked)
        (held,) = await room.held()
        stops = [each for each in await room.views.orders(9) if not each.status.final]
        assert [(each.purpose, each.request.quantity) for each in stops] == [(Purpose.PROTECTION, held.quantity)]
        await agreed(room, tmp_path)


async def test_only_the_one_who_asked_can_press_it_and_only_in_time(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        asked = await ask(room)
        with pytest.raises(NotAllowed, match="only Ben can answer"):
            await press(room, asked, person=ADA)
        room.clock.at += timedelta(minutes=2)
        late = await press(room, asked)
        assert (late.stage, late.note) == (Stage.VOID, "time is up")
        assert (await room.views.orders(9))[0].status is OrderStatus.OPEN


async def test_a_no_leaves_it_and_a_second_press_changes_nothing(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        asked = await ask(room)
        declined = await press(room, asked, Consent.NO)
        assert await press(room, asked, Consent.YES) == declined
        assert (await room.views.orders(9))[0].status is OrderStatus.OPEN


async def test_what_was_agreed_to_is_done_by_the_jobs_where_the_program_stopped_in_between(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await waiting(room)
        room.venue.storm = 1
        await press(room, await ask(room))
        assert (await room.views.orders(9))[0].status is not OrderStatus.CANCELLED
    async with engine_room(tmp_path) as room:
        assert await room.orchestrator.patience_ends() <= room.clock.now()
        await room.orchestrator.end_patience()
        await room.orchestrator.resolve_unknown_orders()
        assert (await room.views.orders(9))[0].status is OrderStatus.CANCELLED
        await agreed(room, tmp_path)


async def test_what_protects_a_position_is_not_cancelled_by_hand(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await room.enter()
        with pytest.raises(BadInput, match=r"without it nothing would protect T1\. /close T1 sells it"):
            await ask(room, "O2")


async def test_what_is_over_or_unknown_is_not_cancelled_and_says_so(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await room.enter()
        with pytest.raises(BadInput, match=r"O1 is over: filled\. /order O1"):
            await ask(room, "O1")
        with pytest.raises(UnknownId):
            await ask(room, "O9")


async def test_an_order_in_doubt_is_asked_about_first(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        room.venue.loses = "request"
        await waiting(room)
        with pytest.raises(BadInput, match="Nobody knows yet whether the venue has O1"):
            await ask(room)


async def test_one_that_was_filled_before_the_press_is_said_to_be_over(tmp_path: Path) -> None:
    async with engine_room(tmp_path, (*(QUIET,) * 24, (100, 100.5, 97, 100, 10_000), *(QUIET,) * 30)) as room:
        await waiting(room)
        asked = await ask(room)
        room.clock.at += timedelta(minutes=1)
        wish = replace(asked.subject, expires_at=room.clock.now() + timedelta(hours=9))
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        answered = await room.store.transact(
            lambda uow: room.desk.confirming.cancelling.answer(uow, asked, wish, Consent.YES, "Ben")
        )
        assert (answered.stage, answered.note) == (Stage.VOID, "O1 is over: filled")
