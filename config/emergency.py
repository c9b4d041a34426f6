"""The section about the emergency stop: what calls for it by itself, and what becomes of what is held.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from config.kinds import Duration, problem
from config.section import Section
from engine.domain.triggers import Cause, LeadsTo, Trigger, in_hours


class OnHalt(StrEnum):
    """What becomes of what is held."""

    SELL = "sell"
    KEEP_STOPS = "keep_stops"


class _TriggerSettings(Section):
    """What each trigger has beside its thresholds."""

    leads_to: LeadsTo = LeadsTo.OFF
    """off; reducing: no entries until it has been calm for calm_for; or halted: the emergency stop."""
    calm_for: Duration = timedelta(minutes=10)
    """How long it has to be calm before it counts anew, in market time."""

    @model_validator(mode="after")
    def _ends_below_where_it_begins(self) -> Self:
        at, ends_at = self._figures()
        if ends_at >= at:
            raise problem("ends_at must be below trips_at, so that what swings between both trips once")
        return self

    @property
    def trigger(self) -> Trigger:
        """As the rules have it."""
        at, ends_at = self._figures()
        return Trigger(leads_to=self.leads_to, trips_at=at, ends_at=ends_at, calm_for=self.calm_for)

    @abstractmethod
    def _figures(self) -> tuple[Decimal, Decimal]:
        """From where on it trips, and up to where it is calm."""


class ConnectivitySettings(_TriggerSettings):
    """No prices of a real venue come in."""

    leads_to: LeadsTo = LeadsTo.REDUCING
    """off; reducing: no entries until it has been calm for calm_for; or halted: the emergency stop."""
    trips_at: Duration = timedelta(minutes=15)
    """For how long nothing can be traded on."""
    ends_at: Duration = timedelta(0)
    """For how long that may be so and still be calm."""

    def _figures(self) -> tuple[Decimal, Decimal]:
        return in_hours(self.trips_at), in_hours(self.ends_at)


class FailingApiSettings(_TriggerSettings):
    """A venue fails to answer what it is asked about orders."""

    leads_to: LeadsTo = LeadsTo.REDUCING
    """off; reducing: no entries until it has been calm for calm_for; or halted: the emergency stop."""
    trips_at: int = Field(default=20, ge=1)
    """After how many calls in a row without an answer."""
    ends_at: int = Field(default=0, ge=0)
    """How many are calm."""

    def _figures(self) -> tuple[Decimal, Decimal]:
        return Decimal(self.trips_at), Decimal(self.ends_at)


class FallSettings(_TriggerSettings):
    """Equity falls below its peak."""

    trips_at: Decimal = Field(default=Decimal("0.35"), gt=0, lt=1)
    """From which drawdown on, as a fraction of the peak; what is paid in or out is none."""
    ends_at: Decimal = Field(default=Decimal("0.25"), ge=0, lt=1)
    """Up to which drawdown it is calm."""
    calm_for: Duration = timedelta(days=1)
    """How long it has to be calm before it counts anew, in market time."""

    def _figures(self) -> tuple[Decimal, Decimal]:
        return self.trips_at, self.ends_at


class FlashCrashSettings(FallSettings):
    """What is held falls at once."""

    trips_at: Decimal = Field(default=Decimal("0.2"), gt=0, lt=1)
    """From which fall of a market that is held on, as a fraction of its highest close within that time."""
    within: Duration = timedelta(hours=1)
    """Over how long it falls, rounded up to whole candles of the shortest timeframe in use."""
    ends_at: Decimal = Field(default=Decimal("0.1"), ge=0, lt=1)
    """Up to which fall of all that is held it is calm."""
    calm_for: Duration = timedelta(hours=1)
    """How long it has to be calm before it counts anew, in market time."""


class MismatchSettings(FallSettings):
    """A venue has less than the books say, and no order explains it."""

    leads_to: LeadsTo = LeadsTo.REDUCING
    """off; reducing: no entries until it has been calm for calm_for; or halted: the emergency stop."""
    trips_at: Decimal = Field(default=Decimal("0.01"), gt=0, lt=1)
    """How much less, as a fraction of equity; at two looks in a row, a quarter of an hour apart."""
    ends_at: Decimal = Field(default=Decimal("0.001"), ge=0, lt=1)
    """How much is calm."""
    calm_for: Duration = timedelta(minutes=10)
    """How long it has to be calm before it counts anew, in market time."""


class EmergencySettings(Section):
    """What calls for a stop by itself, and what one does; by hand it is /emergency now."""

    on_halt: OnHalt = OnHalt.SELL
    """What becomes of what is held: sell, or keep_stops, which leaves it to its stops and targets."""
    connectivity: ConnectivitySettings = Field(default_factory=ConnectivitySettings)
    """Prices that stay away; a replay has all of them."""
    failing_api: FailingApiSettings = Field(default_factory=FailingApiSettings)
    """A venue that fails."""
    flash_crash: FlashCrashSettings = Field(default_factory=FlashCrashSettings)
    """What is held falls at once."""
    drawdown: FallSettings = Field(default_factory=FallSettings)
    """Equity that has fallen; beside risk.max_drawdown and risk.max_total_drawdown, which end entries."""
    mismatch: MismatchSettings = Field(default_factory=MismatchSettings)
    """A venue that has less than the books say; looked at on the wall's clock."""

    @property
    def triggers(self) -> Mapping[Cause, Trigger]:
        """Those that are on, by what trips them."""
        each: Mapping[Cause, _TriggerSettings] = {
            Cause.CONNECTIVITY: self.connectivity,
            Cause.FAILING_API: self.failing_api,
            Cause.FLASH_CRASH: self.flash_crash,
            Cause.DRAWDOWN: self.drawdown,
            Cause.MISMATCH: self.mismatch,
        }
        return {cause: asked.trigger for cause, asked in each.items() if asked.trigger.is_on}
