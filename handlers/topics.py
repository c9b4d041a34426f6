"""Which topics an event changes, to whom they go and how loud they are.

The outbox asks when an event is written, where its topics are to be shown (``routes``). What a topic looks like by the
time it is sent is said in ``handlers.notifications``; versions and edits are the outbox's business.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from typing import assert_never

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.confirmations import TOPIC as CONFIRM
from engine.domain.events import (
    AdjusterFailed,
    ApprovalAsked,
    ApprovalChanged,
    BalanceAdopted,
    CapitalChanged,
    ConfirmationAsked,
    ConfirmationChanged,
    DigestDue,
    EmergencyProgressed,
    Event,
    ExternalCancelled,
    ExternalTraded,
    Halted,
    HaltEnded,
    InventoryFound,
    LiveStarted,
    LosingStreakChanged,
    ModelBudgetUsed,
    OrderChanged,
    OrderFilled,
    OrderIntended,
    OrderPartlyFilled,
    PlatformRecovered,
    PlatformTroubled,
    PolicyProposed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
    PositionUnmanaged,
    ProtectionFailed,
    ProtectionMoved,
    SlicesEnded,
    UnmanagedEnded,
    Welcomed,
)
from engine.domain.halts import HaltKind
from engine.domain.messages import CardKind, Destination, Lane
from engine.ports import Route
from engine.store.outbox import EMERGENCY_ANSWER

TOPICS: dict[str, tuple[Lane, CardKind | None]] = {
    "approval": (Lane.URGENT, CardKind.APPROVALS),
    "unprotected": (Lane.URGENT, CardKind.ALERTS),
    "unmanaged": (Lane.URGENT, CardKind.ALERTS),
    "halt": (Lane.URGENT, CardKind.ALERTS),
    "recovery": (Lane.URGENT, CardKind.ALERTS),
    "streak": (Lane.URGENT, CardKind.ALERTS),
    "platform": (Lane.URGENT, CardKind.ALERTS),
    "budget": (Lane.URGENT, CardKind.ALERTS),
    "adjuster": (Lane.URGENT, CardKind.ALERTS),
    CONFIRM: (Lane.URGENT, CardKind.APPROVALS),
    "live": (Lane.NORMAL, CardKind.ALERTS),
    "capital": (Lane.URGENT, CardKind.ALERTS),
    "policy": (Lane.NORMAL, CardKind.ALERTS),
    "external": (Lane.URGENT, CardKind.ALERTS),
    "inventory": (Lane.URGENT, CardKind.ALERTS),
    "payment": (Lane.NORMAL, CardKind.ALERTS),
    "emergency": (Lane.URGENT, CardKind.ALERTS),
    "trade": (Lane.NORMAL, CardKind.TRADES),
    "part": (Lane.NORMAL, CardKind.TRADES),
    "moved": (Lane.NORMAL, CardKind.TRADES),
    "closed": (Lane.NORMAL, CardKind.TRADES),
    "welcome": (Lane.NORMAL, None),
    "digest": (Lane.QUIET, CardKind.DIGESTS),
    CLOSING: (Lane.NORMAL, None),
    EMERGENCY_ANSWER: (Lane.NORMAL, None),
}
"""How loud each kind of topic is, and what it is about; what is about nothing goes everywhere."""


def routes(places: Mapping[Destination, Collection[CardKind]], losing_streak: int = 0) -> Route:
    """The route of a program that shows each of these chats the kinds of cards it is to have. Pure.

    It stands alone because the store needs it before there are views.

    Args:
        places: The chats, and what each is to have.
        losing_streak: From how many losses in a row on people are told of them; 0 for never.
    """

    def at(topic: str) -> tuple[Destination, ...]:
        return tuple(to for to, kinds in places.items() if _is_for(topic, kinds))

    def route(event: Event) -> Mapping[str, tuple[Destination, ...]]:
        if isinstance(event, LosingStreakChanged) and not 0 < losing_streak <= event.losses:
            return {}
        return {topic: at(topic) for topic in _topics(event)} | dict.fromkeys(_alarms(event), ())

    return route


def _is_for(topic: str, kinds: Collection[CardKind]) -> bool:
    _, kind = _nature(topic)
    return kind is None or kind in kinds


def _topics(event: Event) -> tuple[str, ...]:  # noqa: C901, PLR0912 - one case for each event
    """The topics whose cards look different after this event, e.g. ``approval:A17``, ``trade:T3``."""
    match event:
        case ApprovalAsked(approval_id=approval_id) | ApprovalChanged(approval_id=approval_id):
            return (f"approval:{approval_id}",)
        case OrderFilled(position_id=position_id, approval_id=approval_id):
            return (*_approval(approval_id), f"trade:{position_id}")
        case OrderIntended(approval_id=approval_id) | OrderChanged(approval_id=approval_id):
            return _approval(approval_id)
        case OrderPartlyFilled(order_id=order_id):
            return (f"part:{order_id}",)
        case ProtectionMoved(position_id=position_id):
            return (f"moved:{position_id}",)
        case SlicesEnded(position_id=position_id, approval_id=approval_id):
            return (*_approval(approval_id), *((f"trade:{position_id}",) if position_id else ()))
        case PositionOpened(position_id=position_id) | PositionProtected(position_id=position_id):
            return (f"trade:{position_id}",)
        case ProtectionFailed(position_id=position_id):
            return (f"trade:{position_id}", f"unprotected:{position_id}")
        case PositionClosed(position_id=position_id, approvals=approvals):
            return (*chain.from_iterable(map(_approval, approvals)), f"trade:{position_id}", f"closed:{position_id}")
        case PositionUnmanaged(unmanaged_id=unmanaged_id) | UnmanagedEnded(unmanaged_id=unmanaged_id):
            return (f"unmanaged:{unmanaged_id}",)
        case LosingStreakChanged(streak_id=streak_id):
            return (f"streak:{streak_id}",)
        case ExternalTraded(order_id=order_id) | ExternalCancelled(order_id=order_id):
            return (f"external:{order_id}",)
        case EmergencyProgressed(halt_id=halt_id):
            return (f"emergency:{halt_id}",)
        case Halted(halt_id=halt_id, kind=kind, approvals=approvals):
            return (_halt(halt_id, kind), *chain.from_iterable(map(_approval, approvals)))
        case HaltEnded(halt_id=halt_id, kind=kind, approvals=approvals):
            recovery = (f"recovery:{halt_id}",) if kind is HaltKind.DRAWDOWN else ()
            return (_halt(halt_id, kind), *recovery, *chain.from_iterable(map(_approval, approvals)))
        case BalanceAdopted(notice_id=notice_id):
            return (f"payment:{notice_id}",) if notice_id else ()
        case InventoryFound(venue=venue):
            return (f"inventory:{venue}",)
        case PlatformTroubled(trouble_id=trouble_id) | PlatformRecovered(trouble_id=trouble_id):
            return (f"platform:{trouble_id}",)
        case ModelBudgetUsed(notice_id=notice_id):
            return (f"budget:{notice_id}",)
        case AdjusterFailed(notice_id=notice_id):
            return (f"adjuster:{notice_id}",)
        case ConfirmationAsked(confirmation_id=confirmation_id) | ConfirmationChanged(confirmation_id=confirmation_id):
            return (f"{CONFIRM}:{confirmation_id}",)
        case LiveStarted(notice_id=notice_id):
            return (f"live:{notice_id}",)
        case CapitalChanged(number=number):
            return (f"capital:{number}",)
        case PolicyProposed(proposal_id=proposal_id):
            return (f"policy:{proposal_id}",)
        case DigestDue(digest_id=digest_id):
            return (f"digest:{digest_id}",)
        case Welcomed():
            return ("welcome:1",)
        case _:
            assert_never(event)


def _halt(halt_id: str, kind: HaltKind) -> str:
    return f"emergency:{halt_id}" if kind is HaltKind.EMERGENCY else f"halt:{halt_id}"


def _approval(approval_id: str) -> tuple[str, ...]:
    return (f"approval:{approval_id}",) if approval_id else ()


def _alarms(event: Event) -> tuple[str, ...]:
    """The cards that an event changes where people were told of them; it shows none anew."""
    match event:
        case OrderFilled():
            return (f"unprotected:{event.position_id}", f"part:{event.order_id}")
        case PositionProtected() | PositionClosed():
            return (f"unprotected:{event.position_id}",)
        case ProtectionMoved():
            return tuple(chain.from_iterable(map(_approval, event.approvals)))
        case OrderChanged():
            return (f"part:{event.order_id}",)
        case _:
            return ()


def is_urgent(topic: str) -> bool:
    """Whether a topic goes before others that wait to be shown, and to other places where its own cannot show it."""
    lane, _ = _nature(topic)
    return lane is Lane.URGENT


def _nature(topic: str) -> tuple[Lane, CardKind | None]:
    return TOPICS.get(topic.partition(":")[0], (Lane.NORMAL, None))
