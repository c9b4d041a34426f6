"""Orders that are under way in a replay: a job that takes in what becomes of each once it is at its venue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from engine.execution.orchestrator import ExecutionOrchestrator
from engine.jobs.table import Job

_SECOND = timedelta(seconds=1)


class DistantVenue(Protocol):
    """A venue that orders are under way to."""

    name: str

    def next_arrival(self) -> datetime | None:
        """When the next of them arrives; ``None`` where none is under way."""
        ...


def arrivals(venue: DistantVenue, orchestrator: ExecutionOrchestrator) -> Job:
    """What is filled is protected in the second of its arrival, not at the next close."""

    async def take_in(_: datetime) -> None:
        await orchestrator.sync_venue_events(venue.name)

    async def next_second() -> datetime | None:
        """The market's clock shows whole seconds."""
        at = venue.next_arrival()
        return None if at is None else at.replace(microsecond=0) + (_SECOND if at.microsecond else timedelta(0))

    return Job(name="arrivals", run=take_in, alarm=next_second)
