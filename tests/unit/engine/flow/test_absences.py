"""Nobody answers: entries end after a while, and go on once somebody is there again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.autonomy import AskHuman, Refuse, Ruling
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from engine.risk.limits import RiskLimits
from tests.fakes.engine import DAY, Room, at, engine_room

ANN = Person(name="Ann", role=Role.TRADER)
LIMITS = RiskLimits(max_silence=timedelta(hours=6))
REASON = "nobody has answered anything for 7.0 h; after 6 h nothing is entered"


async def asked(room: Room, hour: int) -> Ruling:
    """What became of an entry that people are to be asked about."""
    room.clock.at = at(DAY + hour * 60)
    await room.approvals.advance_open()
    (judged,) = (await room.enter(0.6)).decisions
    return judged.ruling


async def halts(room: Room) -> list[str]:
    standing = await room.store.read(lambda uow: uow.halts.open())
    return [found.halt.reason for found in standing if found.halt.kind is HaltKind.ABSENT]


async def wrote(room: Room, platform: str, person: str) -> None:
    """Something that somebody has sent."""
    noted = {"at": room.clock.now(), "wall_at": datetime(2026, 5, 1, tzinfo=UTC)}
    who = {"platform": platform, "user": "7", "person": person}
    await room.store.transact(lambda uow: uow.chat.audit(**noted, **who, action="/status", outcome="Trading"))


async def test_what_nobody_answers_ends_entries_until_somebody_resumes(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        assert isinstance(await asked(room, 1), AskHuman)
        assert isinstance(await asked(room, 6), AskHuman)
        assert await asked(room, 8) == Refuse(reasons=(REASON,))
        assert await halts(room) == [REASON]
        assert isinstance(await asked(room, 9), Refuse)
        (ended,) = await room.desk.resume(ANN)
        assert ended.halt.kind is HaltKind.ABSENT
        await wrote(room, "telegram", "Ann")
        assert isinstance(await asked(room, 10), AskHuman)
        assert await halts(room) == []


@pytest.mark.parametrize(
    ("platform", "person", "counts"), [("slack", "Ann", True), ("api", "api", False), ("telegram", "", False)]
)
async def test_whatever_a_person_sends_is_a_sign_and_what_a_program_or_a_stranger_does_is_none(
    tmp_path: Path, platform: str, person: str, *, counts: bool
) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        await asked(room, 1)
        await wrote(room, platform, person)
        assert isinstance(await asked(room, 8), AskHuman) is counts


async def test_an_answer_is_a_sign(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        question = await room.ask(minutes=DAY + 60)
        await room.approvals.answer(question.id, Press(person="Ann", verb=Verb.REJECT))
        assert isinstance(await asked(room, 8), AskHuman)


async def test_where_nothing_was_asked_nobody_is_missing(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=LIMITS) as room:
        assert isinstance(await asked(room, 30), AskHuman)
        assert await halts(room) == []
