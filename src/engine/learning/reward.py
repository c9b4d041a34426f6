"""What a policy is trained for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RewardKind(StrEnum):
    """What a step is worth before anything is taken off."""

    GROWTH = "growth"
    """100 times the logarithm of what equity was multiplied by."""
    SHARPE = "sharpe"
    """The differential Sharpe ratio of that (J. Moody and M. Saffell, Learning to Trade via Direct Reinforcement)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerms:
    """What a policy is trained for.

    Attributes:
        drawdown: What each per cent of a new deepest drawdown takes off.
        breach: What each per cent takes off that equity lost from one decision to the next beyond ``breach_from``.
        breach_from: As a fraction of equity.
        decay: How much of the mean moves with each step, of the differential Sharpe ratio.
    """

    kind: RewardKind = RewardKind.GROWTH
    drawdown: float = 0.1
    breach: float = 0.5
    breach_from: float = 0.02
    decay: float = 0.02
