"""What an account says of a time: its trades, and why there is none where there might have been one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.decisions import Stance
from engine.domain.errors import StoreError
from engine.domain.messages import Person, Role
from engine.flow.proposed import key_of
from engine.store.account_period import account_period
from tests.fakes.database import new_file, url_of
from tests.fakes.engine import Room, engine_room

ANN = Person(name="Ann", role=Role.TRADER)


def why_not(folder: Path, room: Room, hours: float = 0) -> str:
    """Why nothing was bought on the newest candle, or on one so many hours before."""
    candle = room.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    with account_period(url_of(folder)) as account:
        return account.why_not(key_of("hand", "BTC/USDT", candle, Stance.ENTER))


async def asked(room: Room) -> str:
    """A question about an entry; its id."""
    await room.enter(0.6)
    (approval,) = await room.store.read(lambda uow: uow.approvals.open())
    return approval.id


async def test_what_was_traded_is_told_with_its_decision_and_who_approved_it(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        question = await asked(room)
        await room.approvals.answer(question, Press(person="Ann", verb=Verb.APPROVE))
        await room.approvals.finished()
        with account_period(url_of(tmp_path)) as account:
            ((position, judged),) = account.trades()
            assert judged is not None
            assert (position.context, judged.decision.stance) == ("hand", Stance.ENTER)
            assert account.approval(judged) == "Ann approved it (A1)"
            assert account.closed_by(position) == ""
            assert account.mark(position) > 0
            assert account.begins <= account.ends <= room.clock.now()
            assert account.opening == 10_000


async def test_why_nothing_was_bought_is_told_as_it_was(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.cycle()
        assert why_not(tmp_path, room).startswith("no entry was seen (D1): ")
        assert why_not(tmp_path, room, hours=1).startswith("nothing is on record of that candle")


async def test_an_unanswered_and_a_declined_question_are_told(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        question = await asked(room)
        assert why_not(tmp_path, room) == "still waits for an answer (A1)"
        await room.approvals.answer(question, Press(person="Ann", verb=Verb.REJECT, reason="too thin"))
        assert why_not(tmp_path, room) == "declined by Ann: too thin (A1)"


async def test_one_that_ran_out_is_told(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await asked(room)
        room.clock.at += timedelta(minutes=40)
        await room.approvals.advance_open()
        assert why_not(tmp_path, room) == "nobody answered in time (A1)"


async def test_what_a_rule_refused_is_told(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.desk.pause(ANN, None)
        await room.enter(1.0)
        assert why_not(tmp_path, room) == "refused (D1): paused by Ann"


def test_a_database_without_an_account_says_what_to_do(tmp_path: Path):
    new_file(tmp_path)
    with (
        account_period(url_of(tmp_path)) as account,
        pytest.raises(StoreError, match="There is no account in this database"),
    ):
        _ = account.begins
