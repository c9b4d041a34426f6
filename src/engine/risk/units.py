"""From exact decimals to the floats that ``risk.scalars`` reckons in, rounded to the side that allows less."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market import Market

_PPM = Decimal(1_000_000)


def down(value: Decimal) -> float:
    """The largest float that is not above a decimal."""
    near = float(value)
    return math.nextafter(near, -math.inf) if Decimal(near) > value else near


def up(value: Decimal) -> float:
    """The smallest float that is not below a decimal."""
    near = float(value)
    return math.nextafter(near, math.inf) if Decimal(near) < value else near


def ppm_down(share: Decimal) -> float:
    """A share in millionths, not above it."""
    return down(share * _PPM)


def ppm_up(share: Decimal) -> float:
    """A share in millionths, not below it."""
    return up(share * _PPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The steps of a market, to count in: lots, ticks, and grains, what a lot is worth at a price of one tick."""

    market: Market

    def ticks(self, price: Decimal) -> Decimal:
        """A price, or a distance between two."""
        return price / self.market.tick

    def lots(self, quantity: Decimal) -> Decimal:
        """A quantity that need not be of whole lots."""
        return quantity / self.market.lot

    def grains(self, value: Decimal) -> Decimal:
        """An amount of the quote currency."""
        return value / (self.market.lot * self.market.tick)
