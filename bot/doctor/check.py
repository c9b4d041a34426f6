"""What a check is, and what it is made on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from config.settings import Settings


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one check found; secrets are masked."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is looked at: the settings, and this machine's clock."""

    settings: Settings
    wall: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at.

    Attributes:
        needs: The checks without which looking makes no sense.
        asked: Whether there is anything to look at.
    """

    name: str
    look: Callable[[Case], str]
    needs: tuple[str, ...] = ()
    asked: Callable[[Settings], bool] = lambda _: True
