"""Nobody answers: entries end until somebody is there again, as by a dead-man switch."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.domain.halts import Halt, HaltKind
from engine.risk.limits import RiskLimits
from engine.store.halting import begin_halt
from engine.store.unit_of_work import UnitOfWork


def note_absence(uow: UnitOfWork, limits: RiskLimits, at: datetime) -> None:
    """Halt entries where people were asked something long ago, and nobody has given a sign since.

    A sign is an answer to a question, or whatever a person sends; what a program does with the API's token is none.
    """
    if limits.max_silence is None or any(found.halt.kind is HaltKind.ABSENT for found in uow.halts.open()):
        return
    asked = uow.approvals.first_asked_after(_last_sign(uow))
    if asked is not None and at - asked >= limits.max_silence:
        hours = f"{(at - asked) / timedelta(hours=1):.1f} h"
        reason = f"nobody has answered anything for {hours}; after {_hours(limits.max_silence)} nothing is entered"
        begin_halt(uow, Halt(kind=HaltKind.ABSENT, reason=reason, since=at))


def _last_sign(uow: UnitOfWork) -> datetime | None:
    signs = (uow.chat.last_act_at(), uow.approvals.last_answered_at())
    return max((each for each in signs if each is not None), default=None)


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} h"
