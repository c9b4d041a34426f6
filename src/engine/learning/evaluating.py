"""What a way of sizing entries comes to over some of the time: a policy's, or one that needs no policy. Pure numpy.

Each is asked at every entry of one long episode at costs as they are, so all of them meet the same market.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.learning.env import NO_CHANCE, Ground, TradingEnv
from engine.learning.policy import ActionBounds, OutOfRange, Policy, adjustments
from engine.learning.reward import RewardTerms
from engine.learning.sizing import Choose
from engine.learning.splits import Stretch

if TYPE_CHECKING:
    from engine.domain.market import Floats

_AS_IT_IS = np.array([[1.0, 0.0, 1.0]])
"""The static rules: all of the size, whatever a policy may buy at most."""
_LONGER_THAN_ALL = 2**50
_STEADY = 0.02
"""The deviation of its scales below which a policy has one scale alone."""
_LEAST_TRADED = 0.01
"""The part of all entries that is next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """What a way of sizing came to.

    Attributes:
        daily: ``float64[days]``, the logarithm of what equity was multiplied by each day.
        reward: The sum of its rewards.
        scales: ``float64[n]``, of each entry.
        trades: How many came of them.
        won: How many of these had a gain.
        unknown: At how many entries it was not to be asked, and the static rules held.
    """

    daily: Floats
    reward: float
    scales: Floats
    trades: int
    won: int
    unknown: int = 0

    @property
    def growth(self) -> float:
        """The logarithm of what equity was multiplied by."""
        return float(self.daily.sum())


def run_over(ground: Ground, stretch: Stretch, choose: Choose, *, bounds: ActionBounds, reward: RewardTerms) -> Run:
    """Trade some of the time, every entry sized by what is chosen.

    Raises:
        ValueError: There is no entry in it.
    """
    env = TradingEnv(
        ground=ground,
        parts=(stretch,),
        length_ms=_LONGER_THAN_ALL,
        count=1,
        rng=np.random.default_rng(0),
        begins_anew=False,
        bounds=bounds,
        reward=reward,
        chance=NO_CHANCE,
    )
    seen, total, scales, unknown, ended = env.reset(), 0.0, [], 0, False
    while not ended:
        try:
            wanted = adjustments(choose(seen[0])[None, :], bounds)
        except OutOfRange:
            wanted, unknown = _AS_IT_IS, unknown + 1
        scales.append(float(wanted[0, 0]))
        found = env.step_by(wanted)
        seen, total, ended = found.observations, total + float(found.rewards[0]), bool(found.ended[0])
    return Run(
        daily=np.diff(np.log(np.concatenate(([ground.cash], env.ended_equity(0))))),
        reward=total,
        scales=np.array(scales),
        trades=env.ended_trades(0),
        won=env.ended_won(0),
        unknown=unknown,
    )


def by_policy(policy: Policy) -> Choose:
    """As a policy says; ``OutOfRange`` where it cannot be asked."""
    return policy.answer


def by_chance(rng: np.random.Generator) -> Choose:
    """Anything."""
    return lambda _: rng.uniform(-1.0, 1.0, 3)


def degenerate(run: Run) -> str:
    """What is wrong with how a policy acts; empty where nothing is."""
    if run.trades <= _LEAST_TRADED * len(run.scales):
        return (
            f"it next to never trades: {run.trades} of {len(run.scales)} entries" if run.trades else "it never trades"
        )
    return one_scale(run.scales)


def one_scale(scales: Floats) -> str:
    """That there is a single scale, ``float64[n]``; empty where there are several."""
    return f"it has one scale for everything, {scales.mean():.2f}" if float(scales.std()) < _STEADY else ""
