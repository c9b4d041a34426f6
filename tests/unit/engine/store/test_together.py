import asyncio
from collections.abc import Callable

from engine.domain.errors import StoreError
from engine.store.database import Database
from engine.store.together import MOST, Together
from engine.store.unit_of_work import UnitOfWork


def noting(name: str, seen: list[UnitOfWork]) -> Callable[[UnitOfWork], str]:
    def work(uow: UnitOfWork) -> str:
        seen.append(uow)
        uow.settings.set(name, name)
        return name

    return work


async def kept(store: Database, names: list[str]) -> list[str]:
    return await store.read(lambda uow: [name for name in names if uow.settings.get(name) == name])


async def test_what_is_asked_for_at_once_shares_a_transaction_up_to_so_many(store: Database):
    together, seen = Together(store), list[UnitOfWork]()
    names = [f"n{number}" for number in range(MOST + 2)]
    assert await asyncio.gather(*(together.transact(noting(name, seen)) for name in names)) == names
    assert [len([uow for uow in seen if uow is each]) for each in dict.fromkeys(seen)] == [MOST, 2]
    assert await kept(store, names) == names


async def test_one_that_fails_takes_nobody_with_it(store: Database):
    together, seen = Together(store), list[UnitOfWork]()

    def fails(uow: UnitOfWork) -> str:
        uow.settings.set("half", "half")
        raise ValueError("it is wrong")

    found = await asyncio.gather(
        *(together.transact(work) for work in (noting("a", seen), fails, noting("b", seen))), return_exceptions=True
    )
    assert [str(each) for each in found] == ["a", "it is wrong", "b"]
    assert await kept(store, ["a", "half", "b"]) == ["a", "b"]


async def test_where_the_database_cannot_write_all_are_told(store: Database):
    together, seen = Together(store), list[UnitOfWork]()

    def full() -> None:
        raise StoreError("The disk is full.")

    store.check_before_writing(full)
    found = await asyncio.gather(*(together.transact(noting(name, seen)) for name in "ab"), return_exceptions=True)
    assert [str(each) for each in found] == ["The disk is full."] * 2
    store.check_before_writing(lambda: None)
    assert await together.transact(noting("c", seen)) == "c"


async def test_what_nobody_waits_for_any_more_is_not_done(store: Database):
    together, seen = Together(store), list[UnitOfWork]()
    asked = [asyncio.create_task(together.transact(noting(name, seen))) for name in "ab"]
    await asyncio.sleep(0)
    asked[0].cancel()
    assert await asked[1] == "b"
    assert await kept(store, ["a", "b"]) == ["b"]
