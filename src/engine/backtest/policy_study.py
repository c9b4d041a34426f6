"""What training a policy is worth: many seeds on every combinatorial purged split of the time, beside simple rules.

folds ─▶ each seed trained on what is left of the time ─▶ tested on the groups that were taken out ─▶ paths ─▶ intervals

Each group of time is taken out several times, so the tests of a seed make several paths through all of the time
(M. López de Prado, Advances in Financial Machine Learning, 2018, 12). Pure numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.bootstrap import Interval, seeds_interval
from engine.backtest.policy_worth import CONSTANT, FULL, SCALES, TARGET, VOLATILITIES
from engine.backtest.returns import DAYS_A_YEAR
from engine.learning.evaluating import degenerate, run_over
from engine.learning.sizing import RULE_BOUNDS, Choose, constant, targeting

if TYPE_CHECKING:
    from engine.domain.market import Floats
    from engine.learning.env import Ground
    from engine.learning.policy import ActionBounds
    from engine.learning.reward import RewardTerms
    from engine.learning.splits import Fold

OTHERS = (FULL, CONSTANT, TARGET)
"""What a policy is held against."""
_FLAT = 1e-12
_DRAWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldResult:
    """What a way of sizing came to on the groups that were taken out.

    Attributes:
        daily: Of each group, ``float64[days]``: the logarithm of what equity was multiplied by each day.
        scale: The mean share of the sizes that was bought.
        number: Of a simple rule, the number that was best on what is left of the time.
        degenerate: What is wrong with how it acts; empty where nothing is.
    """

    daily: tuple[Floats, ...]
    entries: int
    trades: int
    won: int
    scale: float
    unknown: int
    number: float = 0.0
    degenerate: str = ""


Results = Mapping[tuple[int, ...], FoldResult]
"""What came of each fold, by the groups that were taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A figure, with 95 % of what other days and other seeds would have made of it; ``None`` where nothing moves."""

    value: float
    interval: Interval | None

    @property
    def is_above(self) -> bool:
        """Whether all of it lies above 0."""
        return self.interval is not None and self.interval.low > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """What one way of sizing came to, on the mean of all paths and seeds; or what one differs by from another.

    Attributes:
        growth: Of a year, as a logarithm.
        sharpe: Of a year.
        drawdown: The deepest at the end of a day, as a fraction.
        win_rate: As a fraction; of the difference too.
        trades: Of a path through all of the time.
        scale: The mean share of the sizes that was bought.
    """

    name: str
    growth: Told
    sharpe: Told
    drawdown: Told
    win_rate: Told
    trades: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What the policies of all seeds are worth.

    Attributes:
        rows: The policies', then the others'.
        gains: What the policies' differ by from each of the others.
        seeds: Of each seed, the growth of a year beyond each of the others.
        degenerate: How many of the policies are, of so many.
    """

    rows: tuple[StudyRow, ...]
    gains: tuple[StudyRow, ...]
    seeds: Mapping[int, Mapping[str, float]]
    degenerate: int
    trained: int

    @property
    def may_be_active(self) -> bool:
        """Whether what is gained is surely more than a constant scale and volatility targeting gain."""
        return all(each.growth.is_above for each in self.gains if each.name in (CONSTANT, TARGET))


def tried_on(ground: Ground, fold: Fold, choose: Choose, *, bounds: ActionBounds, reward: RewardTerms) -> FoldResult:
    """Trade what was taken out of the time.

    Raises:
        ValueError: There is no entry in a part of it.
    """
    runs = [run_over(ground, each, choose, bounds=bounds, reward=reward) for each in fold.test]
    wrong = [degenerate(each) for each in runs]
    return FoldResult(
        daily=tuple(each.daily for each in runs),
        entries=sum(len(each.scales) for each in runs),
        trades=sum(each.trades for each in runs),
        won=sum(each.won for each in runs),
        scale=float(np.concatenate([each.scales for each in runs]).mean()),
        unknown=sum(each.unknown for each in runs),
        degenerate=wrong[0] if all(wrong) else "",
    )


def others_on(ground: Ground, fold: Fold, *, reward: RewardTerms) -> Mapping[str, FoldResult]:
    """What needs no policy, with the number that was best on what is left of the time.

    Raises:
        ValueError: There is no entry in a part of it.
    """

    def tried(choose: Choose, number: float) -> FoldResult:
        return _numbered(tried_on(ground, fold, choose, bounds=RULE_BOUNDS, reward=reward), number)

    def best(of: Callable[[float], Choose], values: Sequence[float]) -> FoldResult:
        def reward_of(each: float) -> float:
            runs = (run_over(ground, part, of(each), bounds=RULE_BOUNDS, reward=reward) for part in fold.train)
            return sum(run.reward for run in runs)

        number = max(values, key=reward_of)
        return tried(of(number), number)

    return {FULL: tried(constant(1.0), 1.0), CONSTANT: best(constant, SCALES), TARGET: best(targeting, VOLATILITIES)}


