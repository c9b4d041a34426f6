"""A venue's public REST interface on loopback, in Binance's words: seeded or recorded, and with faults on demand.

The price of every market is a function of the wall's time, so candles, order book and what comes next agree with one
another. A fault stands in for as many answers as it is asked to.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from aiohttp import web

from tests.fakes.exchange_socket import Socket

Json = Any
Row = list[Any]
MINUTE = 60_000
SPANS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440, "1w": 10080}
"""Binance's intervals, in minutes."""
INFO, KLINES, DEPTH = "/api/v3/exchangeInfo", "/api/v3/klines", "/api/v3/depth"
TRADES = "/api/v3/aggTrades"
PREMIUM, INTEREST = "/fapi/v1/premiumIndex", "/fapi/v1/openInterest"
ACCOUNTS = "/futures/data/globalLongShortAccountRatio"
ALLOWED = {PREMIUM: {"symbol"}, INTEREST: {"symbol"}, ACCOUNTS: {"symbol", "period", "limit"}}
"""What the futures may be asked with; anything else is refused as the venue refuses it."""
BETWEEN_TRADES = 250
"""Milliseconds from one trade to the next, in every market."""
WEIGHT_LIMIT = 6000
"""What Binance allows an address within a minute by its clock."""
WEIGHTS = {INFO: 20, KLINES: 2, TRADES: 4}
"""What a question counts; a book's is by its length."""
BOOK_WEIGHTS = {100: 5, 500: 25, 1000: 50, 5000: 250}


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def unchanged(answer: Json) -> Json:
    return answer


def forty(_: int) -> float:
    return 40.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What comes in place of an answer, or becomes of one."""

    status: int = 200
    body: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    """Seconds until the question is heard."""
    after: float = 0.0
    """Seconds from what it brought about to the answer."""
    late: float = 0.0
    """The connection is gone at once, and the request is carried out so many seconds later."""
    cut: bool = False
    drop: bool = False
    """The connection is gone without an answer."""
    effect: bool = True
    """Whether what was asked for is carried out, whatever the answer says."""
    change: Callable[[Json], Json] = unchanged


def _with_nan(rows: list[Row]) -> list[Row]:
    return [*rows[:-2], [rows[-2][0], "NaN", "NaN", "NaN", "NaN", "NaN", *rows[-2][6:]], rows[-1]]


def _with_spike(rows: list[Row]) -> list[Row]:
    """The candle that has just closed says three times the price."""
    prices = [f"{3 * float(price):.8f}" for price in rows[-2][1:5]]
    return [*rows[:-2], [rows[-2][0], *prices, *rows[-2][5:]], rows[-1]]


HTML = Fault(body="<html><body>We are under maintenance.</body></html>", content_type="text/html")
CUT = Fault(cut=True)
MAINTENANCE = Fault(status=503, body='{"code":-1001,"msg":"Internal error"}')
SHORT = Fault(change=lambda rows: rows[:-40] + rows[-10:])
"""Thirty candles in the middle are left out."""
SPIKE = Fault(change=_with_spike)
NAN = Fault(change=_with_nan)
REVERSED = Fault(change=lambda rows: rows[::-1])
DUPLICATE = Fault(change=lambda rows: [*rows[:-3], rows[-3], *rows[-3:]])
LATE = Fault(change=lambda rows: rows[:-2])
"""The candle that has just closed is not there yet, nor the one after it."""
DELISTED = Fault(status=400, body='{"code":-1121,"msg":"Invalid symbol."}')
EMPTY = Fault(change=lambda book: {**book, "bids": [], "asks": []})
CROSSED = Fault(change=lambda book: {**book, "bids": book["asks"], "asks": book["bids"]})


def scaled(bids: float = 1.0, asks: float = 1.0) -> Fault:
    """A book that is wrong and still one: a side's prices, or both, times something."""
    times = {"bids": bids, "asks": asks}
    return Fault(change=lambda book: {**book, **{side: _times(book[side], by) for side, by in times.items()}})


def _times(side: list[list[str]], by: float) -> list[list[str]]:
    return [[f"{float(price) * by:.8f}", quantity] for price, quantity in side]


def slow(seconds: float) -> Fault:
    return Fault(wait=seconds)


