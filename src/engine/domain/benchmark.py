"""What holding the traded markets would have come to: the mark that a bot has to beat.

At the beginning the same amount goes into each market, and nothing is done after that; no fees are taken off. Where a
market joins or leaves, the whole is spread evenly again at the prices of that moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

_DIGITS = Decimal("1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What is held of each market, in its base currency, for 1 of the quote currency at the beginning."""

    held: Mapping[str, Decimal]

    def worth(self, prices: Mapping[str, Decimal]) -> Decimal:
        """What it is worth at prices that hold all of its markets; 1 where it holds nothing yet."""
        if not self.held:
            return Decimal(1)
        return sum((prices[m] * quantity for m, quantity in self.held.items()), Decimal(0)).quantize(_DIGITS)

    def over(self, markets: Collection[str], prices: Mapping[str, Decimal]) -> Benchmark:
        """The same worth held in these markets, as far as they have a price; unchanged where it is so already."""
        priced = {market: prices[market] for market in sorted(markets) if prices.get(market, 0) > 0}
        if priced.keys() == self.held.keys() or not priced:
            return self
        share = self.worth(prices) / len(priced)
        return Benchmark(held={market: share / price for market, price in priced.items()})