def study_of(
    seeds: Mapping[int, Results],
    others: Mapping[str, Results],
    groups: int,
    rng: np.random.Generator,
) -> Study:
    """Put together what came of all folds.

    Args:
        seeds: Of each seed.
        others: Of each way that needs no policy.
        groups: Into how many groups time was cut.
        rng: Where the chance of resampling comes from.
    """
    own = np.stack([paths_of(each, groups) for each in seeds.values()], axis=1)
    beside = {name: paths_of(each, groups) for name, each in others.items()}
    all_own = [each for results in seeds.values() for each in results.values()]
    rows = [_row("policy", own, list(seeds.values()), rng)]
    rows += [_row(name, paths[:, None], [others[name]], rng) for name, paths in beside.items()]
    return Study(
        rows=tuple(rows),
        gains=tuple(_gain(name, own, beside[name], list(seeds.values()), others[name], rng) for name in beside),
        seeds={
            seed: {name: float((own[:, number] - paths).mean()) * DAYS_A_YEAR for name, paths in beside.items()}
            for number, seed in enumerate(seeds)
        },
        degenerate=sum(bool(each.degenerate) for each in all_own),
        trained=len(all_own),
    )


def paths_of(results: Results, groups: int) -> Floats:
    """``float64[days, paths]``: paths through all of the time; on the n-th each group is as it was the n-th time."""
    columns = []
    for group in range(groups):
        out = sorted(taken for taken in results if group in taken)
        columns.append(np.stack([results[taken].daily[taken.index(group)] for taken in out], axis=1))
    return np.concatenate(columns)


def _numbered(found: FoldResult, number: float) -> FoldResult:
    return replace(found, number=number)


def _row(name: str, own: Floats, results: Sequence[Results], rng: np.random.Generator) -> StudyRow:
    none = np.zeros((len(own), own.shape[2]))

    def told(figure: Callable[[Floats], float]) -> Told:
        return Told(value=figure(own), interval=seeds_interval(own, none, lambda drawn, _: figure(drawn), rng))

    won, trades = _counted(results)
    return StudyRow(
        name=name,
        growth=told(_growth),
        sharpe=told(_sharpe),
        drawdown=told(_drawdown),
        win_rate=_rate(won, trades, np.zeros(won.shape[1]), np.zeros(won.shape[1]), rng),
        trades=float(trades.sum(axis=1).mean()) / _times_out(results),
        scale=float(np.mean([each.scale for result in results for each in result.values()])),
    )


def _gain(
    name: str, own: Floats, other: Floats, results: Sequence[Results], beside: Results, rng: np.random.Generator
) -> StudyRow:
    def told(figure: Callable[[Floats], float]) -> Told:
        def differs(drawn: Floats, against: Floats) -> float:
            return figure(drawn) - figure(against[:, None])

        return Told(value=differs(own, other), interval=seeds_interval(own, other, differs, rng))

    won, trades = _counted(results)
    (won_beside,), (trades_beside,) = _counted([beside])
    return StudyRow(
        name=name,
        growth=told(_growth),
        sharpe=told(_sharpe),
        drawdown=told(_drawdown),
        win_rate=_rate(won, trades, won_beside, trades_beside, rng),
        trades=(float(trades.sum(axis=1).mean()) - float(trades_beside.sum())) / _times_out(results),
        scale=float(np.mean([each.scale for result in results for each in result.values()]))
        - float(np.mean([each.scale for each in beside.values()])),
    )


def _times_out(results: Sequence[Results]) -> int:
    """How often each group is taken out: so many paths there are."""
    return sum(0 in taken for taken in results[0])


def _counted(results: Sequence[Results]) -> tuple[Floats, Floats]:
    """``float64[seeds, folds]`` twice: how many trades were won, and how many there were."""
    folds = sorted(results[0])
    won = np.array([[float(each[fold].won) for fold in folds] for each in results])
    return won, np.array([[float(each[fold].trades) for fold in folds] for each in results])


def _rate(won: Floats, trades: Floats, won_beside: Floats, beside: Floats, rng: np.random.Generator) -> Told:
    """The part of trades that is won, less that of others; seeds and folds are drawn anew for its interval."""

    def rate(of: Floats, all_: Floats) -> float:
        return float(of.sum() / all_.sum()) if all_.sum() else 0.0

    count, folds = won.shape
    drawn = []
    for _ in range(_DRAWS):
        some, rows = rng.integers(0, folds, folds), rng.integers(0, count, count)
        drawn.append(rate(won[rows][:, some], trades[rows][:, some]) - rate(won_beside[some], beside[some]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    moves = bool(np.ptp(drawn) > 0)
    return Told(
        value=rate(won, trades) - rate(won_beside, beside),
        interval=Interval(low=float(low), high=float(high)) if moves else None,
    )


def _growth(daily: Floats) -> float:
    return float(daily.mean()) * DAYS_A_YEAR


def _sharpe(daily: Floats) -> float:
    returns = np.expm1(daily)
    deviation = returns.std(axis=0, ddof=1)
    ratios = np.where(deviation > _FLAT, returns.mean(axis=0) / np.where(deviation > _FLAT, deviation, 1.0), 0.0)
    return float(ratios.mean()) * float(np.sqrt(DAYS_A_YEAR))


def _drawdown(daily: Floats) -> float:
    summed = np.maximum(np.cumsum(daily, axis=0), -700.0)
    peak = np.maximum(np.maximum.accumulate(summed, axis=0), 0.0)
    return float((1 - np.exp(summed - peak)).max(axis=0).mean())
