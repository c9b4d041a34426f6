"""Those who wrote last and are not listed."""

from __future__ import annotations

from datetime import timedelta

from engine.domain.people import Stranger
from engine.store.database import Database
from engine.store.strangers import KEPT
from tests.fakes.reports import NOON, stranger


async def note(store: Database, met: Stranger) -> bool:
    return await store.transact(lambda uow: uow.strangers.note(met))


async def recent(store: Database) -> tuple[Stranger, ...]:
    return await store.read(lambda uow: uow.strangers.recent())


async def test_nobody_has_written_to_a_new_account(store: Database):
    assert await recent(store) == ()


async def test_a_stranger_who_writes_again_keeps_their_first_time_and_has_their_newest_name(store: Database):
    later = NOON + timedelta(days=3)
    assert await note(store, stranger(name="Eve", first_at=NOON, last_at=NOON, times=1))
    assert await note(store, stranger(platform="slack", first_at=NOON, last_at=NOON))
    assert not await note(store, stranger(name="Eva", first_at=later, last_at=later, times=2))
    assert not await note(store, stranger(name="", first_at=later, last_at=later, times=1))
    first, second = await recent(store)
    assert first == stranger(name="Eva", first_at=NOON, last_at=later, times=4)
    assert second.platform == "slack"


async def test_the_newest_are_kept_and_those_who_were_let_in_are_not(store: Database):
    for number in range(KEPT + 5):
        await note(store, stranger(user=str(number)))
    assert [each.user for each in await recent(store)] == [str(number) for number in range(KEPT + 4, 4, -1)]
    await store.transact(lambda uow: uow.strangers.forget(lambda each: each.user == "7"))
    assert "7" not in [each.user for each in await recent(store)]
    assert len(await recent(store)) == KEPT - 1
