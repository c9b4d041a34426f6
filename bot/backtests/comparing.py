"""``bot compare``: what two backtests have in common, and where they differ."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.backtests.asked import Asked
from bot.backtests.revisions import at_revision
from bot.backtests.setups import setup_of
from config.settings import Settings
from engine.backtest.kernel_run import backtest
from engine.backtest.look_ahead import refuse_peeking
from engine.backtest.registry import TrialRegistry
from engine.backtest.setup import BacktestSetup, FillAt
from engine.backtest.statistics import Statistics, statistics
from engine.backtest.trade_differences import TradeDifferences, trade_differences
from engine.backtest.trials import trial_of
from engine.domain.backtests import BacktestResult
from engine.domain.errors import BadInput
from engine.domain.market import Timeframe

if TYPE_CHECKING:
    from engine.backtest.returns import Curve

_LEAST_DAYS = 20
"""Of fewer days in common nothing is said of how they move together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One of the two.

    Attributes:
        said: As it was asked for.
    """

    said: str
    setup: BacktestSetup
    result: BacktestResult
    figures: Statistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Two backtests over the same candles.

    Attributes:
        differences: Of their trades.
        together: The correlation of their days, where there are enough and both move.
    """

    first: Side
    second: Side
    differences: TradeDifferences
    together: float | None


def compare(
    said: tuple[str, str], common: Asked, settings: Settings, registry: TrialRegistry, now: datetime, folder: Path
) -> Comparison:
    """Trade both, and lay them side by side. Each is a trial.

    Args:
        said: Both as they were asked for: ``rsi_bands rsi_low=25 risk=off``.
        common: What was asked of both.
        settings: The settings.
        registry: Where trials are written down.
        now: The time on the wall.
        folder: One of ours, for strategies of another revision.

    Raises:
        GreenlightError: One makes no sense, cannot be traded, or looks ahead.
    """
    sides = []
    for text in said:
        setup = setup_of(asked_of(text, common, folder), settings)
        refuse_peeking(setup)
        result = backtest(setup)
        sides.append(Side(said=text, setup=setup, result=result, figures=statistics(setup, result)))
    for side in sides:
        span = side.result.begins, side.result.ends
        registry.add(trial_of(side.setup, [side.figures.account.sharpe], command="compare", at=now, span=span))
    first, second = sides
    return Comparison(
        first=first,
        second=second,
        differences=trade_differences(first.result.trades, second.result.trades),
        together=_together(first.figures.curve, second.figures.curve),
    )


def _together(one: Curve, other: Curve) -> float | None:
    """How their days go together, of the days that both have."""
    _, mine, yours = np.intersect1d(one.at_ms[1:], other.at_ms[1:], return_indices=True)
    left, right = one.returns[mine], other.returns[yours]
    if len(left) < _LEAST_DAYS or not (np.ptp(left) > 0 and np.ptp(right) > 0):
        return None
    return float(np.corrcoef(left, right)[0, 1])


def asked_of(text: str, common: Asked, folder: Path) -> Asked:
    """What is asked of one: a strategy, its parameters, and what is its own.

    Args:
        text: As it was asked for: ``rsi_bands rsi_low=25 risk=off``.
        common: What was asked of all.
        folder: One of ours, for strategies of another revision.

    Raises:
        BadInput: It makes no sense.
    """
    try:
        name, *words = shlex.split(text)
    except ValueError:
        raise BadInput(f"{text!r} names no strategy.", 'Write it like "rsi_bands rsi_low=25 risk=off".') from None
    own, params = dict[str, Any](), []
    for word in words:
        key, given, value = word.partition("=")
        if not given:
            near = get_close_matches(key, _OWN, n=1)
            hint = f"Did you mean {near[0]}=…?" if near else 'Write it like "rsi_bands rsi_low=25 risk=off".'
            raise BadInput(f"{key} has no value in {text!r}.", hint)
        if key in _OWN:
            own |= _read(key, value)
        else:
            params.append(word)
    return replace(common, strategy=at_revision(name, folder), params=tuple(params), **own)


def _read(key: str, value: str) -> Mapping[str, Any]:
    try:
        return _OWN[key](value)
    except (ValueError, InvalidOperation, KeyError):
        raise BadInput(f"{key}={value} makes no sense.", "Write it as bot backtest takes it.") from None


_OWN: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "timeframe": lambda value: {"timeframe": Timeframe(value)},
    "fee": lambda value: {"fee": _fraction(value)},
    "size": lambda value: {"size": float(value)},
    "fill": lambda value: {"fill_at": FillAt(value)},
    "risk": lambda value: {"bare": {"on": False, "off": True}[value]},
    "approve": lambda value: {"approved": {"all": True, "none": False}[value]},
}
"""What may be asked of one of the two alone, beside parameters of its strategy."""


def _fraction(value: str) -> Decimal:
    found = Decimal(value)
    if not 0 <= found < 1:
        raise ValueError(value)
    return found
