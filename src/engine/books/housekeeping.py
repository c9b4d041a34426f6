"""Once a day the database lets go of what is old enough, and gives the room back to the disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.store.database import Database
from engine.store.retention import Retention, let_go
from engine.store.unit_of_work import UnitOfWork

DAY = timedelta(days=1)
QUIET = timedelta(minutes=7, seconds=30)
"""How long after midnight it is done: the candles that close then, and the day, come first."""
_DONE = "retention.done"


class Housekeeping:
    """Carries out the retention after each midnight UTC of the market's clock; a missed one is made good at once.

    Args:
        wall: The wall clock, which messages and deliveries are kept by.
    """

    def __init__(self, *, store: Database, retention: Retention, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._retention = retention
        self._wall = wall
        self._due: datetime | None = None

    async def next_due(self) -> datetime | None:
        """When it is to be done next; ``None`` before the account has begun."""
        if self._due is None:
            self._due = await self._store.read(_next_due)
        return self._due

    async def run(self, at: datetime) -> None:
        """Let go of what is old enough at the last midnight, in steps between which others write."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

        def step(uow: UnitOfWork) -> bool:
            more = let_go(uow, self._retention, midnight, self._wall())
            if not more:
                uow.settings.set(_DONE, midnight.isoformat())
            return more

        while await self._store.transact(step):
            await self._store.yield_to_callers()
        self._due = midnight + DAY + QUIET
        await self._store.give_back()


def _next_due(uow: UnitOfWork) -> datetime | None:
    done = uow.settings.get(_DONE)
    if done is not None:
        return datetime.fromisoformat(done) + DAY + QUIET
    began = uow.settings.get("account.began")
    return datetime.fromisoformat(began) + DAY if began else None
