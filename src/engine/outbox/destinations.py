"""At a start cards may go to other destinations than before: a group that became a supergroup has another id.

What is open is shown at the places of now. What stands at a place where none go any more comes to its end: it can never
arrive. The cards of a platform that is off wait for it. Which event is told where is said in ``handlers.topics``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import structlog

from engine.domain.events import (
    ApprovalAsked,
    Event,
    Halted,
    PlatformTroubled,
    PositionOpened,
    PositionUnmanaged,
    ProtectionFailed,
)
from engine.domain.health import PlatformTrouble
from engine.domain.messages import Destination
from engine.domain.orders import OrderStatus, Purpose
from engine.domain.positions import Position
from engine.domain.unmanaged import Unmanaged
from engine.ports import Route
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

_log = structlog.get_logger(__name__)


async def retarget_cards(
    store: Database,
    *,
    places: Collection[Destination],
    platforms: Collection[str],
    route: Route,
) -> None:
    """Let the places of now show what is open, and leave those of before.

    Args:
        store: Where the outbox is.
        places: Where cards go now.
        platforms: The names of those that are on.
        route: Where what happens is shown.
    """

    def needs(uow: UnitOfWork) -> tuple[dict[str, list[Destination]], list[Destination]]:
        wanted = {topic: at for event in _open(uow, platforms) for topic, at in route(event).items()}
        unseen = {topic: [each for each in at if each not in uow.outbox.places(topic)] for topic, at in wanted.items()}
        old = [each for each in uow.outbox.all_places() if each.platform in platforms and each not in places]
        return {topic: at for topic, at in unseen.items() if at}, old

    unseen, old = await store.read(needs)
    if unseen or old:
        await store.transact(lambda uow: _take(uow, unseen, old))


def _open(uow: UnitOfWork, platforms: Collection[str]) -> list[Event]:
    """The events that told of what still is so; what has only happened is not told anew."""
    held = uow.positions.open()
    troubles = [trouble for name in platforms if (trouble := uow.troubles.newest(name)) is not None]
    return [
        *(Halted(at=each.halt.since, halt_id=each.id, kind=each.halt.kind) for each in uow.halts.open()),
        *(ApprovalAsked(at=each.asked_at, approval_id=each.id) for each in uow.approvals.open()),
        *(_unprotected(position) for position in held if _is_without_stop(uow, position)),
        *(_left_alone(told) for told in uow.unmanaged.standing()),
        *(_troubled(trouble) for trouble in troubles if trouble.ended_at is None),
        *(PositionOpened(at=position.opened_at, position_id=position.id) for position in held),
    ]


def _unprotected(position: Position) -> Event:
    return ProtectionFailed(at=position.opened_at, position_id=position.id, reason="")


def _left_alone(told: Unmanaged) -> Event:
    return PositionUnmanaged(at=told.since, unmanaged_id=told.id, position_id=told.position_id, why=told.why)


def _troubled(trouble: PlatformTrouble) -> Event:
    return PlatformTroubled(at=trouble.since, trouble_id=trouble.id, platform=trouble.platform, text=trouble.text)


def _is_without_stop(uow: UnitOfWork, held: Position) -> bool:
    """Whether the last stop that was asked for was not taken, and none stands."""
    asked = [order.status for order in uow.orders.of_position(held.id) if order.purpose is Purpose.PROTECTION]
    return bool(asked) and asked[-1] is OrderStatus.REJECTED and all(status.final for status in asked)


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
