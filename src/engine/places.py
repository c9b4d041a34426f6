"""At a start cards may go to other places than before: a group that became a supergroup has another id.

What is open is shown at the places of now. What stands at a place where none go any more comes to its end: it can never
arrive. The cards of a platform that is off wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import structlog

from engine.domain.messages import Destination
from engine.domain.trading import HaltKind
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

_log = structlog.get_logger(__name__)


async def take_places(
    store: Database,
    *,
    places: Collection[Destination],
    platforms: Collection[str],
    shown_at: Callable[[str], Sequence[Destination]],
) -> None:
    """Let the places of now show what is open, and leave those of before.

    Args:
        store: Where the outbox is.
        places: Where cards go now.
        platforms: The names of those that are on.
        shown_at: Where a topic is to be shown.
    """

    def needs(uow: UnitOfWork) -> tuple[dict[str, list[Destination]], list[Destination]]:
        shown = {topic: uow.outbox.places(topic) for topic in _open(uow)}
        unseen = {topic: [each for each in shown_at(topic) if each not in at] for topic, at in shown.items()}
        old = [each for each in uow.outbox.all_places() if each.platform in platforms and each not in places]
        return {topic: at for topic, at in unseen.items() if at}, old

    unseen, old = await store.read(needs)
    if unseen or old:
        await store.transact(lambda uow: _take(uow, unseen, old))


def _open(uow: UnitOfWork) -> list[str]:
    """The topics that people still have to do with."""
    kinds = {HaltKind.EMERGENCY: "emergency"}
    halts = [f"{kinds.get(found.halt.kind, 'halt')}:{found.id}" for found in uow.halts.open()]
    return [*halts, *(f"approval:{asked.id}" for asked in uow.approvals.open())]


def _take(uow: UnitOfWork, unseen: dict[str, list[Destination]], old: Sequence[Destination]) -> None:
    for topic, at in unseen.items():
        uow.step_in(topic, at)
    for place in old:
        cards, waiting = uow.outbox.leave(place)
        reason = "no longer a place where cards go"
        _log.warning(
            "cards stay as they are",
            platform=place.platform,
            address=place.address,
            reason=reason,
            cards=cards,
            waiting=waiting,
        )