def too_fast(status: int, retry_after: int) -> Fault:
    return Fault(status=status, body='{"code":-1003,"msg":"Too much request weight used."}',
                 headers={"Retry-After": str(retry_after)})  # fmt: skip


@dataclass(kw_only=True)
class Symbol:
    """One market: its steps, and its price and volume a minute as functions of milliseconds since 1970."""

    base: str
    quote: str = "USDT"
    tick: str = "0.01000000"
    lot: str = "0.00001000"
    min_notional: str = "5.00000000"
    status: str = "TRADING"
    born: int = 0
    """Before when, in milliseconds since 1970, there is no candle of it."""
    price: Callable[[int], float]
    volume: Callable[[int], float] = forty
    level_quantity: float = 2.0
    funding: str = "0.00038246"
    interest: str = "10659.509"

    @property
    def name(self) -> str:
        return f"{self.base}{self.quote}"

    def info(self) -> Json:
        return {
            "symbol": self.name,
            "status": self.status,
            "baseAsset": self.base,
            "baseAssetPrecision": 8,
            "quoteAsset": self.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "icebergAllowed": True,
            "ocoAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": self.tick, "maxPrice": "9000000", "tickSize": self.tick},
                {"filterType": "LOT_SIZE", "minQty": self.lot, "maxQty": "9000", "stepSize": self.lot},
                {"filterType": "NOTIONAL", "minNotional": self.min_notional, "applyMinToMarket": True},
            ],
        }

    def kline(self, opens: int, span: int, now: int) -> Row:
        """A candle, as far as it has gone."""
        # A price that never says otherwise is not asked again: it is asked for the same candles in every test.
        draw = _drawn_once if isinstance(self.price, Wandering) and self.volume is forty else _drawn
        return list(draw(self.price, self.volume, opens, span, min(now, opens + span - 1)))

    def trade(self, number: int) -> Json:
        at = number * BETWEEN_TRADES
        made = {"a": number, "p": f"{self.price(at):.8f}", "q": "0.10000000", "f": number, "l": number, "T": at}
        return {**made, "m": bool(number % 2), "M": True}

    def depth(self, now: int, levels: int) -> Json:
        mid, step = self.price(now), float(self.tick)
        below = math.floor(mid / step) - 1
        side = [f"{self.level_quantity * (1 + level % 5):.8f}" for level in range(levels)]
        bids = [[f"{(below - level) * step:.8f}", quantity] for level, quantity in enumerate(side)]
        asks = [[f"{(below + 2 + level) * step:.8f}", quantity] for level, quantity in enumerate(side)]
        return {"lastUpdateId": now, "bids": bids, "asks": asks}


