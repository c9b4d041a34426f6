"""Writing what is asked for at the same time in one transaction: one wait for the disk for all of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.domain.errors import StoreError
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

MOST = 16
"""How much is written at once: others who write wait for so much, and not for all that is asked for."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    work: Callable[[UnitOfWork], Any]
    done: asyncio.Future[Any]


class Together:
    """Does what is asked for while something is written as one transaction after it, in the order of asking.

    What nobody waits for any more before its turn comes is not done.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self._waiting: deque[_Asked] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run a synchronous body within a transaction, which others may share; it is on the disk before this returns.

        Where another body of the transaction fails, it is run once more, alone.

        Raises:
            StoreError: It could not be written; nothing of it is kept.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(work=work, done=done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="writes together")
        return await done

    async def _write(self) -> None:
        while batch := self._next():
            await self._commit(batch)

    def _next(self) -> list[_Asked]:
        batch: list[_Asked] = []
        while self._waiting and len(batch) < MOST:
            asked = self._waiting.popleft()
            if not asked.done.done():
                batch.append(asked)
        return batch

    async def _commit(self, batch: Sequence[_Asked]) -> None:
        """Do all of it or, where one of them fails by itself, each alone."""
        try:
            found = await self._store.transact(lambda uow: [each.work(uow) for each in batch])
            await self._store.flush()
        except Exception as error:  # noqa: BLE001 - whoever has asked is told of it
            if isinstance(error, StoreError) or len(batch) == 1:
                for each in batch:
                    if not each.done.done():
                        each.done.set_exception(error)
            else:
                for each in batch:
                    await self._commit([each])
            return
        for each, result in zip(batch, found, strict=True):
            if not each.done.done():
                each.done.set_result(result)
