"""What people are asked to confirm by a press, beside trades: which it is, and what they said. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.domain.capital import CapitalStep
from engine.domain.live import LiveAccount
from engine.domain.orders import Side

TOPIC = "confirm"
"""The kind of topic that the card of such a question has, e.g. ``confirm:Q3``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelWish:
    """An order that somebody wants to cancel, as it was when they asked.

    Attributes:
        person: Who asked; nobody else can confirm it.
        at: Its venue, where the account has several; else empty.
        filled, rest: What has traded of it, and what has not, in the base currency.
        position_id: What it opened, adds to or sells; empty for nothing yet.
        has_stop: Whether what is held has a stop, which then covers all of it.
        expires_at: Until when it can be confirmed.
    """

    order_id: str
    person: str
    venue: str
    at: str
    symbol: str
    side: Side
    is_entry: bool
    filled: Decimal
    rest: Decimal
    position_id: str
    has_stop: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstGo:
    """An account that orders really go to, and that nobody has said may begin.

    Attributes:
        limits: What it is held to, each with its name.
    """

    account: LiveAccount
    limits: tuple[tuple[str, str], ...]


Subject = CapitalStep | CancelWish | FirstGo
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
