"""A sweep: a strategy with many combinations of its parameters, over the same candles.

choose ─▶ what is kept already, else workers ─▶ keep ─▶ tell whoever chooses ─▶ what the best is worth
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.choosing import Choice
from engine.backtest.cluster import ClusterWorkers
from engine.backtest.combination import Combination, LeftOut, Merit, combination
from engine.backtest.cross_validation import CrossValidation, cross_validated
from engine.backtest.grid import Params
from engine.backtest.kept_sweep import Done, KeptSweep, key_of
from engine.backtest.overfitting import PARTS, probability_of_overfitting
from engine.backtest.setup import BacktestSetup
from engine.backtest.slots import Shared
from engine.backtest.workers import Workers
from engine.domain.errors import BadInput, ConfigError
from engine.simulation.compiled import compiled, compiled_crossing, compiled_summary, cross

if TYPE_CHECKING:
    from engine.domain.market import Floats

Vary = Callable[[Params], BacktestSetup]
"""The setup of a combination.

Raises:
    BadInput, ConfigError: Its strategy refuses it.
"""
_KEPT_VALUES = 2**26
"""How many values of readings a worker keeps to share: 512 MB. Then it begins anew."""
_MANY, _FEWER_PARTS = 1_000, 12
"""With more combinations time is cut into fewer parts: 924 ways to halve it in the place of 12,870, and no wait."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """What a sweep came to.

    Attributes:
        combinations: The best first.
        left_out: Those that the strategy refuses.
        known: All that was ever traded of it: what was kept may be of a grid that had others.
        stopped: Whether it was stopped before its end.
    """

    combinations: tuple[Combination, ...]
    left_out: tuple[LeftOut, ...]
    known: tuple[Combination, ...]
    stopped: bool

    @property
    def overfitting(self) -> float | None:
        """How likely the best of one half of the time is below the median of the other (``overfitting``)."""
        if not self.combinations:
            return None
        return probability_of_overfitting(self.returns, PARTS if len(self.combinations) <= _MANY else _FEWER_PARTS)

    def cross_validated(self, parts_a_year: float) -> CrossValidation | None:
        """What choosing the best comes to on other time (``cross_validation``), of so many parts that a year has."""
        return cross_validated(self.returns, parts_a_year) if self.combinations else None

    @property
    def returns(self) -> Floats:
        """``float64[n, k]``: those of parts of the time, a column for each combination."""
        return np.stack([each.returns for each in self.combinations], axis=1).astype(np.float64)


def sweep(
    vary: Vary,
    choice: Choice,
    merit: Merit,
    kept: KeptSweep,
    *,
    workers: int | None = None,
    cluster: str = "",
    is_stopped: Callable[[], bool] = lambda: False,
    on_done: Callable[[Sequence[Done]], None] = lambda _: None,
) -> Sweep:
    """Try what is chosen.

    Args:
        vary: The setup of a combination.
        choice: Which are tried.
        merit: What they are ordered by.
        kept: What is done already; what is done is added to it.
        workers: How many processes; ``None`` for one a core.
        cluster: The address of a cluster of Ray that does it instead; empty for this machine's cores.
        is_stopped: Whether to stop.
        on_done: Hears what was done, and first what was kept.

    Raises:
        GreenlightError: A combination failed.
    """
    for each in (compiled, compiled_summary, compiled_crossing):
        each()  # once, before there are many
    done = kept.done()
    on_done(list(done.values()))
    tried: dict[str, Done] = {}
    work = _Work(vary)
    with ClusterWorkers(work, cluster, workers) if cluster else Workers(work, workers) as pool:
        asked = next(choice, None)
        while asked is not None and not is_stopped():
            keys = [key_of(each) for each in asked]
            wanted = dict(zip(keys, asked, strict=True))
            missing = [each for key, each in wanted.items() if key not in done]
            for found in pool.each(missing, is_stopped):
                kept.add(found)
                done |= {key_of(each.params): each for each in found}
                on_done(found)
            tried |= {key: done[key] for key in wanted if key in done}
            if any(key not in done for key in wanted):
                break
            try:
                asked = choice.send([done[each] for each in keys])
            except StopIteration:
                asked = None
    found_ = [each for each in tried.values() if isinstance(each, Combination)]
    return Sweep(
        combinations=tuple(sorted(found_, key=lambda each: each.merit(merit), reverse=True)),
        left_out=tuple(each for each in tried.values() if isinstance(each, LeftOut)),
        known=tuple(each for each in done.values() if isinstance(each, Combination)),
        stopped=asked is not None,
    )


class _Work:
    """What a worker does; what combinations have in common is made once in each."""

    def __init__(self, vary: Vary) -> None:
        self._vary, self._shared = vary, Shared(cross=cross)

    def __call__(self, params: Params) -> Done:
        try:
            setup = self._vary(params)
        except (BadInput, ConfigError) as error:
            return LeftOut(params=params, why=error.message)
        if self._shared.values > _KEPT_VALUES:
            self._shared = replace(self._shared, frames={})
        return combination(setup, params, self._shared)