def _drawn(
    price: Callable[[int], float], volume: Callable[[int], float], opens: int, span: int, until: int
) -> tuple[Any, ...]:
    """The row of a candle; its extremes are those of sixty looks at the price."""
    closes = opens + span
    looks = [price(opens + (until - opens) * step // 60) for step in range(61)]
    traded = sum(volume(minute) for minute in range(opens, min(closes, opens + 240 * MINUTE), MINUTE))
    texts = [f"{each:.8f}" for each in (looks[0], max(looks), min(looks), looks[-1])]
    return (opens, *texts, f"{traded:.8f}", closes - 1, f"{traded * looks[-1]:.8f}", 100, "0", "0", "0")


_drawn_once = lru_cache(maxsize=20_000)(_drawn)


@dataclass(frozen=True)
class Wandering:
    """A price that wanders by slow waves: how high, how long and how far along each is."""

    start: float
    waves: tuple[tuple[float, float, float], ...]

    def __call__(self, at: int) -> float:
        return self.start * (1 + sum([size * math.sin(at / length + phase) for size, length, phase in self.waves]))


def wandering(start: float, seed: int) -> Wandering:
    """A price that wanders by a seed's own waves."""
    random_ = random.Random(seed)  # noqa: S311 - a market is no secret
    waves = [
        (random_.uniform(0.002, 0.01), random_.uniform(0.2, 40) * 3_600_000, random_.uniform(0, 6)) for _ in "abcd"
    ]
    return Wandering(start, tuple(waves))


def usual_symbols(seed: int = 1) -> list[Symbol]:
    return [
        Symbol(base="BTC", price=wandering(60_000, seed)),
        Symbol(base="ETH", price=wandering(3_000, seed + 1), lot="0.00010000", level_quantity=20.0),
        Symbol(base="SOL", price=wandering(150, seed + 2), lot="0.00100000", level_quantity=200.0),
    ]


class FakeExchange:
    """The venue; ``url`` goes into ``exchanges.binance.api_url``."""

    def __init__(self, symbols: list[Symbol] | None = None) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols or usual_symbols()}
        self.recorded_info: Json = None
        self.ahead = timedelta(0)
        """How far its clock is ahead of this machine's."""
        self.date: str | None = None
        """What its answers say in place of the time."""
        self.weight_limit: int | None = None
        """The weight within a minute from which on it refuses; ``None`` for a venue that counts nothing."""
        self.weights: Counter[int] = Counter()
        """The weight of what was asked, by second since 1970."""
        self.refusals = 0
        """How often it was asked too much."""
        self.socket = Socket(self._ticker)
        self.calls: list[tuple[str, dict[str, str]]] = []
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def now_ms(self) -> int:
        return now_ms() + int(self.ahead.total_seconds() * 1000)

    def fail(self, path: str, *faults: Fault, symbol: str = "", times: int = 1) -> None:
        """Let the next answers to a path (for one market, or for all) be these faults, each so many times."""
        self._faults.setdefault((path, symbol), []).extend(fault for fault in faults for _ in range(times))

    def heal(self) -> None:
        self._faults.clear()

    def asked(self) -> Counter[str]:
        return Counter(path for path, _ in self.calls)

    async def start(self) -> None:
        """Begin to listen; a venue that comes back listens where it did before."""
        app = web.Application()
        self._route(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    def _route(self, app: web.Application) -> None:
        app.router.add_get("/{path:.*}", self._answer)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _ticker(self, name: str) -> Json | None:
        symbol = self.symbols.get(name)
        if symbol is None:
            return None
        now = self.now_ms()
        book = symbol.depth(now, 1)
        (bid, bids), (ask, asks) = book["bids"][0], book["asks"][0]
        best = {"b": bid, "B": bids, "a": ask, "A": asks, "c": f"{symbol.price(now):.8f}"}
        return {"e": "24hrTicker", "E": now, "s": name, "o": bid, "h": ask, "l": bid, "v": "9", "q": "9", **best}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/ws"):
            return await self.socket.answer(request)
        query = dict(request.query)
        self.calls.append((request.path, query))
        fault = self._too_much(request.path, query) or self._next_fault(request.path, query.get("symbol", ""))
        await asyncio.sleep(fault.wait)
        status, answer = self._what(request.path, query)
        text = json.dumps(fault.change(answer) if status < 400 else answer) if fault.body is None else fault.body
        if fault.cut:
            return await cut_answer(request, text)
        return web.Response(
            text=text,
            status=fault.status if fault.status != 200 else status,
            content_type=fault.content_type,
            headers={"Date": self._date(), **fault.headers},
        )

    def _too_much(self, path: str, query: Mapping[str, str]) -> Fault | None:
        """Count what a question weighs; the refusal where that is more than the minute's."""
        second = now_ms() // 1000
        levels = int(query.get("limit", "100"))
        book = next((weight for most, weight in BOOK_WEIGHTS.items() if levels <= most), 250)
        self.weights[second] += book if path == DEPTH else WEIGHTS.get(path, 1)
        begun = second // 60 * 60
        if (
            self.weight_limit is None
            or sum(self.weights[each] for each in range(begun, second + 1)) <= self.weight_limit
        ):
            return None
        self.refusals += 1
        return too_fast(429, retry_after=begun + 60 - second)

    def heaviest(self, seconds: int) -> int:
        """The most weight within so many seconds in a row."""
        ends = list(self.weights)
        return max(sum(self.weights[end - back] for back in range(seconds)) for end in ends)

    def _date(self) -> str:
        said = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return said if self.date is None else self.date

    def _next_fault(self, path: str, symbol: str) -> Fault:
        for key in ((path, symbol), (path, "")):
            if self._faults.get(key):
                return self._faults[key].pop(0)
        return Fault()

    def _what(self, path: str, query: Mapping[str, str]) -> tuple[int, Json]:
        if path == INFO:
            return 200, self.recorded_info or self._info()
        symbol = self.symbols.get(query.get("symbol", ""))
        if symbol is None:
            return 400, {"code": -1121, "msg": "Invalid symbol."}
        if path in ALLOWED:
            return self._futures(symbol, path, query)
        if path == DEPTH:
            return 200, symbol.depth(self.now_ms(), int(query.get("limit", "100")))
        if path == TRADES:
            return 200, trades_of(symbol, query, self.now_ms())
        if path == KLINES:
            return 200, candles_of(symbol, query, self.now_ms())
        return 404, {"code": -1, "msg": f"no such path {path}"}

    def _futures(self, symbol: Symbol, path: str, query: Mapping[str, str]) -> tuple[int, Json]:
        """What its futures tell, in the venue's words: times are numbers, all else is text."""
        if unknown := set(query) - ALLOWED[path]:
            return 400, {"code": -1101, "msg": f"Too many parameters; {unknown} are not wanted."}
        now, eight_hours = self.now_ms(), 8 * 60 * MINUTE
        if path == PREMIUM:
            price = f"{symbol.price(now):.8f}"
            prices = dict.fromkeys(("markPrice", "indexPrice", "estimatedSettlePrice"), price)
            rates = {"lastFundingRate": symbol.funding, "interestRate": "0.00010000"}
            times = {"nextFundingTime": (now // eight_hours + 1) * eight_hours, "time": now}
            return 200, {"symbol": symbol.name, **prices, **rates, **times}
        if path == INTEREST:
            return 200, {"symbol": symbol.name, "openInterest": symbol.interest, "time": now}
        if query.get("period") not in SPANS:
            return 400, {
                "code": -1102,
                "msg": "Mandatory parameter 'period' was not sent, was empty/null, or malformed.",
            }
        span = SPANS[query["period"]] * MINUTE
        counted = [now // span * span - back * span for back in reversed(range(int(query.get("limit", "30"))))]
        shares = {"longShortRatio": "1.8105", "longAccount": "0.6442", "shortAccount": "0.3558"}
        return 200, [{"symbol": symbol.name, **shares, "timestamp": at} for at in counted]

    def _info(self) -> Json:
        symbols = [symbol.info() for symbol in self.symbols.values()]
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": symbols,
        }


def candles_of(symbol: Symbol, query: Mapping[str, str], now: int) -> list[Row]:
    span = SPANS[query["interval"]] * MINUTE
    limit = min(int(query.get("limit", "500")), 1000)
    anchor = 4 * 24 * 60 * MINUTE if query["interval"] == "1w" else 0
    newest = (now - anchor) // span * span + anchor
    first = newest - (limit - 1) * span
    if "startTime" in query:
        first = -(-(int(query["startTime"]) - anchor) // span) * span + anchor
    opens = range(first, min(newest, first + (limit - 1) * span) + 1, span)
    if symbol.born > first and "startTime" in query:  # from a time on: the first that there are
        opens = range(-(-symbol.born // span) * span, min(newest, symbol.born + (limit - 1) * span) + 1, span)
    return [symbol.kline(each, span, now) for each in opens if each >= symbol.born]


def trades_of(symbol: Symbol, query: Mapping[str, str], now: int) -> list[Json]:
    """From a time on, as many as are asked for; without one, the newest."""
    limit = min(int(query.get("limit", "500")), 1000)
    newest = min(now, int(query.get("endTime", now))) // BETWEEN_TRADES
    first = -(-int(query["startTime"]) // BETWEEN_TRADES) if "startTime" in query else newest - limit + 1
    return [symbol.trade(each) for each in range(first, min(newest, first + limit - 1) + 1)]


async def cut_answer(request: web.Request, text: str) -> web.StreamResponse:
    """Promise the whole answer, send half of it, and hang up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(text))})
    await response.prepare(request)
    await response.write(text[: len(text) // 2].encode())
    if request.transport is not None:
        request.transport.close()
    return response


@asynccontextmanager
async def listening(symbols: list[Symbol] | None = None) -> AsyncIterator[FakeExchange]:
    fake = FakeExchange(symbols)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
