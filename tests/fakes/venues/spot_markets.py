"""The public part of the fake Binance where it trades: markets with all their filters, books, candles, tickers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.fakes.exchange import BOOK_WEIGHTS, Symbol, candles_of, trades_of
from tests.fakes.venues.spot_orders import Refused

if TYPE_CHECKING:
    from tests.fakes.venues.binance import FakeBinance

Json = Any
Sent = Mapping[str, str]


def exchange_info(venue: FakeBinance, sent: Sent) -> Json:
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": venue.limits.weight},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": venue.limits.orders},
    ]
    markets = [venue.matching.filters.info(each) for each in _asked(venue, sent)]
    return {"timezone": "UTC", "serverTime": venue.now_ms(), "rateLimits": limits, "exchangeFilters": [],
            "symbols": markets}  # fmt: skip


def depth(venue: FakeBinance, sent: Sent) -> Json:
    return _symbol(venue, sent).depth(venue.now_ms(), min(int(sent.get("limit", "100")), 5000))


def book_weight(sent: Sent) -> int:
    return next((weight for most, weight in BOOK_WEIGHTS.items() if int(sent.get("limit", "100")) <= most), 250)


def klines(venue: FakeBinance, sent: Sent) -> Json:
    return candles_of(_symbol(venue, sent), sent, venue.now_ms())


def trades(venue: FakeBinance, sent: Sent) -> Json:
    return trades_of(_symbol(venue, sent), sent, venue.now_ms())


def day_ticker(venue: FakeBinance, sent: Sent) -> Json:
    return _one_or_all(venue, sent, _day)


def book_ticker(venue: FakeBinance, sent: Sent) -> Json:
    return _one_or_all(venue, sent, _best)


def price_ticker(venue: FakeBinance, sent: Sent) -> Json:
    return _one_or_all(venue, sent, lambda symbol, now: {"symbol": symbol.name, "price": f"{symbol.price(now):.8f}"})


def _best(symbol: Symbol, now: int) -> Json:
    book = symbol.depth(now, 1)
    (bid, bids), (ask, asks) = book["bids"][0], book["asks"][0]
    return {"symbol": symbol.name, "bidPrice": bid, "bidQty": bids, "askPrice": ask, "askQty": asks}


def _day(symbol: Symbol, now: int) -> Json:
    day = 24 * 60 * 60_000
    first, high, low, last = symbol.kline(now - day, day, now)[1:5]
    change = float(last) - float(first)
    prices = {"openPrice": first, "highPrice": high, "lowPrice": low, "lastPrice": last, "weightedAvgPrice": last,
              "prevClosePrice": first, "priceChange": f"{change:.8f}",
              "priceChangePercent": f"{100 * change / float(first):.3f}"}  # fmt: skip
    rest = {"lastQty": "1.00000000", "volume": "57600.00000000", "quoteVolume": f"{57600 * float(last):.8f}",
            "openTime": now - day, "closeTime": now, "firstId": 1, "lastId": 100, "count": 100}  # fmt: skip
    return {**_best(symbol, now), **prices, **rest}


def _one_or_all(venue: FakeBinance, sent: Sent, view: Any) -> Json:
    found = [view(each, venue.now_ms()) for each in _asked(venue, sent)]
    return found[0] if sent.get("symbol") else found


def _asked(venue: FakeBinance, sent: Sent) -> list[Symbol]:
    if sent.get("symbol"):
        return [_symbol(venue, sent)]
    if sent.get("symbols"):
        return [_symbol(venue, {"symbol": name}) for name in json.loads(sent["symbols"])]
    return list(venue.symbols.values())


def _symbol(venue: FakeBinance, sent: Sent) -> Symbol:
    if sent["symbol"] not in venue.symbols:
        raise Refused(-1121, "Invalid symbol.")
    return venue.symbols[sent["symbol"]]
