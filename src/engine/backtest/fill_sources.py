"""What the fills of a replay were made by: which candles the price went along, and whose book was there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from engine.backtest.setup import BacktestSetup
from engine.backtest.setup_candles import candles_of
from engine.domain.backtests import BookFills, ShorterCandles
from engine.domain.market import Book, Candles, to_millis
from engine.domain.orders import Fill, Order, OrderType
from engine.domain.trade_views import FillView
from engine.simulation.finer import Told, told

OrderOf = Callable[[str], Order]
BookOf = Callable[[str, datetime], Book | None]


def shorter_candles(setup: BacktestSetup, fills: Sequence[Fill], begins: datetime) -> tuple[ShorterCandles, ...]:
    """How far fills have followed shorter candles, for each market that has any, from when it was traded on."""
    known = setup.live.shorter if setup.live else {}
    return tuple(
        _followed(candles_of(setup, symbol), shorter, [each for each in fills if each.symbol == symbol], begins)
        for symbol, shorter in known.items()
    )


def book_fills(fills: Sequence[FillView], order_of: OrderOf, book_of: BookOf) -> BookFills:
    """How many fills took from recorded books.

    Args:
        fills: All of them.
        order_of: Takes the id of an order; tells the order.
        book_of: Takes a symbol and a time; tells the book that was recorded, if one was new enough.
    """
    kinds = Counter(_kind(each.fill, order_of(each.order_id), book_of) for each in fills)
    return BookFills(recorded=kinds["recorded"], modelled=kinds["modelled"], targets=kinds["target"])


def _kind(fill: Fill, order: Order, book_of: BookOf) -> str:
    target = order.request.limit_price
    if order.request.type is OrderType.OCO and target is not None and fill.price >= target:
        return "target"
    return "modelled" if book_of(fill.symbol, fill.at) is None else "recorded"


def _followed(candles: Candles, shorter: Candles, fills: Sequence[Fill], begins: datetime) -> ShorterCandles:
    known, first = told(candles, shorter), int(candles.open_ms.searchsorted(to_millis(begins)))
    counts = np.bincount(known[first:], minlength=len(Told))
    rows = candles.open_ms.searchsorted([to_millis(each.at) for each in fills], side="right") - 1
    return ShorterCandles(
        symbol=candles.symbol,
        timeframe=shorter.timeframe,
        followed=int(counts[Told.ALL]),
        gaps=int(counts[Told.GAPS]),
        others=int(counts[Told.ANOTHER]),
        fills=int(np.count_nonzero(known[rows] == Told.ALL)),
    )
