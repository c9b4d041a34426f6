"""The markets that answers are about, and prices there."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True)
class Market:
    """A market, the range of its price, and its tick."""

    symbol: str
    low: Decimal
    high: Decimal
    tick: Decimal

    @property
    def base(self) -> str:
        """Return the currency that is bought."""
        return self.symbol.split("/")[0]

    @property
    def quote(self) -> str:
        """Return the currency that pays."""
        return self.symbol.split("/")[1]


def _market(symbol: str, low: str, high: str, tick: str) -> Market:
    """Make a market from texts."""
    return Market(symbol, Decimal(low), Decimal(high), Decimal(tick))


MARKETS: tuple[Market, ...] = (
    _market("BTC/USDT", "40000", "100000", "0.01"),
    _market("ETH/USDT", "1500", "5000", "0.01"),
    _market("SOL/USDT", "20", "300", "0.01"),
    _market("LINK/USDT", "5", "40", "0.001"),
    _market("SHIB/USDT", "0.000008", "0.00004", "0.00000001"),
    _market("PEPE/USDT", "0.000004", "0.00003", "0.00000001"),
    _market("SOL/USDC", "20", "300", "0.01"),
    _market("AVAX/USDC", "8", "60", "0.01"),
    _market("BONK/USDC", "0.00001", "0.00005", "0.00000001"),
    _market("BTC/EUR", "20000", "95000", "1"),
    _market("ETH/EUR", "1200", "4500", "0.1"),
    _market("ADA/EUR", "0.2", "1.5", "0.0001"),
    _market("XRP/TRY", "10", "120", "0.01"),
    _market("DOGE/TRY", "2", "20", "0.001"),
    _market("SHIB/TRY", "0.0003", "0.002", "0.0000001"),
    _market("ETH/BTC", "0.02", "0.08", "0.00001"),
    _market("LTC/BTC", "0.0005", "0.003", "0.000001"),
    _market("DOGE/BTC", "0.000001", "0.000005", "0.00000001"),
    _market("PEPE/BTC", "0.00000001", "0.00000009", "0.00000000001"),
)

QUOTES = ("USDT", "USDC", "EUR", "TRY", "BTC", "USD")


def log_uniform(rng: random.Random, low: Decimal, high: Decimal) -> Decimal:
    """Return a number between two positive numbers, even in its logarithm."""
    factor = (float(high) / float(low)) ** rng.random()
    return low * Decimal(repr(factor))


def on_tick(value: Decimal, tick: Decimal) -> Decimal:
    """Round a price to a whole number of ticks."""
    return (value / tick).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * tick


def prices(rng: random.Random, market: Market, least_ticks: int) -> tuple[Decimal, Decimal]:
    """Return the best bid and the best ask, 1 to 30 ticks apart."""
    bid = on_tick(log_uniform(rng, market.low, market.high), market.tick)
    most = int(bid * Decimal("0.05") / market.tick)
    most = max(least_ticks, min(30, most))
    ticks = rng.randint(least_ticks, most)
    if rng.random() < 0.4:
        ticks = least_ticks
    return bid, bid + market.tick * ticks
