"""What there is to trade in a run: which coins, in which steps, and how deep their books are. Drawn from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from engine.domain.market import Book, Level
from engine.domain.orders import Side
from engine.ports import MarketFeed
from engine.simulation import fills
from engine.simulation.fills import FillModel

THIN = 0.4
"""The share of the seeds whose markets are thin, and whose contexts share a coin."""
RICH, POOR = Decimal("0.3"), (Decimal("0.004"), Decimal("0.01"), Decimal("0.03"))
"""What the asks of a thin market are worth, as a share of the account, and what the bids are from candle to candle."""
STIRS = 0.1
"""How often they are worth as much, for a candle."""
LEVELS = 2
"""Each that is taken is a fill, and a run's time goes with the fills."""


@dataclass(frozen=True, kw_only=True)
class Coins:
    """Two markets and the account that trades them, as the configuration has them."""

    quote: str
    balance: Decimal
    markets: Mapping[str, Mapping[str, Any]]

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.markets)


LARGE = Coins(
    quote="USDT",
    balance=Decimal(10_000),
    markets={"BTC/USDT": {"start_price": 60000}, "ETH/USDT": {"start_price": 3000, "lot": "0.0001"}},
)
TINY = Coins(
    quote="EUR",
    balance=Decimal(2_500),
    markets={
        "PEPE/EUR": {"start_price": "0.0000123", "lot": 1, "tick": "0.0000000001", "min_notional": 1},
        "DOGE/EUR": {"start_price": "0.12", "lot": 1, "tick": "0.00001", "min_notional": 1},
    },
)
COARSE = Coins(
    quote="USDC",
    balance=Decimal(80_000),
    markets={
        "XMR/USDC": {"start_price": 150, "lot": "0.1", "tick": "0.1", "min_notional": 5},
        "YFI/USDC": {"start_price": 5000, "lot": "0.01", "tick": 1, "min_notional": 5},
    },
)
IN_BITCOIN = Coins(
    quote="BTC",
    balance=Decimal("0.4"),
    markets={
        "ETH/BTC": {"start_price": "0.05", "lot": "0.0001", "tick": "0.000001", "min_notional": "0.0001"},
        "LTC/BTC": {"start_price": "0.0013", "lot": "0.001", "tick": "0.0000001", "min_notional": "0.0001"},
    },
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What kind of market a run has.

    Attributes:
        thin: Whether hardly anybody buys: what is sold takes many candles.
    """

    coins: Coins
    thin: bool


def shape_of(seed: int) -> Shape:
    """The shape of a seed's markets."""
    chance = Random(f"{seed}/shape")
    return Shape(thin=chance.random() < THIN, coins=chance.choice((LARGE, LARGE, LARGE, TINY, COARSE, IN_BITCOIN)))


class ThinFeed:
    """A feed with books in which there is much to buy, and few who do: how few follows from the seed and the candle.

    Args:
        feed: Prices and candles come from it.
        model: How the venue lays out a side of a book.
    """

    def __init__(self, feed: MarketFeed, coins: Coins, *, seed: int, model: FillModel) -> None:
        self._feed = feed
        self._coins = coins
        self._seed = seed
        self._model = replace(model, levels=LEVELS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def book(self, symbol: str, now: datetime) -> Book:
        """The book of a moment."""
        bids, asks = (self._side(side, symbol, now) for side in (Side.SELL, Side.BUY))
        return Book(symbol=symbol, at=now, bids=bids, asks=asks)

    def _side(self, side: Side, symbol: str, now: datetime) -> tuple[Level, ...]:
        worth = self._coins.balance * (RICH if side is Side.BUY else self._interest(symbol, now))
        traded = worth / Decimal(str(self._coins.markets[symbol]["start_price"])) / self._model.depth
        return fills.levels(side, self._feed.price(symbol, now), traded, self._feed.markets[symbol], self._model)

    def _interest(self, symbol: str, now: datetime) -> Decimal:
        chance = Random(f"{self._seed}/{symbol}/{self._feed.timeframe.floor(now).isoformat()}")
        return RICH if chance.random() < STIRS else chance.choice(POOR)
