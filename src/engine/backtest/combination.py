"""One combination of a sweep: the parameters, and the figures that it is compared by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.grid import Params
from engine.backtest.kernel_run import lot_of, traded
from engine.backtest.returns import sharpe_of_ratio
from engine.backtest.setup import BacktestSetup
from engine.risk.metrics import simple_returns
from engine.simulation.compiled import compiled_summary
from engine.simulation.summary import SUMMARY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.backtest.slots import Shared

PERIODS = 512
"""Into how many returns a run is told apart at most, to compare combinations over parts of the time."""


class Merit(StrEnum):
    """What combinations are ordered by."""

    SHARPE = "sharpe"
    GAIN = "gain"
    DRAWDOWN = "drawdown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Combination:
    """What one combination came to.

    Attributes:
        params: What was varied.
        gain: Of the whole time, as a fraction.
        sharpe: Of a year; ``None`` where nothing moved.
        drawdown: The deepest one at the ends of days, as a fraction.
        trades, won: How many there were, and how many made something after fees.
        fees: In the quote currency, of what is held at the end too.
        returns: Of at most ``PERIODS`` parts of the time, each of as many days.
    """

    params: Params
    gain: float
    sharpe: float | None
    drawdown: float
    trades: int
    won: int
    fees: float
    returns: NDArray[np.float32]

    def merit(self, by: Merit) -> float:
        """The larger the better; what has no Sharpe ratio comes last."""
        match by:
            case Merit.SHARPE:
                return -np.inf if self.sharpe is None else self.sharpe
            case Merit.GAIN:
                return self.gain
            case Merit.DRAWDOWN:
                return -self.drawdown


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A combination that its strategy refuses, and why: ``fast must be below slow``."""

    params: Params
    why: str


def combination(setup: BacktestSetup, params: Params, shared: Shared) -> Combination:
    """Trade a setup with these parameters in it.

    Raises:
        DataError: The candles cannot be traded on.
        StrategyError: The strategy failed.
    """
    slots, tape, _ = traded(setup, shared)
    cash, curve, found = float(setup.cash), np.empty(len(tape.days) + 2), np.zeros(1, SUMMARY)
    compiled_summary()(tape, cash, np.array([lot_of(setup, slot.symbol) for slot in slots]), curve, found)
    equity, points, ratio, drawdown, won, fees = found[0].item()
    return Combination(
        params=params,
        gain=(equity - cash) / cash,
        sharpe=sharpe_of_ratio(ratio, points - 1),
        drawdown=drawdown,
        trades=int(tape.account[0]["trades"]),
        won=won,
        fees=fees,
        returns=simple_returns(curve[_rows(points - 1)]).astype(np.float32),
    )


@cache
def _rows(days: int) -> NDArray[np.int64]:
    """The ends of the parts of so many days."""
    return np.unique(np.linspace(0, days, min(days, PERIODS) + 1).round().astype(np.int64))
