"""Simulated people at work in a replay: a job that presses what they would have pressed, when they would have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.backtest.people import Answer, SimulatedPeople
from engine.domain.approvals import Approval, Pending, Press
from engine.flow.approvals import Approvals
from engine.jobs.table import Job
from engine.store.database import DatabaseReader


class Answering:
    """Each person presses once; who gets to it after its time does not press."""

    def __init__(self, people: SimulatedPeople, approvals: Approvals, store: DatabaseReader) -> None:
        self._people = people
        self._approvals = approvals
        self._store = store
        self._pressed: set[tuple[str, int]] = set()

    @property
    def job(self) -> Job:
        """What has to be done before what has run out expires."""
        return Job(name="people", run=self._press, alarm=self._next)

    async def _next(self) -> datetime | None:
        return min((answer.at for *_, answer in await self._due()), default=None)

    async def _press(self, at: datetime) -> None:
        for approval, person, answer in sorted(await self._due(), key=lambda each: each[2].at):
            if answer.at <= at:
                self._pressed.add((approval.id, person))
                await self._approvals.answer(approval.id, Press(person=f"person {person}", verb=answer.verb))

    async def _due(self) -> list[tuple[Approval, int, Answer]]:
        """What is still to be pressed, in time."""
        waiting = await self._store.read(lambda uow: uow.approvals.open())
        return [each for approval in waiting for each in self._of(approval)]

    def _of(self, approval: Approval) -> Iterator[tuple[Approval, int, Answer]]:
        if not isinstance(approval.state, Pending):
            return
        for person in range(1, approval.votes_needed + 1):
            answer = self._people.answer(approval.asked_at, int(approval.id.removeprefix("A")), person)
            if (approval.id, person) not in self._pressed and answer.at < approval.expires_at:
                yield approval, person, answer
