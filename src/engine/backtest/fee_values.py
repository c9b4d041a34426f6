"""What the fees of a replay were worth, where they are taken in a currency of their own.

That lies beside the account, as it does live (``account.holdings: ignore``): equity does not see it go. Here each fee
counts when it is taken, at the price of then, so that the account comes to what its trades do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.setup import BacktestSetup
from engine.domain.market import to_millis
from engine.domain.trade_views import FillView
from engine.ports import MarketFeed

if TYPE_CHECKING:
    from engine.domain.market import Floats, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidBeside:
    """The fees that were taken from beside the account: when, and what they were worth in the quote currency."""

    at_ms: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    def until(self, at_ms: Millis) -> Floats:
        """What was paid up to each of some times."""
        paid = np.append(0.0, np.cumsum(self.values))
        return np.asarray(paid[np.searchsorted(self.at_ms, at_ms, side="right")], dtype=np.float64)


def fee_value(setup: BacktestSetup, feed: MarketFeed, view: FillView) -> Decimal:
    """What a fill's fee was worth in the quote currency, when it was taken.

    Raises:
        NoData: It is in a currency that has no price; no venue takes it so.
    """
    fill = view.fill
    if not is_beside(view) or fill.fee is None:
        return view.fee_value
    return fill.fee.amount * (setup.model.fee_price or feed.price(f"{fill.fee.currency}/{fill.quote}", fill.at))


def paid_beside(setup: BacktestSetup, feed: MarketFeed, fills: Iterable[FillView]) -> PaidBeside:
    """The fees of some fills that were taken from beside the account."""
    found: Sequence[FillView] = sorted((each for each in fills if is_beside(each)), key=lambda each: each.fill.at)
    return PaidBeside(
        at_ms=tuple(to_millis(each.fill.at) for each in found),
        values=tuple(float(fee_value(setup, feed, each)) for each in found),
    )


def is_beside(view: FillView) -> bool:
    """Whether the fee of a fill is in neither of its currencies."""
    fill = view.fill
    return fill.fee is not None and fill.fee.currency not in (fill.base, fill.quote)
