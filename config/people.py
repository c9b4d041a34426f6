"""The sections about who may use the bot, and what they are told of.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from config.identities import SlackMember, TelegramUser, WebName
from config.kinds import ClockTime
from config.section import Section
from config.zones import ZoneName
from engine.domain.days import Days
from engine.domain.messages import Role


class PersonSettings(Section):
    """Somebody who may use the bot. Who is not listed can do nothing."""

    name: str
    """What others see, e.g. on an answered approval."""
    role: Role
    """viewer looks, trader answers and pauses, admin does everything."""
    telegram: TelegramUser | None = None
    """Their user id on Telegram: a number, no @name."""
    slack: SlackMember | None = None
    """Their member id on Slack, e.g. U0123456789."""
    web: WebName | None = None
    """Their name in the web chat; no secret."""


class DigestSettings(Section):
    """The profit and loss digest."""

    at: ClockTime = time(0, 0)
    """The time of day at which a day ends and its digest is sent, in the time zone below, on the market clock."""
    timezone: ZoneName = "UTC"
    """The time zone of that time and of the day's date, e.g. Europe/Berlin."""
    every: Literal["day", "week"] = "day"
    """How often people are told: of each day, or of each week as its Sunday ends; days have figures either way."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)

    @property
    def days(self) -> Days:
        """Where the account's days end."""
        return Days(at=self.at, zone=self.zone)


class AlertSettings(Section):
    """What people are alerted to beside halts and faults."""

    losing_streak: int = Field(default=4, ge=0)
    """From how many losses in a row of one strategy context on there is an alert; 0 for none."""
