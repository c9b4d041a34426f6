"""When a place cannot show what must be seen soon, the other places show it too.

Each topic moves once: to every place that does not show it already. From then on it is theirs as well, so later changes
edit it everywhere; the place that was out of reach shows it when it can, as it is by then. All of that are rows of the
outbox, so a restart goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

import structlog

from engine.domain.events import ApprovalAsked
from engine.domain.messages import Destination
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import FaultLog

_log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
"""Wall seconds between two looks at what waits."""


class Failover:
    """Moves what is urgent from places that cannot show it.

    Args:
        places: Every destination there is.
        is_urgent: Whether a topic must be seen soon.
        patience: Wall seconds that an urgent topic may wait for its first showing at a place.
        monotonic: Wall seconds, for the patience only.
        troubled: The platforms that may show an approval and not hear the answer.
    """

    def __init__(
        self,
        *,
        store: Database,
        places: Sequence[Destination],
        is_urgent: Callable[[str], bool],
        patience: float,
        monotonic: Callable[[], float],
        troubled: Callable[[], Collection[str]],
    ) -> None:
        self._store = store
        self._places = tuple(places)
        self._is_urgent = is_urgent
        self._patience = patience
        self._monotonic = monotonic
        self._troubled = troubled
        self._waiting_since: dict[tuple[str, Destination], float] = {}
        self._moved: set[str] = set()
        self._wake = asyncio.Event()
        self._wake.set()
        store.on_shown(self._wake.set)

    async def run(self) -> None:
        """Look as long as something urgent waits, and again when something changed."""
        faults = FaultLog(_log, "failover did not look")
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                waits = await self.observe()
                faults.works()
            except Exception as error:  # noqa: BLE001 - whatever is wrong now, what waits must still find its way later
                faults.note(error)
                waits = True
            if waits:
                self._wake.set()
            await asyncio.sleep(LOOK_EVERY)

    async def observe(self) -> bool:
        """Move what has waited too long; whether anything urgent still waits."""
        waiting, stranded = await self._store.read(lambda uow: (self._waiting(uow), self._stranded(uow)))
        now = self._monotonic()
        self._waiting_since = {key: self._waiting_since.get(key, now) for key in waiting}
        late = {topic for (topic, _), since in self._waiting_since.items() if now - since >= self._patience}
        self._moved &= late | stranded
        for topic in sorted((late | stranded) - self._moved):
            _log.warning("shown elsewhere too", topic=topic)
            await self._store.transact(partial(self.move, topic=topic))
            self._moved.add(topic)
        return bool(waiting)

    def move(self, uow: UnitOfWork, topic: str) -> None:
        """Let every place show a topic that does not already, if it is urgent."""
        if self._is_urgent(topic):
            uow.step_in(topic, self._places)

    def _waiting(self, uow: UnitOfWork) -> list[tuple[str, Destination]]:
        """What is urgent and was never shown at a place where it is to be shown."""
        due = (showing for showing in uow.outbox.due() if showing.is_news and self._is_urgent(showing.topic))
        return [(showing.topic, showing.destination) for showing in due if showing.destination in self._places]

    def _stranded(self, uow: UnitOfWork) -> set[str]:
        """The open approvals on platforms in trouble."""
        if not (troubled := self._troubled()):
            return set()
        asked = [ApprovalAsked(at=each.asked_at, approval_id=each.id) for each in uow.approvals.open()]
        approvals = {topic for event in asked for topic in uow.route(event)}
        return {topic for topic in approvals if any(uow.outbox.shows(topic, platform) for platform in troubled)}
