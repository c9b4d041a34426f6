"""From what ccxt says of a venue to our own words: steps in Decimal, candles as columns, trades, a book to trade on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any

import numpy as np

from engine.analysis.candle_times import MILLISECONDS
from engine.domain.errors import NoData, VenueError
from engine.domain.figures import grouped
from engine.domain.market import Book, Candles, Level, Market, Timeframe
from engine.simulation.path import Trade

DECIMAL_PLACES = 2
SIGNIFICANT_DIGITS = 3
"""ccxt's precision modes: ``precision`` counts decimal places or significant digits; in the third it is the step."""
_LEAST_COLUMNS = 6

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A market as the venue lists it.

    Attributes:
        trading: Whether it is traded at present.
    """

    market: Market
    trading: bool


def listings(raws: Iterable[Raw], mode: int) -> dict[str, Listing]:
    """Every spot market of ccxt's list, by symbol."""
    found = [listing(raw, mode) for raw in raws]
    return {each.market.symbol: each for each in found if each is not None}


def listing(raw: Raw, mode: int) -> Listing | None:
    """A spot market of ccxt's list; ``None`` for what is none, or says no steps.

    Args:
        raw: ccxt's unified market.
        mode: The venue's ``precisionMode``.
    """
    precision, limits = raw.get("precision") or {}, raw.get("limits") or {}
    lot, tick = _step(precision.get("amount"), mode), _step(precision.get("price"), mode)
    symbol = raw.get("symbol")
    if not raw.get("spot") or not isinstance(symbol, str) or lot is None or tick is None:
        return None
    least = decimal_of((limits.get("cost") or {}).get("min")) or Decimal(0)
    market = Market(symbol=symbol, lot=lot, tick=tick, min_notional=least)
    return Listing(market=market, trading=raw.get("active") is not False)


def _step(value: object, mode: int) -> Decimal | None:
    """A step out of ccxt's ``precision``.

    Significant digits make no step that holds at every price: there, eight decimal places stand for it, as ccxt itself
    falls back to.
    """
    number = decimal_of(value)
    if number is None:
        return None
    if mode == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(number))
    if mode == SIGNIFICANT_DIGITS:
        return Decimal("1e-8")
    return number if number > 0 else None


def decimal_of(value: object) -> Decimal | None:
    """A number of ccxt's as it was written; it hands floats on whose shortest text is the venue's."""
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def candles(rows: Sequence[Sequence[Any]], symbol: str, timeframe: Timeframe) -> Candles:
    """Ccxt's candles as columns; what is no number stays none, the quality gate sees to it.

    Raises:
        VenueError: They are no candles at all, or their times are none in milliseconds.
    """
    if any(len(row) < _LEAST_COLUMNS or not isinstance(row[0], int) for row in rows):
        raise VenueError(f"What came as candles of {symbol} are none.")
    earliest, latest = MILLISECONDS.bounds()
    wrong = next((row[0] for row in rows if not earliest <= row[0] < latest), None)
    if wrong is not None:
        raise VenueError(f"A candle of {symbol} opens at {wrong}, which is no time in milliseconds.")
    columns = np.array([row[1:6] for row in rows], dtype=float).reshape(-1, 5).T
    opened, high, low, close, volume = (column.copy() for column in columns)
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        open_ms=np.array([row[0] for row in rows], dtype=np.int64),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The best prices of a market at a moment."""

    symbol: str
    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Halfway between them."""
        return (self.bid + self.ask) / 2


def quote(symbol: str, raw: Raw) -> Quote | None:
    """Ccxt's ticker as a quote; ``None`` where it has no two prices that can be."""
    bid, ask = decimal_of(raw.get("bid")), decimal_of(raw.get("ask"))
    if bid is None or ask is None or not 0 < bid < ask:
        return None
    return Quote(symbol=symbol, bid=bid, ask=ask)


def trades(rows: Sequence[Raw], symbol: str) -> list[Trade]:
    """Ccxt's public trades, oldest first.

    Raises:
        VenueError: One of them has no time or no price.
    """
    found = []
    for row in rows:
        at_ms, price = row["timestamp"], row["price"]
        if not isinstance(at_ms, int) or not price or not 0 < float(price) < float("inf"):
            raise VenueError(f"What came as trades of {symbol} are none.")
        found.append((at_ms, float(price)))
    return sorted(found, key=itemgetter(0))


def book(raw: Raw, market: Market, at: datetime) -> Book:
    """Ccxt's order book in whole lots.

    Raises:
        NoData: One side is empty.
        VenueError: It is none that can be: prices that are no numbers, unsorted or crossed.
    """
    bids, asks = _levels(raw["bids"], market), _levels(raw["asks"], market)
    if not bids or not asks:
        raise NoData(f"Nobody trades {market.symbol}: its order book is empty.")
    falling, rising = [level.price for level in bids], [level.price for level in asks]
    if falling != sorted(falling, reverse=True) or rising != sorted(rising) or falling[0] >= rising[0]:
        raise VenueError(
            f"The order book of {market.symbol} cannot be: bid {grouped(falling[0])}, ask {grouped(rising[0])}."
        )
    return Book(symbol=market.symbol, at=at, bids=bids, asks=asks)


def _levels(rows: Sequence[Sequence[Any]], market: Market) -> tuple[Level, ...]:
    found = []
    for row in rows:
        price, quantity = decimal_of(row[0]), decimal_of(row[1])
        if price is None or quantity is None or price <= 0 or quantity < 0:
            raise VenueError(f"The order book of {market.symbol} holds something that is no price.")
        whole = market.quantity(market.lots(quantity))
        if whole > 0:
            found.append(Level(price=price, quantity=whole))
    return tuple(found)
