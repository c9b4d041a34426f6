"""The section about how much of an account the bot may use, and how that grows.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator

from config.kinds import Duration, Fraction, problem
from config.section import Section
from engine.domain.capital import CapitalPlan


class CapitalSettings(Section):
    """What the bot may use of the account, in stages: an admin lets it go up, any breach takes it down."""

    stages: tuple[Decimal, ...] = ()
    """What may be used at each stage, in the quote currency, rising: [100, 500, 2500]; none for all of the account."""
    stage: int = Field(default=1, ge=1)
    """The stage that an account begins at, counted from 1; what was reached since then is kept."""
    max_drawdown: Fraction = Decimal("0.10")
    """How far the bot's result may fall below its best of a stage, as a fraction of the stage: more is a breach."""
    step_up_after: Duration = timedelta(days=14)
    """How long a stage must have gone without a breach before the next one is proposed, in market time."""
    step_up_trades: int = Field(default=20, ge=0)
    """How many trades must have been closed at a stage before the next one is proposed."""

    @property
    def plan(self) -> CapitalPlan:
        """The same as the bot goes by."""
        return CapitalPlan(**self.model_dump())

    @field_validator("stages")
    @classmethod
    def _rising(cls, stages: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        for number, (before, after) in enumerate(zip((Decimal(0), *stages), stages, strict=False)):
            if not after.is_finite() or after <= before:
                raise problem("must be above 0, and above the stage before it", at=f"capital.stages.{number}")
        return stages

    @field_validator("stage")
    @classmethod
    def _one_of_them(cls, stage: int, info: ValidationInfo) -> int:
        stages = info.data.get("stages")
        if stages and stage > len(stages):
            raise problem(f"must be at most {len(stages)}, the last of capital.stages", other="capital.stages")
        return stage
