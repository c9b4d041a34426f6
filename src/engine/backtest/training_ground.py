"""From a setup to what a policy is trained on: the kernel's tape, and the figures that go with each entry.

They are those that live has at such a close, made by the functions that live calls: of as many candles as live keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.technical import HISTORY
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.slots import Shared, Slot, slots_of
from engine.backtest.tape import tape_of
from engine.domain.errors import BadInput
from engine.learning.env import Ground
from engine.learning.features import MARKET, Shares, market_figures
from engine.risk import metrics
from engine.risk.stats import measure
from engine.simulation.tapes import Tape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.decisions import Frame
    from engine.domain.market import Floats

    Rows = NDArray[np.int64]


def ground_of(setup: BacktestSetup) -> Ground:
    """Everything that episodes go over.

    Raises:
        BadInput: It is traded without risk limits, or nothing is ever entered.
        DataError: The candles cannot be traded on.
    """
    if not isinstance(setup.terms, RiskTerms):
        raise BadInput("A policy is trained within the risk limits.", "Leave out --risk off.")
    shared = Shared()
    slots = slots_of(setup, shared)
    tape = tape_of(setup, slots, shared)
    if not tape.entry.any():
        raise BadInput("The strategies enter nothing on these candles.", "Give more candles, or other strategies.")
    market = np.full((len(tape.said_ms), len(MARKET)), np.nan)
    correlations = np.zeros((len(tape.said_ms), len(tape.markets)))
    frames = [shared.frames[slot.symbol, slot.context.timeframe] for slot in slots]
    for k, row in enumerate(tape.slots):
        entered = np.flatnonzero(tape.entry[row["first"] : row["end"]])
        market[row["first"] + entered] = _figures(frames[k], entered)
        for other, number in _others(slots, tape, k).items():
            frame = shared.frames.get((other, slots[k].context.timeframe))
            if frame is not None:
                correlations[row["first"] + entered, number] = _correlations(frames[k], frame, entered)
    limits = setup.terms.limits
    return Ground(
        tape=tape,
        market=market,
        correlations=correlations,
        shares=Shares(risk_per_trade=float(limits.risk_per_trade), max_position=float(limits.max_position)),
        cash=float(setup.cash),
    )


def _figures(frame: Frame, rows: Rows) -> Floats:
    """``float64[n, 6]``: the figures of a market at some closes."""
    candles, mean, atr = frame.candles, frame.columns.reading("ma_50"), frame.columns.reading("atr")
    found = np.full((len(rows), len(MARKET)), np.nan)
    for number, row in enumerate(rows):
        stats = measure(candles.cut(max(0, row + 1 - HISTORY), row + 1), _known(atr[row]))
        found[number] = market_figures(stats, float(candles.close[row]), _known(mean[row]))
    return found


def _others(slots: Sequence[Slot], tape: Tape, k: int) -> Mapping[str, int]:
    """The other markets, each with its number."""
    return {each.symbol: int(tape.slots[j]["market"]) for j, each in enumerate(slots) if each.symbol != slots[k].symbol}


def _correlations(own: Frame, other: Frame, rows: Rows) -> Floats:
    """With the returns of another market over the same candles; 0 where these are not there."""
    found = np.zeros(len(rows))
    at = other.candles.open_ms.searchsorted(own.candles.open_ms[rows])
    for number, (row, there) in enumerate(zip(rows.tolist(), at.tolist(), strict=True)):
        first = max(0, row + 1 - HISTORY)
        begin = there - (row - first)
        if begin < 0 or there >= len(other.candles) or other.candles.open_ms[there] != own.candles.open_ms[row]:
            continue
        left, right = (
            metrics.simple_returns(each)
            for each in (own.candles.close[first : row + 1], other.candles.close[begin : there + 1])
        )
        found[number] = metrics.correlation(left, right) or 0.0
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
