"""Orders that people cancel by hand: asked for, confirmed by the one who asked, cancelled.

What protects a position is never cancelled by hand alone: nothing would take its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.confirmations import CancelWish, Confirmation, Consent
from engine.domain.errors import BadInput
from engine.domain.orders import Order, OrderStatus, Purpose
from engine.execution.background import STOP_WITHIN, Background
from engine.execution.emergency import being_ended
from engine.execution.following import left_after, newest_slice, stop_following
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

GOOD_FOR = timedelta(minutes=2)
"""How long a press cancels what was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelling:
    """Lets people cancel orders, and sees to it that what they agreed to is done, also over a crash."""

    store: Database
    orchestrator: ExecutionOrchestrator
    clock: Clock
    good_for: timedelta = GOOD_FOR
    _background: Background = field(default_factory=Background, init=False)

    async def ask(self, person: str, order_id: str) -> Confirmation:
        """What cancelling an order would come to. Nothing is done before its person confirms it.

        Raises:
            UnknownId: There is no such order.
            BadInput: It cannot be cancelled; says what can be done.
        """
        return await self.store.transact(lambda uow: self._ask(uow, person, order_id))

    def answer(
        self, uow: UnitOfWork, asked: Confirmation, wish: CancelWish, consent: Consent, person: str
    ) -> Confirmation:
        """Write down that an order is waited for no longer, within the transaction that keeps the answer."""
        now = self.clock.now()
        if now >= wish.expires_at:
            return asked.voided(now, "time is up")
        if consent is Consent.YES:
            order = newest_slice(uow, uow.orders.get(wish.order_id))
            if reason := _obstacle(uow, order):
                return asked.voided(now, reason[0].rstrip("."))
            if order.follows_at is not None:
                stop_following(uow, order, f"cancelled by {person}", now)
            if not order.status.final:
                uow.orders.end_patience(order.id, now, f"by {person}")
        return asked.answered(consent, person, now)

    def begin(self, wish: CancelWish) -> None:
        """Have what was written down done at once; where that fails the jobs do it, or the next start."""
        self._background.begin(f"cancelling {wish.order_id}", self.orchestrator.end_patience(wish.venue))

    async def finished(self) -> None:
        """Return once nothing is being cancelled."""
        await self._background.finished()

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Let what is being cancelled get there, within so many wall seconds."""
        await self._background.stop(within)

    def _ask(self, uow: UnitOfWork, person: str, order_id: str) -> Confirmation:
        order, now = newest_slice(uow, uow.orders.get(order_id)), self.clock.now()
        if reason := _obstacle(uow, order):
            raise BadInput(*reason)
        asked = Confirmation(id=uow.confirmations.next_id(), subject=self._wish(uow, order, person, now), asked_at=now)
        uow.confirmations.add(asked)
        return asked

    def _wish(self, uow: UnitOfWork, order: Order, person: str, now: datetime) -> CancelWish:
        position_id = uow.orders.position_of(order.id)
        held = uow.positions.get(position_id) if position_id else None
        return CancelWish(
            order_id=order.id,
            person=person,
            venue=order.request.venue,
            at=uow.ledger.told_apart(order.request.venue),
            symbol=order.request.symbol,
            side=order.request.side,
            is_entry=order.purpose is Purpose.ENTRY,
            filled=order.filled if order.follows_at is None else _bought(uow, order),
            rest=order.rest if order.follows_at is None else left_after(order),
            position_id=position_id,
            has_stop=bool(held and held.stop),
            expires_at=now + self.good_for,
        )


def _bought(uow: UnitOfWork, order: Order) -> Decimal:
    """What all slices of an entry have bought, in the base currency."""
    return sum((each.filled for each in uow.orders.all_of_decision(order.decision_id)), Decimal(0))


def _obstacle(uow: UnitOfWork, order: Order) -> tuple[str, str] | None:
    """Why an order cannot be cancelled by hand, and what can be done; ``None`` where it can."""
    name, look = order.id, f"/order {order.id} shows what becomes of it."
    if order.status.final and order.follows_at is not None:
        return None
    if order.status.final:
        return f"{name} is over: {order.status.value}.", look
    if order.purpose is Purpose.EXTERNAL:
        return f"{name} is somebody else's order: the bot leaves it alone.", "Cancel it where it was placed."
    if order.purpose is Purpose.PROTECTION:
        held = order.position_id
        return (
            f"{name} is the stop and target of {held}: without it nothing would protect {held}.",
            f"/close {held} sells it, and cancels them.",
        )
    if order.position_id in being_ended(uow):
        return f"The emergency stop is selling by {name}.", "An admin's /resume ends that once all is sold."
    if order.status is OrderStatus.CANCELLING or order.cancel_requested_at is not None:
        return f"{name} is being cancelled already.", look
    if not order.status.at_venue:
        return f"Nobody knows yet whether the venue has {name}: it is being asked.", f"Try again in a minute. {look}"
    return None
