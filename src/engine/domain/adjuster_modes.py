"""How the adjuster is set from chat: what somebody asked for, and what was set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.adjustments import AdjusterMode


class ModeChoice(StrEnum):
    """What a person can say to what they asked for; also what its buttons carry."""

    SET = "ppo-set"
    LEAVE = "ppo-leave"


class ModeStage(StrEnum):
    """How far a wish has come."""

    ASKED = "asked"
    SET = "set"
    LEFT = "left"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeWish:
    """A mode that somebody asked for. Nothing is changed before they confirm it.

    Attributes:
        id: Such as ``M3``.
        before: The mode that held then.
        about: What is known of the policy, in sentences.
        expires_at: When its time is up, by the wall.
    """

    id: str
    person: str
    before: AdjusterMode
    wanted: AdjusterMode
    policy: str
    about: tuple[str, ...]
    expires_at: datetime
    stage: ModeStage = ModeStage.ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSet:
    """A mode that was set from chat: it holds over restarts, whatever the settings say.

    Attributes:
        at: By the wall.
    """

    mode: AdjusterMode
    by: str
    at: datetime
