"""What no row of candles can say, whichever file it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.domain.market import Candles, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PRICE, MOST_PRICE = 1e-15, 1e12
"""No coin was ever quoted outside these, in whatever currency."""
MOST_VOLUME = 1e24
"""More than a candle of any coin traded; beyond that sums lose their digits."""

RowFault = tuple[str, "NDArray[np.intp]", str]
"""What kind it is, the rows that have it (from 0), and what is wrong, to stand after a row's name."""


def row_faults(candles: Candles) -> tuple[RowFault, ...]:
    """Everything wrong with single rows, or with how they follow one another; gaps are no fault."""
    return tuple(fault for fault in (*_order(candles), *_values(candles)) if len(fault[1]))


def _order(candles: Candles) -> tuple[RowFault, ...]:
    steps = np.diff(candles.open_ms)
    off_grid = candles.open_ms % min(candles.timeframe.millis, Timeframe.D1.millis) != 0
    return (
        ("unsorted", np.flatnonzero(steps < 0) + 1, "is older than the row before"),
        ("duplicate", np.flatnonzero(steps == 0) + 1, "repeats the time of the row before"),
        ("off-grid", np.flatnonzero(off_grid), f"does not open on a {candles.timeframe} boundary"),
    )


def _values(candles: Candles) -> tuple[RowFault, ...]:
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    known = np.isfinite(prices).all(axis=0) & np.isfinite(candles.volume)
    lowest, highest = prices.min(axis=0), prices.max(axis=0)
    negative = (lowest <= 0) | (candles.volume < 0)
    extreme = (lowest < LEAST_PRICE) | (highest > MOST_PRICE) | (candles.volume > MOST_VOLUME)
    outside = (candles.high < highest) | (candles.low > lowest)
    return (
        ("not a number", np.flatnonzero(~known), "has a price or volume that is no number"),
        ("negative", np.flatnonzero(known & negative), "has a price or volume that cannot be"),
        ("extreme", np.flatnonzero(known & ~negative & extreme), "has a price or volume beyond what any coin had"),
        ("inconsistent", np.flatnonzero(known & outside), "opens or closes outside low to high"),
    )
