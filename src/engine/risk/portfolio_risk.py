"""What everything held may lose on a day: value at risk and what lies beyond it, over the returns of late.

The profit or loss of the account in each candle of history, had it held what it holds now (historical simulation: P.
Jorion, Value at Risk, 2006, 10), as a fraction of equity; by its empirical distribution and by Cornish and Fisher's
expansion, of which the larger counts. From a candle to a day by the square root of time (RiskMetrics, Technical
Document, 1996, 5.3).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.positions import Portfolio
from engine.domain.risk_stats import RiskStats
from engine.risk.metrics import CVaRCalculator, VaRCalculator

if TYPE_CHECKING:
    from engine.domain.market import Floats

_VAR, _CVAR = VaRCalculator(), CVaRCalculator()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PortfolioRisk:
    """Of a day, at 95 %, as fractions of equity; ``None`` where there are too few returns.

    Attributes:
        equity: In the quote currency.
        results: What the account would have made in each candle, as a fraction of equity.
        returns: Of each market that is known, by symbol.
        to_a_day: What a candle's figures are multiplied by for a day's.
        unknown: What is held without known returns, in words; it is in no figure.
    """

    equity: Decimal
    results: Floats
    returns: Mapping[str, Floats]
    to_a_day: float
    unknown: str = ""

    @property
    def var_historical(self) -> float | None:
        """By the empirical distribution."""
        return self._of_a_day(_VAR.historical(self.results))

    @property
    def var_cornish_fisher(self) -> float | None:
        """By the expansion; ``None`` also where that is no distribution."""
        return self._of_a_day(_VAR.cornish_fisher(self.results))

    @property
    def cvar_historical(self) -> float | None:
        """By the empirical distribution."""
        return self._of_a_day(_CVAR.historical(self.results))

    @property
    def cvar_cornish_fisher(self) -> float | None:
        """By the expansion; ``None`` also where that is no distribution."""
        return self._of_a_day(_CVAR.cornish_fisher(self.results))

    @property
    def var(self) -> float | None:
        """The larger of both."""
        return _larger(self.var_historical, self.var_cornish_fisher)

    @property
    def cvar(self) -> float | None:
        """The larger of both."""
        return _larger(self.cvar_historical, self.cvar_cornish_fisher)

    @property
    def emptied(self) -> PortfolioRisk:
        """The same with nothing held."""
        return replace(self, results=np.zeros(len(self.results)), unknown="")

    def _of_a_day(self, value: float | None) -> float | None:
        return None if value is None else max(0.0, value) * self.to_a_day


def risk_of(account: Portfolio, stats: RiskStats) -> PortfolioRisk:
    """The risk of what an account holds and is buying, over the candles of some figures.

    Args:
        account: With equity above 0.
        stats: Of one market, compared with others of the same candles.
    """
    returns = {**stats.others, stats.symbol: stats.returns}
    values = values_of(account)
    results = np.zeros(len(stats.returns))
    for symbol, value in values.items():
        if symbol in returns:
            results = results + float(value / account.equity) * returns[symbol]
    return PortfolioRisk(
        equity=account.equity,
        results=results,
        returns=returns,
        to_a_day=math.sqrt(timedelta(days=1) / stats.timeframe.duration),
        unknown=", ".join(sorted(set(values) - set(returns))),
    )


def with_entry(base: PortfolioRisk, symbol: str, value: Decimal) -> PortfolioRisk:
    """The same once so much of a market is held beside."""
    return replace(base, results=base.results + float(value / base.equity) * base.returns[symbol])


def values_of(account: Portfolio) -> dict[str, Decimal]:
    """What is held of each market or being bought, by symbol, in the quote currency."""
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    for held in account.positions:
        values[held.symbol] += held.worth(account.mark(held))
    for order in account.buying:
        values[order.symbol] += order.value
    return dict(values)


def _larger(one: float | None, other: float | None) -> float | None:
    known = [each for each in (one, other) if each is not None]
    return max(known) if known else None
