"""Which topics an event changes, to whom they go, how loud they are, and what they look like now.

The outbox asks twice: when an event is written, where its topics are to be shown (``routes``), and when it sends, what
a topic looks like by then (``card``). Versions and edits are its business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import assert_never

from engine.clocks import wall
from engine.domain.closing import TOPIC as CLOSING
from engine.domain.closing import ClosingView
from engine.domain.errors import UnknownId
from engine.domain.events import (
    ApprovalAsked,
    ApprovalChanged,
    BalanceAdopted,
    DigestDue,
    EmergencyProgressed,
    Event,
    ExternalCancelled,
    ExternalTraded,
    Halted,
    HaltEnded,
    LosingStreakChanged,
    OrderChanged,
    OrderFilled,
    OrderIntended,
    PlatformRecovered,
    PlatformTroubled,
    PositionClosed,
    PositionOpened,
    PositionProtected,
    ProtectionFailed,
    Welcomed,
)
from engine.domain.halts import HaltKind
from engine.domain.messages import Card, CardKind, Destination, Lane
from engine.ports import Route
from engine.store.outbox import STOP, stop_of
from engine.views import Views
from handlers.cards import alerts, approval, closings, emergencies

TOPICS: dict[str, tuple[Lane, CardKind | None]] = {
    "approval": (Lane.URGENT, CardKind.QUESTIONS),
    "unprotected": (Lane.URGENT, CardKind.ALERTS),
    "halt": (Lane.URGENT, CardKind.ALERTS),
    "recovery": (Lane.URGENT, CardKind.ALERTS),
    "streak": (Lane.URGENT, CardKind.ALERTS),
    "platform": (Lane.URGENT, CardKind.ALERTS),
    "external": (Lane.URGENT, CardKind.ALERTS),
    "emergency": (Lane.URGENT, CardKind.ALERTS),
    "trade": (Lane.NORMAL, CardKind.TRADES),
    "closed": (Lane.NORMAL, CardKind.TRADES),
    "welcome": (Lane.NORMAL, None),
    "digest": (Lane.QUIET, CardKind.DIGESTS),
    CLOSING: (Lane.NORMAL, None),
    STOP: (Lane.NORMAL, None),
}
"""How loud each kind of topic is, and what it is about; what is about nothing goes everywhere."""

_OF_A_TRADE = ("trade", "closed", "unprotected")
"""The kinds of topics that tell of one trade."""


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
        case PositionOpened(position_id=position_id) | PositionProtected(position_id=position_id):
            return (f"trade:{position_id}",)
        case ProtectionFailed(position_id=position_id):
            return (f"trade:{position_id}", f"unprotected:{position_id}")
        case PositionClosed(position_id=position_id, approval_id=approval_id):
            return (*_approval(approval_id), f"trade:{position_id}", f"closed:{position_id}")
        case LosingStreakChanged(streak_id=streak_id):
            return (f"streak:{streak_id}",)
        case ExternalTraded(order_id=order_id) | ExternalCancelled(order_id=order_id):
            return (f"external:{order_id}",)
        case EmergencyProgressed(halt_id=halt_id):
            return (f"emergency:{halt_id}",)
        case Halted(halt_id=halt_id, kind=kind, questions=questions):
            return (_halt(halt_id, kind), *chain.from_iterable(map(_approval, questions)))
        case HaltEnded(halt_id=halt_id, kind=kind, questions=questions):
            recovery = (f"recovery:{halt_id}",) if kind is HaltKind.DRAWDOWN else ()
            return (_halt(halt_id, kind), *recovery, *chain.from_iterable(map(_approval, questions)))
        case BalanceAdopted():
            return ()
        case PlatformTroubled(trouble_id=trouble_id) | PlatformRecovered(trouble_id=trouble_id):
            return (f"platform:{trouble_id}",)
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
    """The alarms that an event changes where people were told of them; it raises none."""
    match event:
        case OrderFilled() | PositionProtected() | PositionClosed():
            return (f"unprotected:{event.position_id}",)
        case _:
            return ()


def is_urgent(topic: str) -> bool:
    """Whether a topic goes before others that wait to be shown, and to other places where its own cannot show it."""
    lane, _ = _nature(topic)
    return lane is Lane.URGENT


def _nature(topic: str) -> tuple[Lane, CardKind | None]:
    return TOPICS.get(topic.partition(":")[0], (Lane.NORMAL, None))


async def _no_wish(closing_id: str) -> ClosingView:
    raise UnknownId(f"There is no {closing_id}.")


class Notifications:
    """What people are told without asking, as it looks now, and the answers that are edited later.

    Args:
        views: Where the current state of every topic is read.
        approvers: The names of those who may answer questions.
        closing: Tells what has become of a wish to close positions.
        now: Market time, for what says as of when it is.
    """

    def __init__(
        self,
        views: Views,
        approvers: Sequence[str] = (),
        closing: Callable[[str], Awaitable[ClosingView]] = _no_wish,
        now: Callable[[], datetime] = wall,
    ) -> None:
        self._now = now
        self._views = views
        self._wish = closing
        self._approvers = approvers
        self._cards: dict[str, Callable[[str], Awaitable[Card]]] = {
            "approval": self._approval,
            "trade": self._trade,
            "closed": self._closed,
            "unprotected": self._unprotected,
            "halt": self._halt,
            "recovery": self._recovery,
            "streak": self._streak,
            "platform": self._platform,
            "external": self._external,
            "emergency": self._emergency,
            "digest": self._digest,
            CLOSING: self._closing,
            STOP: self._stop,
            "welcome": self._welcome,
        }

    async def card(self, topic: str) -> Card | None:
        """A topic as it looks now; ``None`` where there is no such thing any more."""
        kind, _, subject = topic.partition(":")
        make = self._cards.get(kind)
        if make is None:
            return None
        try:
            card, thread = await make(subject), await self._thread(kind, subject)
        except UnknownId:
            return None
        return replace(card, topic=topic, thread=thread, lane=TOPICS[kind][0])

    async def _thread(self, kind: str, subject: str) -> str:
        """All of a trade's life belongs under the question it came from, else under its own first card.

        What comes after a halt belongs under its card.
        """
        if kind == "recovery":
            return f"halt:{subject}"
        if kind not in _OF_A_TRADE:
            return ""
        asked = await self._views.asked_for(subject)
        if asked:
            return f"approval:{asked}"
        return "" if kind == "trade" else f"trade:{subject}"

    async def _approval(self, subject: str) -> Card:
        view = await self._views.approval(subject)
        equity = (await self._views.status()).equity if view.approval.status == "pending" else None
        return approval.card(view, equity, self._approvers)

    async def _trade(self, subject: str) -> Card:
        return alerts.trade(await self._views.trade(subject))

    async def _closed(self, subject: str) -> Card:
        return alerts.closed(await self._views.trade(subject))

    async def _unprotected(self, subject: str) -> Card:
        return alerts.unprotected(await self._views.trade(subject), has_stop=await self._views.has_stop(subject))

    async def _halt(self, subject: str) -> Card:
        return alerts.halt(await self._views.halt(subject))

    async def _recovery(self, subject: str) -> Card:
        return alerts.recovery(await self._views.recovery(subject))

    async def _streak(self, subject: str) -> Card:
        return alerts.streak(await self._views.streak(subject))

    async def _platform(self, subject: str) -> Card:
        return alerts.platform(await self._views.trouble(subject))

    async def _external(self, subject: str) -> Card:
        return emergencies.external(await self._views.external(subject))

    async def _emergency(self, subject: str) -> Card:
        return emergencies.progress(await self._views.emergency(subject))

    async def _stop(self, subject: str) -> Card:
        return emergencies.so_far(await self._views.emergency(stop_of(subject)), self._now())

    async def _closing(self, subject: str) -> Card:
        return closings.card(await self._wish(subject))

    async def _digest(self, subject: str) -> Card:
        return alerts.digest(await self._views.digest(subject))

    async def _welcome(self, _: str) -> Card:
        return alerts.welcome()
