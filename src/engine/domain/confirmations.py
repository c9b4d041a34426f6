"""What people are asked to confirm by a press, beside trades: which it is, and what they said. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from engine.domain.capital import CapitalStep

TOPIC = "confirm"
"""The kind of topic that the card of such a question has, e.g. ``confirm:Q3``."""

Subject = CapitalStep
"""What can be asked."""


class Consent(StrEnum):
    """What a person can say to it; also what its buttons carry."""

    YES = "yes"
    NO = "no"


class Stage(StrEnum):
    """Where a question is in its life."""

    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    VOID = "void"
    """What it was about is no longer so: no answer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One question.

    Attributes:
        id: Like ``Q3``.
        by: Who answered; empty where nobody has.
        note: What came of it, where that is more than yes or no.
    """

    id: str
    subject: Subject
    asked_at: datetime
    stage: Stage = Stage.ASKED
    answered_at: datetime | None = None
    by: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether an answer still counts."""
        return self.stage is Stage.ASKED

    def answered(self, consent: Consent, person: str, now: datetime) -> Confirmation:
        """The same with an answer."""
        stage = Stage.AGREED if consent is Consent.YES else Stage.DECLINED
        return replace(self, stage=stage, answered_at=now, by=person)

    def voided(self, now: datetime, note: str) -> Confirmation:
        """The same where things have changed."""
        return replace(self, stage=Stage.VOID, answered_at=now, note=note)
