"""How much of the account may be used, kept: what began, what it has come to, when it goes up or down.

    close ─▶ figures of the stage ─▶ breach? one stage down, told ─▶ due? the next one proposed ─▶ an admin's press

Only entries are held to it: what is held stays, and what reduces risk is never held up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.capital import (
    CapitalPlan,
    CapitalStage,
    CapitalStep,
    CapitalView,
    StageFigures,
    breach,
    is_due,
    made,
)
from engine.domain.confirmations import Confirmation, Consent, Stage
from engine.domain.events import CapitalChanged, ConfirmationAsked, ConfirmationChanged
from engine.domain.positions import Position
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

_TOLD = 5
"""So many stages of before are told."""
_BY_SETTINGS = "by the settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capital:
    """Lets what may be used of an account go up and down."""

    store: Database
    clock: Clock
    plan: CapitalPlan

    async def open(self) -> None:
        """Hold the account to the stages of the settings: at its first start to the one to begin with."""
        await self.store.transact(self._open)

    async def judge(self, at: datetime) -> None:
        """Go one stage down where this one is breached; propose the next one where that is due."""
        if self.plan.stages:
            await self.store.transact(lambda uow: self._judge(uow, at))

    async def view(self) -> CapitalView:
        """How much may be used, and how that is going."""
        return await self.store.read(self._view)

    async def stage(self, number: int) -> CapitalStage | None:
        """A time in which so much could be used; ``None`` where there is none."""
        return await self.store.read(lambda uow: uow.capital.get(number))

    def answer(
        self, uow: UnitOfWork, asked: Confirmation, step: CapitalStep, consent: Consent, person: str
    ) -> Confirmation:
        """Carry an admin's answer out, within the transaction that keeps it."""
        now, current = self.clock.now(), uow.capital.current()
        if current is None or current.number != step.stage or self.plan.above(step.before) != step.after:
            return asked.voided(now, "the stage has changed since")
        if consent is Consent.YES:
            self._begin(uow, step.after, now, f"{person} approved it ({asked.id})", by=person)
        else:
            uow.capital.note_declined(current.number, now)
        return asked.answered(consent, person, now)

    def _open(self, uow: UnitOfWork) -> None:
        current, now = uow.capital.current(), self.clock.now()
        if current is None and not self.plan.stages:
            return
        amount = self.plan.held_to(current.amount if current is not None else None)
        if current is not None and amount == current.amount:
            return
        self._begin(uow, amount, now, _BY_SETTINGS)

    def _judge(self, uow: UnitOfWork, at: datetime) -> None:
        current = uow.capital.current()
        if current is None or current.amount is None:
            return
        figures = _figures(uow, current, at)
        if figures.best > current.best:
            uow.capital.note_best(current.number, figures.best)
        halts = tuple(found.halt for found in uow.halts.after(current.last_halt))
        if reason := breach(current, figures, halts, self.plan):
            self._begin(uow, self.plan.below(current.amount), at, reason, is_breach=True)
        elif is_due(current, figures, self.plan, at) and not uow.confirmations.open(CapitalStep):
            self._propose(uow, current, current.amount, figures, at)

    def _propose(
        self, uow: UnitOfWork, current: CapitalStage, before: Decimal, figures: StageFigures, at: datetime
    ) -> None:
        after = self.plan.above(before)
        if after is None:
            return
        step = CapitalStep(stage=current.number, before=before, after=after, figures=figures, quote=uow.account.quote)
        asked = Confirmation(id=uow.confirmations.next_id(), subject=step, asked_at=at)
        uow.confirmations.add(asked)
        uow.emit(ConfirmationAsked(at=at, confirmation_id=asked.id))

    def _begin(
        self,
        uow: UnitOfWork,
        amount: Decimal | None,
        at: datetime,
        reason: str,
        *,
        by: str = "",
        is_breach: bool = False,
    ) -> None:
        """Let a time begin in which so much may be used; what was asked about the one before is void."""
        before = uow.capital.current()
        number = before.number + 1 if before is not None else 1
        uow.capital.add(
            CapitalStage(
                number=number,
                amount=amount,
                at=at,
                by=by,
                reason=reason,
                is_breach=is_breach,
                made=made(_own(uow, at), uow.account.portfolio().marks or {}),
                best=Decimal(0),
                last_halt=uow.halts.last_number(),
                asked_at=at,
            )
        )
        if not by:  # a press settles its own question
            for asked in uow.confirmations.open(CapitalStep):
                uow.confirmations.settle(asked.voided(at, "the stage has changed since"))
                uow.emit(ConfirmationChanged(at=at, confirmation_id=asked.id, stage=Stage.VOID))
        if before is not None:
            uow.emit(CapitalChanged(at=at, number=number))

    def _view(self, uow: UnitOfWork) -> CapitalView:
        now, newest = self.clock.now(), uow.capital.newest(1 + _TOLD)
        view = CapitalView(plan=self.plan, quote=uow.account.quote, now=now)
        if not newest:
            return view
        current = newest[0]
        asked = uow.confirmations.open(CapitalStep)
        return replace(
            view,
            stage=current,
            figures=_figures(uow, current, now),
            before=newest[1:],
            proposal=asked[0].id if asked else "",
            wait=self._wait(current, now),
        )

    def _wait(self, current: CapitalStage, now: datetime) -> timedelta | None:
        if current.amount is None or self.plan.above(current.amount) is None:
            return None
        left = current.asked_at + self.plan.step_up_after - now
        return left if left > timedelta(0) else None


def _figures(uow: UnitOfWork, stage: CapitalStage, now: datetime) -> StageFigures:
    portfolio, own = uow.account.portfolio(), _own(uow, stage.at)
    result = made(own, portfolio.marks or {}) - stage.made
    closed = [each for each in own if not each.is_open]
    return StageFigures(
        result=result,
        best=max(stage.best, result),
        closed=len(closed),
        won=sum(each.net > 0 for each in closed),
        used=portfolio.used,
        lasted=now - stage.at,
    )


def _own(uow: UnitOfWork, since: datetime) -> tuple[Position, ...]:
    """The bot's own positions that were open at a time or since."""
    return tuple(each for each in uow.positions.open_since(since) if not each.is_external)
