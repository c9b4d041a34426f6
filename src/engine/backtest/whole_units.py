"""Columns of prices and volumes in whole ticks and lots, exactly as live makes them of each number.

Nearly all are plain in floats. Those so near to the next whole number, or to halfway, that a float cannot tell are made
of decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.domain.market import Floats, Market
    from engine.simulation.fills import FillModel

_UNSURE = 1e-14
"""How far a number of ticks or lots may be off, as a part of it: twenty times what two roundings come to."""


def in_ticks(prices: Floats, market: Market) -> Floats:
    """Each price to the nearest tick, as ``Market.price`` has it.

    Raises:
        DataError: One is less than half a tick.
    """
    exact = prices / float(market.tick)
    ticks = np.rint(exact)
    for row in np.flatnonzero(np.abs(np.abs(exact - ticks) - 0.5) < _UNSURE * exact):
        ticks[row] = float(market.price(float(prices[row])) / market.tick)
    if (ticks < 1).any():
        market.price(float(prices[ticks.argmin()]))
    return ticks


def offered_lots(volumes: Floats, market: Market, model: FillModel) -> Floats:
    """The lots on each level of a book after each candle, as ``fills.levels`` has them."""
    exact = volumes * (float(model.depth) / model.levels / float(market.lot))
    lots = np.floor(exact)
    for row in np.flatnonzero(np.abs(exact - np.rint(exact)) < _UNSURE * exact):
        lots[row] = market.lots(Decimal(repr(float(volumes[row]))) * model.depth / model.levels)
    return lots
