"""Approvals are changed by compare-and-swap only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.domain.approvals import Approval, Claimed, Expired, Pending, Press, State, Verb, step
from engine.domain.errors import UnknownId
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import new_database
from tests.fakes.reports import NOON, asked, decision, judged, vote

CLAIMED = Claimed(votes=(vote(),), until=NOON)


async def add(store: Database, count: int = 1, state: State | None = None) -> tuple[Approval, ...]:
    """Questions, each with the decision it belongs to."""

    def work(uow: UnitOfWork) -> tuple[Approval, ...]:
        made = []
        for _ in range(count):
            decision_id, approval_id = uow.decisions.next_id(), uow.approvals.next_id()
            own = decision(id=decision_id, key=decision_id)
            uow.decisions.add(judged(decision=own))
            made.append(asked(state, id=approval_id, decision_id=decision_id))
            uow.approvals.add(made[-1])
        return tuple(made)

    return await store.transact(work)


async def swap(store: Database, before: Approval, after: Approval) -> bool:
    return await store.transact(lambda uow: uow.approvals.swap(before, after))


async def test_it_comes_back_as_it_was(store: Database):
    (approval,) = await add(store)
    assert await store.read(lambda uow: uow.approvals.get("A1")) == approval
    assert await store.read(lambda uow: uow.approvals.of_decision(approval.decision_id)) == approval
    assert await store.read(lambda uow: uow.approvals.of_decision("D99")) is None


async def test_the_version_that_is_stored_is_swapped_once(store: Database):
    (before,) = await add(store)
    after, _ = step(before, Press(person="Ann", verb=Verb.APPROVE), NOON)
    assert await swap(store, before, after)
    assert await store.read(lambda uow: uow.approvals.get("A1")) == after
    late, _ = step(before, Press(person="Bob", verb=Verb.REJECT), NOON)
    assert not await swap(store, before, late)
    assert await store.read(lambda uow: uow.approvals.get("A1")) == after


async def test_the_status_must_be_the_one_that_is_stored_too(store: Database):
    (before,) = await add(store)
    assert not await swap(store, replace(before, state=CLAIMED), replace(before, state=Expired(at=NOON), version=1))


async def test_of_two_votes_on_the_same_version_one_is_stored(store: Database):
    """The status stays pending: the version alone tells that something happened."""
    (before,) = await add(store)
    ann, bob = (replace(before, state=Pending(votes=(vote(name),)), version=1) for name in ("Ann", "Bob"))
    assert await swap(store, before, ann)
    assert not await swap(store, before, bob)
    assert await store.read(lambda uow: uow.approvals.get("A1")) == ann


async def test_of_many_who_swap_at_once_one_wins_even_from_two_connections(store: Database, tmp_path: Path):
    (before,) = await add(store)
    other = new_database(tmp_path)
    afters = [step(before, Press(person=f"P{number}", verb=Verb.APPROVE), NOON)[0] for number in range(10)]
    won = await asyncio.gather(*(swap((store, other)[index % 2], before, each) for index, each in enumerate(afters)))
    await other.close()
    assert won.count(True) == 1
    assert await store.read(lambda uow: uow.approvals.get("A1")) == afters[won.index(True)]


async def test_a_swap_that_is_taken_back_did_not_happen(store: Database):
    (before,) = await add(store)

    def work(uow: UnitOfWork) -> None:
        assert uow.approvals.swap(before, replace(before, state=CLAIMED, version=1))
        assert uow.approvals.get("A1").status == "claimed"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.transact(work)
    assert await store.read(lambda uow: uow.approvals.get("A1")) == before


async def test_open_ones_are_listed_oldest_first_and_the_newest_first(store: Database):
    first, second, third = await add(store, 3)
    await swap(store, second, replace(second, state=Expired(at=NOON), version=1))
    await swap(store, third, replace(third, state=CLAIMED, version=1))
    assert [each.id for each in await store.read(lambda uow: uow.approvals.open())] == [first.id, third.id]
    assert await store.read(lambda uow: uow.approvals.open_ids()) == (first.id, third.id)
    assert [each.id for each in await store.read(lambda uow: uow.approvals.newest(2))] == [third.id, second.id]


async def test_they_are_counted_by_when_they_were_asked_and_settled(store: Database):
    first, second, _ = await add(store, 3)
    await swap(store, first, replace(first, state=Expired(at=NOON), version=1))
    await swap(store, second, replace(second, state=Pending(votes=(vote(),)), version=1))
    before = NOON - timedelta(hours=1)
    assert await store.read(lambda uow: uow.approvals.settled_within(before, NOON)) == {"expired": 1}
    assert await store.read(lambda uow: uow.approvals.settled_within(NOON, NOON + timedelta(days=1))) == {}
    assert await store.read(lambda uow: uow.approvals.asked_within(before, NOON)) == 3
    assert await store.read(lambda uow: uow.approvals.asked_within(NOON, NOON + timedelta(days=1))) == 0


async def test_an_unknown_id_is_told_where_to_look(store: Database):
    with pytest.raises(UnknownId, match=r"no approval A9.*See /pending"):
        await store.read(lambda uow: uow.approvals.get("A9"))
