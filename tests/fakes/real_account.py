"""An account at the fake Binance, as the bot goes to it: the real ccxt, keys, and a record of what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import SecretStr

from engine.clocks import WallClock
from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Level, Market, Timeframe
from engine.domain.orders import OrderRequest, OrderState, OrderType, Side, client_id
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.ccxt.keys import VenueKeys
from tests.fakes.binance import FakeBinance
from tests.fakes.recorded import MemoryRecord, Recorded

SYMBOL = "BTC/USDT"


class BookOf:
    """The port ``MarketData``, straight from the fake venue: what a live feed would have seen just now."""

    def __init__(self, fake: FakeBinance) -> None:
        self._fake = fake
        self.silent = False
        """Whether no price is known."""

    def market(self, symbol: str) -> Market:
        info = self._fake.symbols[symbol.replace("/", "")]
        return Market(symbol=symbol, lot=Decimal(info.lot), tick=Decimal(info.tick))

    async def book(self, symbol: str) -> Book:
        if self.silent:
            raise NoData("Nobody has seen it.")
        told = self._fake.symbols[symbol.replace("/", "")].depth(self._fake.now_ms(), 5)
        bids, asks = (
            tuple(Level(price=Decimal(price), quantity=Decimal(quantity)) for price, quantity in told[side])
            for side in ("bids", "asks")
        )
        return Book(symbol=symbol, at=WallClock().now(), bids=bids, asks=asks)

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        raise NoData(f"No {limit} {timeframe} candles of {symbol} until {until} here.")


class Account:
    """The venue, and what the bot has of it; ``crash`` loses all but what was written down."""

    def __init__(self, fake: FakeBinance, within: float = 20.0) -> None:
        self.fake = fake
        self.record = MemoryRecord()
        self.prices = BookOf(fake)
        self._within = within
        self.venue, self._inner = self._open()

    def _open(self) -> tuple[Recorded, CcxtExchange]:
        clock = WallClock()
        keys = VenueKeys(api_key=SecretStr(self.fake.keys.key), secret=SecretStr(self.fake.keys.secret))
        self.account = VenueAccount(
            exchange="binance",
            api_url=self.fake.url,
            answer_within=timedelta(seconds=self._within),
            clock=clock,
            keys=keys,
        )
        inner = CcxtExchange(
            name="binance",
            account=self.account,
            market_data=self.prices,
            record=self.record,
            clock=clock,
            symbols=tuple(f"{each.base}/{each.quote}" for each in self.fake.symbols.values()),
        )
        return Recorded(inner, self.record), inner

    async def crash(self) -> None:
        await self._inner.close()
        self.venue, self._inner = self._open()

    async def close(self) -> None:
        await self._inner.close()

    async def state(self, name: str) -> OrderState:
        found = await self.venue.find(SYMBOL, client_id(name))
        assert isinstance(found, OrderState)
        return found


@asynccontextmanager
async def account_at(fake: FakeBinance, within: float = 20.0) -> AsyncIterator[Account]:
    made = Account(fake, within)
    try:
        yield made
    finally:
        await made.close()


def order(name: str, quantity: str = "0.1", side: Side = Side.BUY) -> OrderRequest:
    return OrderRequest(
        client_id=client_id(name), venue="binance", symbol=SYMBOL, side=side, type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )  # fmt: skip


def oco(name: str, stop: str, target: str, quantity: str = "0.1") -> OrderRequest:
    return replace(
        order(name, quantity, Side.SELL), type=OrderType.OCO, trigger_price=Decimal(stop), limit_price=Decimal(target)
    )


def limit(name: str, price: str, quantity: str = "0.1", side: Side = Side.BUY) -> OrderRequest:
    return replace(order(name, quantity, side), type=OrderType.LIMIT, limit_price=Decimal(price))
