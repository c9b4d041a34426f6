"""Who may size entries: a policy, or a rule with one number that a policy has to be better than. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from engine.learning.features import FEATURES
from engine.learning.policy import ActionBounds, PolicyCard, adjustment_of

if TYPE_CHECKING:
    from engine.domain.adjustments import Adjustment
    from engine.domain.market import Floats

Choose = Callable[["Floats"], "Floats"]
"""From an observation ``float64[17]`` to an action ``float64[3]`` in [-1, 1]."""
RULE_BOUNDS = ActionBounds()
"""How far rules may go: to all of the size, for what a policy may buy at most (``max_scale``) is the policy's alone."""
_VOLATILITY = list(FEATURES).index("volatility")


class Sizing(Protocol):
    """Says how much of an entry is bought."""

    @property
    def card(self) -> PolicyCard:
        """What is known of it."""

    def adjust(self, observation: Floats) -> Adjustment:
        """What it makes of an entry.

        Args:
            observation: ``float64[17]``, in the order of ``FEATURES``.

        Raises:
            OutOfRange: There is a figure that it cannot be asked about.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRule:
    """A rule that answers as a policy does."""

    card: PolicyCard
    choose: Choose

    def adjust(self, observation: Floats) -> Adjustment:
        """What it makes of an entry."""
        return adjustment_of(self.choose(observation), self.card.bounds)


def constant(scale: float) -> Choose:
    """The same share of every size, within ``RULE_BOUNDS``."""
    action = np.array([2 * scale - 1, -1.0, -1.0])
    return lambda _: action


def targeting(volatility: float) -> Choose:
    """So much of every size as brings the market's volatility of a day down to this fraction; all where it is less.

    Within ``RULE_BOUNDS``. Volatility targeting (A. Moreira and T. Muir, Volatility-Managed Portfolios, Journal of
    Finance 72, 2017).
    """

    def choose(observation: Floats) -> Floats:
        share = min(1.0, volatility / float(np.exp(observation[_VOLATILITY])))
        return np.array([2 * share - 1, -1.0, -1.0])

    return choose
