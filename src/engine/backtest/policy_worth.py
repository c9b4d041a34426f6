"""What a policy is worth beside ways of sizing that need none, on time that nobody has looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.bootstrap import Interval, interval
from engine.backtest.returns import DAYS_A_YEAR, sharpe
from engine.learning.env import Ground
from engine.learning.evaluating import Run, by_chance, by_policy, degenerate, run_over
from engine.learning.policy import ActionBounds, Policy
from engine.learning.reward import RewardTerms
from engine.learning.sizing import RULE_BOUNDS, Choose, constant, targeting
from engine.learning.splits import Splits, Stretch

if TYPE_CHECKING:
    from engine.domain.market import Floats

OWN, FULL, CONSTANT, TARGET, CHANCE = "policy", "static rules", "constant scale", "volatility target", "random"
SCALES = tuple(each / 8 for each in range(9))
"""The shares that a constant scale is chosen from."""
VOLATILITIES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08)
"""The volatilities of a day that a target is chosen from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a way of sizing came to on the test.

    Attributes:
        name: Its name, with what was chosen of it on the time before.
        growth: Of the whole time, as a fraction.
        sharpe: Of a year; ``None`` where nothing moved.
        drawdown: The deepest at the end of a day, as a fraction.
        scale: The mean share of the sizes that was bought.
        unknown: At how many of the entries it could not be asked.
        entries: How many there were.
        trades: How many came of them.
    """

    name: str
    growth: float
    sharpe: float | None
    drawdown: float
    scale: float
    unknown: int
    entries: int
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a policy grew more by than another way of sizing, a year, as a difference of logarithms.

    Attributes:
        interval: 95 % of it; ``None`` where that cannot be told.
    """

    over: str
    mean: float
    interval: Interval | None

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.interval is not None and self.interval.low > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a policy is worth.

    Attributes:
        gains: Over each of the others.
        degenerate: What is wrong with how it acts; empty where nothing is.
        scale: The constant scale that was best on the time it was trained on.
        volatility: The volatility of a day that was the best target then.
    """

    rows: tuple[Row, ...]
    gains: tuple[Gain, ...]
    degenerate: str
    scale: float
    volatility: float

    @property
    def is_better(self) -> bool:
        """Whether it is surely better than the static rules, a constant scale, volatility targeting and chance."""
        return not self.degenerate and all(each.is_sure for each in self.gains)


def worth_of(policy: Policy, ground: Ground, splits: Splits, reward: RewardTerms, rng: np.random.Generator) -> Worth:
    """Test a policy once, beside others whose one number is chosen on the time before.

    Raises:
        ValueError: There are no entries in one of the parts.
    """

    def run(choose: Choose, stretch: Stretch, bounds: ActionBounds = RULE_BOUNDS) -> Run:
        return run_over(ground, stretch, choose, bounds=bounds, reward=reward)

    def best(of: Callable[[float], Choose], values: Sequence[float]) -> float:
        return max(values, key=lambda each: run(of(each), splits.train).reward)

    scale, target = best(constant, SCALES), best(targeting, VOLATILITIES)
    rules: dict[str, Choose] = {
        FULL: constant(1.0),
        f"{CONSTANT} {scale:g}": constant(scale),
        f"{TARGET} {target:.1%}": targeting(target),
    }
    own = run(by_policy(policy), splits.test, policy.card.bounds)
    runs = {name: run(choose, splits.test) for name, choose in rules.items()}
    runs[CHANCE] = run(by_chance(rng), splits.test, policy.card.bounds)
    return Worth(
        rows=tuple(_row(name, each) for name, each in {OWN: own, **runs}.items()),
        gains=tuple(_gain(name, own.daily - each.daily, rng) for name, each in runs.items()),
        degenerate=degenerate(own),
        scale=scale,
        volatility=target,
    )


def _row(name: str, run: Run) -> Row:
    equity = np.exp(np.concatenate(([0.0], np.cumsum(run.daily))))
    return Row(
        name=name,
        growth=float(equity[-1]) - 1,
        sharpe=sharpe(np.expm1(run.daily)),
        drawdown=float((1 - equity / np.maximum.accumulate(equity)).max()),
        scale=float(run.scales.mean()),
        unknown=run.unknown,
        entries=len(run.scales),
        trades=run.trades,
    )


def _gain(name: str, ahead: Floats, rng: np.random.Generator) -> Gain:
    found = interval(ahead, lambda drawn: float(drawn.mean()), rng)
    return Gain(
        over=name,
        mean=float(ahead.mean()) * DAYS_A_YEAR,
        interval=found and Interval(low=found.low * DAYS_A_YEAR, high=found.high * DAYS_A_YEAR),
    )
