"""A market feed of a few candles written by hand, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from engine.data.feeds import FileFeed
from engine.domain.market import Candles, Market, Timeframe

START = datetime(2024, 1, 1, tzinfo=UTC)
BTC = Market(symbol="BTC/USDT", lot=Decimal("0.001"), tick=Decimal("0.01"), min_notional=Decimal(10))

Row = tuple[float, float, float, float, float]
"""Open, high, low, close, volume."""


def hand_candles(
    rows: Sequence[Row | None], symbol: str = BTC.symbol, timeframe: Timeframe = Timeframe.H1, start: datetime = START
) -> Candles:
    """Candles one after another; ``None`` is a missing one."""
    first, step = int(start.timestamp() * 1000), timeframe.millis
    kept = [(first + index * step, *row) for index, row in enumerate(rows) if row is not None]
    open_ms, *columns = np.array(kept, dtype=float).T
    names = ("open", "high", "low", "close", "volume")
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        open_ms=open_ms.astype(np.int64),
        **{name: column.copy() for name, column in zip(names, columns, strict=True)},
    )


def hand_feed(
    rows: Mapping[str, Sequence[Row | None]] | Sequence[Row | None], markets: Sequence[Market] = (BTC,)
) -> FileFeed:
    """An hourly feed from ``START`` on: rows of BTC/USDT, or rows by symbol."""
    by_symbol = rows if isinstance(rows, Mapping) else {BTC.symbol: rows}
    candles = [hand_candles(each, symbol) for symbol, each in by_symbol.items()]
    return FileFeed(candles, {market.symbol: market for market in markets})


class HandClock:
    """A clock that stands until it is moved; it counts from ``START`` in minutes."""

    def __init__(self, minutes: float = 0) -> None:
        self.at = START + timedelta(minutes=minutes)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    async def until(self, at: datetime) -> None:
        self.at = max(self.at, at)

    def to(self, minutes: float) -> None:
        """Move to so many minutes after ``START``."""
        self.at = START + timedelta(minutes=minutes)
