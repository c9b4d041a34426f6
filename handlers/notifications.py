"""What a topic looks like now: the outbox asks for its card (``card``) when it sends.

Which topics there are, and which event changes them, is said in ``handlers.topics``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain.closing import TOPIC as CLOSING
from engine.domain.closing import ClosingView
from engine.domain.confirmations import TOPIC as CONFIRM
from engine.domain.errors import UnknownId
from engine.domain.messages import Card
from engine.store.outbox import EMERGENCY_ANSWER, halt_id_of
from engine.timing.clocks import wall
from engine.views.trading import Views
from handlers.cards import (
    adjuster,
    alerts,
    approval,
    capital,
    closings,
    confirmations,
    emergencies,
    inventory,
    live,
    models,
    parts,
    policies,
)
from handlers.topics import TOPICS

_OF_A_TRADE = ("trade", "closed", "unprotected", "moved")
"""The kinds of topics that tell of one trade."""


async def _no_wish(closing_id: str) -> ClosingView:
    raise UnknownId(f"There is no {closing_id}.")


class Notifications:
    """What people are told without asking, as it looks now, and the answers that are edited later.

    Args:
        views: Where the current state of every topic is read.
        approvers: The names of those who may answer approvals.
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
            "part": self._part,
            "moved": self._moved,
            "unprotected": self._unprotected,
            "unmanaged": self._unmanaged,
            "halt": self._halt,
            "recovery": self._recovery,
            "streak": self._streak,
            "platform": self._platform,
            "budget": self._budget,
            "adjuster": self._adjuster,
            CONFIRM: self._confirm,
            "capital": self._capital,
            "live": self._live,
            "policy": self._policy,
            "external": self._external,
            "inventory": self._inventory,
            "payment": self._payment,
            "emergency": self._emergency,
            "digest": self._digest,
            CLOSING: self._closing,
            EMERGENCY_ANSWER: self._emergency_answer,
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
        """All of a trade's life belongs under the approval it came from, else under its own first card.

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

    async def _part(self, subject: str) -> Card:
        return parts.partly_filled(await self._views.part(subject))

    async def _moved(self, subject: str) -> Card:
        return parts.moved(await self._views.moved(subject))

    async def _unprotected(self, subject: str) -> Card:
        return alerts.unprotected(await self._views.trade(subject), has_stop=await self._views.has_stop(subject))

    async def _unmanaged(self, subject: str) -> Card:
        return alerts.unmanaged(await self._views.unmanaged(subject))

    async def _halt(self, subject: str) -> Card:
        return alerts.halt(await self._views.halt(subject), await self._views.replacement(subject))

    async def _recovery(self, subject: str) -> Card:
        return alerts.recovery(await self._views.recovery(subject))

    async def _streak(self, subject: str) -> Card:
        return alerts.streak(await self._views.streak(subject))

    async def _platform(self, subject: str) -> Card:
        return alerts.platform(await self._views.trouble(subject))

    async def _budget(self, subject: str) -> Card:
        return models.budget(await self._views.model_budget(subject))

    async def _adjuster(self, subject: str) -> Card:
        return adjuster.failed(await self._views.adjuster_notice(subject))

    async def _confirm(self, subject: str) -> Card:
        return confirmations.card(await self._views.confirmation(subject))

    async def _capital(self, subject: str) -> Card:
        return capital.changed(*await self._views.capital_change(int(subject)))

    async def _live(self, subject: str) -> Card:
        return live.started(await self._views.live_notice(subject))

    async def _policy(self, subject: str) -> Card:
        return policies.proposed(await self._views.policy_proposal(subject))

    async def _external(self, subject: str) -> Card:
        return emergencies.external(await self._views.external(subject))

    async def _inventory(self, subject: str) -> Card:
        return inventory.card(await self._views.inventory(subject))

    async def _payment(self, subject: str) -> Card:
        return inventory.paid(await self._views.payment(subject))

    async def _emergency(self, subject: str) -> Card:
        return emergencies.progress(await self._views.emergency(subject))

    async def _emergency_answer(self, subject: str) -> Card:
        return emergencies.so_far(await self._views.emergency(halt_id_of(subject)), self._now())

    async def _closing(self, subject: str) -> Card:
        return closings.card(await self._wish(subject))

    async def _digest(self, subject: str) -> Card:
        return alerts.digest(await self._views.digest(subject))

    async def _welcome(self, _: str) -> Card:
        return alerts.welcome()
