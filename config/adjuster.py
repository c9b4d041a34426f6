"""The section about the adjuster that has learnt: which policy is asked, and what one is trained for.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, ValidationInfo, field_validator

from config.kinds import Duration, File, problem
from config.section import Section
from engine.domain.adjustments import AdjusterMode
from engine.learning.reward import RewardKind
from engine.learning.shipped import SHIPPED


class RewardSettings(Section):
    """What a policy is trained for."""

    kind: RewardKind = RewardKind.GROWTH
    """What a step is worth: growth, the logarithm of what equity grew by in per cent; or sharpe, the differential
    Sharpe ratio."""
    drawdown: float = Field(default=0.1, ge=0, le=100)
    """What each per cent of a new deepest drawdown takes off."""
    breach: float = Field(default=0.5, ge=0, le=100)
    """What each per cent takes off that equity loses from one decision to the next beyond breach_from."""
    breach_from: float = Field(default=0.02, gt=0, le=1)
    """The loss that value at risk should not exceed, as a fraction of equity."""


class RetrainSettings(Section):
    """A policy that is trained anew each month, and proposed in chat."""

    enabled: bool = False
    """Whether it is, on the first of each month; it needs the extra rl."""
    data: tuple[File, ...] = ()
    """The candle files that it is trained on, up to then: bot data download keeps them up to date. The last fifth of
    their time is the test."""
    quick: bool = False
    """Whether minutes have to do, as by bot train --quick."""
    steps: int | None = Field(default=None, ge=1_024)
    """How many decisions each is trained on; nothing for as many as make it better."""
    seeds: int = Field(default=3, ge=1, le=100)
    """How many are trained; the best on the validation time is proposed."""

    @field_validator("data")
    @classmethod
    def _there(cls, data: tuple[File, ...], info: ValidationInfo) -> tuple[File, ...]:
        if info.data.get("enabled") and not data:
            raise problem("needs candle files", at="ppo.retrain.enabled", other="ppo.retrain.data")
        return data


class PpoSettings(Section):
    """The policy that adjusts entries before risk has the last word."""

    policy: File | None = None
    """The policy: hourly, which comes with the program, or a file that ends in .json with its numbers in an .npz beside
    it, as bot train writes them."""
    mode: AdjusterMode = AdjusterMode.OFF
    """off; advisory, where it is asked and shown and changes nothing; or active, where it makes entries smaller."""
    max_age: Duration | None = timedelta(days=1000)
    """How long after the end of its training it is asked; later the static rules hold. Nothing for ever."""
    predictions: bool = False
    """Whether it also leaves less of the weight of each timeframe's prediction before they are put together, where it
    is active: of the timeframes that it was trained on and that contexts trade."""
    max_scale: float = Field(default=1.0, gt=0, le=1)
    """The largest share of the size that one in training may buy."""
    max_shift: float = Field(default=0.2, ge=0, le=1)
    """The most that it may take off confidence."""
    min_stop_share: float = Field(default=0.5, gt=0, le=1)
    """The least that it may keep of the stop's distance."""
    reward: RewardSettings = Field(default_factory=RewardSettings)
    """What one is trained for."""
    retrain: RetrainSettings = Field(default_factory=RetrainSettings)
    """Whether one is trained anew each month."""

    @field_validator("policy", mode="before")
    @classmethod
    def _shipped(cls, policy: object) -> object:
        return SHIPPED.get(policy, policy) if isinstance(policy, str) else policy

    @field_validator("mode")
    @classmethod
    def _of_a_policy(cls, mode: AdjusterMode, info: ValidationInfo) -> AdjusterMode:
        if mode is not AdjusterMode.OFF and info.data.get("policy") is None:
            raise problem("needs a policy", at="ppo.mode", other="ppo.policy")
        return mode
