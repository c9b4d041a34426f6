"""When real venues are looked at for orders of another bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from engine.execution import other_bots
from engine.jobs.table import Group, Job
from engine.ports import Exchange
from engine.store.database import Database
from engine.timing.triggers import often

EVERY = timedelta(minutes=1)
"""Wall time between two looks."""


def other_bot_jobs(store: Database, real: Mapping[str, Exchange], has_room: Callable[[str], bool]) -> Sequence[Job]:
    """A look at each real venue every minute; where none has room without waiting, it is left to the next time."""

    async def look(venue: Exchange, at: datetime) -> None:
        if has_room(venue.name):
            await other_bots.look(store, venue, at)

    return tuple(
        Job(
            name=f"other bots at {name}",
            group=Group.HOUSEKEEPING,
            venue=name,
            trigger=often(EVERY),
            run=partial(look, venue),
        )
        for name, venue in real.items()
    )
