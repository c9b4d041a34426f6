"""Answers that are edited later are noted where they are shown; no other is, and none is lost for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.domain.closing import Choice, Closing, Stage, Wanted
from engine.domain.errors import StoreError
from engine.domain.messages import Button, Card, Destination, Ref
from handlers.answered import is_answer, not_noted, note_in
from tests.fakes.engine import engine_room
from tests.fakes.reports import NOON

WISH = Card(title="Close T1?", topic="closing:C1", buttons=(Button(label="Close T1", verb=Choice.CLOSE, about="C1"),))
STOP = Card(title="The emergency stop is called (H1)", topic="emergency_answer:H1/web:5")
QUESTION = replace(WISH, topic="approval:A1")
HERE, REF = Destination(platform="telegram", address="7"), Ref(messages=("3",))
ASKED = Closing(id="C1", person="Ann", wanted=Wanted(what="T1"), sales=(), unsold=(), asked_at=NOON, expires_at=NOON)


def test_what_is_edited_later_is_about_a_wish_or_an_emergency_stop():
    assert [is_answer(card) for card in (WISH, STOP, QUESTION, Card(title="Status"))] == [True, True, False, False]


async def test_only_what_is_edited_later_is_noted(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.store.transact(lambda uow: uow.closings.put(ASKED))
        for card in (replace(QUESTION, topic="approval:A9"), WISH, STOP):
            await note_in(room.store)(card, HERE, None)
            await note_in(room.store)(card, HERE, REF)
        await not_noted(WISH, HERE, REF)
        known = await room.store.read(
            lambda uow: [
                uow.outbox.ref(topic, HERE) for topic in ("closing:C1", "emergency_answer:H1/web:5", "approval:A9")
            ]
        )
        due = await room.store.read(lambda uow: [each.topic for each in uow.outbox.due()])
    assert known == [REF, REF, None]
    assert due == ["emergency_answer:H1/web:5"], "what goes on by itself may have done so before it was shown"


@pytest.mark.parametrize("stage", [Stage.CONFIRMED, Stage.KEPT, Stage.EXPIRED])
async def test_a_question_that_was_over_before_it_could_be_shown_is_drawn_anew(tmp_path: Path, stage: Stage):
    """It was nowhere when it changed, so that nothing was to be edited then."""
    async with engine_room(tmp_path) as room:
        await room.store.transact(lambda uow: uow.closings.put(replace(ASKED, stage=stage)))
        await note_in(room.store)(WISH, HERE, None)
        assert await room.store.read(lambda uow: uow.outbox.due()) == (), "else it is shown twice"
        await note_in(room.store)(WISH, HERE, REF)
        (showing,) = await room.store.read(lambda uow: uow.outbox.due())
    assert (showing.topic, showing.destination, showing.ref) == ("closing:C1", HERE, REF)


async def test_an_answer_that_a_crash_lost_is_known_and_shown_once_it_looks_different(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await note_in(room.store)(WISH, HERE, None)
        assert await room.store.read(lambda uow: uow.outbox.due()) == ()
        await room.store.transact(lambda uow: uow.show_anew("closing:C1"))
        (showing,) = await room.store.read(lambda uow: uow.outbox.due())
    assert (showing.destination, showing.ref) == (HERE, None)


async def test_an_answer_that_cannot_be_noted_is_answered_all_the_same(tmp_path: Path):
    async with engine_room(tmp_path) as room:

        def deny() -> None:
            raise StoreError("the disk is full")

        room.store.check_before_writing(deny)
        await note_in(room.store)(WISH, HERE, REF)
