"""The recorded calls of models as a whole: read page by page beside a running bot, or taken in from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice

from engine.domain.model_ledger import CallState, ModelCall
from engine.store import migrate
from engine.store.connections import connect, in_words
from engine.store.database import Database, nowhere
from engine.store.unit_of_work import UnitOfWork

PAGE = 200
"""Calls that are read or written at a time: others want to write as well."""


@contextmanager
def recorded(url: str, since: datetime | None = None) -> Iterator[Iterator[ModelCall]]:
    """The calls of a database that a bot may be writing to, oldest first; nothing in it is changed.

    Args:
        url: Where the database is.
        since: Only calls made at that time or later.

    Raises:
        StoreError: It is not there, cannot be used, or is of another version; also while the calls are read.
    """
    migrate.refuse_other_version(url)
    engine = connect(url, read_only=True)

    def pages() -> Iterator[ModelCall]:
        after = 0
        while True:
            with in_words(), engine.connect() as connection:
                calls = UnitOfWork(connection, nowhere).model_calls.page(since, after, PAGE)
            if not calls:
                return
            yield from calls
            after = int(calls[-1].id[1:])

    try:
        yield pages()
    finally:
        engine.dispose()


async def take_in(store: Database, calls: Iterable[ModelCall]) -> int:
    """Keep calls that were made and paid for elsewhere; those that are here already are left. How many were new.

    Raises:
        StoreError: They cannot be written; those of the steps before stay.
    """

    def step(some: tuple[ModelCall, ...], uow: UnitOfWork) -> int:
        new = [call for call in some if not uow.model_calls.has(call.key, call.at)]
        for call in new:
            uow.model_calls.add(replace(call, state=CallState.IMPORTED, reused=0))
        return len(new)

    count = 0
    rest = iter(calls)
    while some := tuple(islice(rest, PAGE)):
        count += await store.transact(partial(step, some))
    return count
