"""An account at the fake Binance, as the bot goes to it: the real ccxt, keys, and a record of what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from engine.domain.errors import NoData
from engine.domain.market import Book, Candles, Level, Market, Timeframe
from engine.domain.orders import OrderRequest, OrderState, OrderType, Side, client_id
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.ccxt.keys import VenueKeys
from engine.ports import Clock
from engine.timing.clocks import WallClock
from tests.fakes.recorded import MemoryRecord, Recorded
from tests.fakes.venues.binance import FakeBinance
from tests.fakes.venues.kraken import FakeKraken
from tests.fakes.venues.okx import FakeOkx
from tests.fakes.venues.trading_venue import TradingVenue

SYMBOL = "BTC/USDT"


def names_of(fake: TradingVenue) -> dict[str, str]:
    """The markets by our names: what the venue calls each."""
    return {f"{'BTC' if each.base == 'XBT' else each.base}/{each.quote}": name for name, each in fake.symbols.items()}


class BookOf:
    """The port ``MarketData``, straight from the fake venue: what a live feed would have seen just now."""

    def __init__(self, fake: TradingVenue, clock: Clock | None = None) -> None:
        self._fake = fake
        self._clock = clock or WallClock()
        self._names = names_of(fake)
        self.silent = False
        """Whether no price is known."""
        self.told: Candles | None = None
        """What is known of the past; nothing at first."""

    def market(self, symbol: str) -> Market:
        info = self._fake.symbols[self._names[symbol]]
        return Market(symbol=symbol, lot=Decimal(info.lot), tick=Decimal(info.tick))

    async def book(self, symbol: str) -> Book:
        if self.silent:
            raise NoData("Nobody has seen it.")
        told = self._fake.symbols[self._names[symbol]].depth(self._fake.now_ms(), 5)
        bids, asks = (
            tuple(Level(price=Decimal(price), quantity=Decimal(quantity)) for price, quantity in told[side])
            for side in ("bids", "asks")
        )
        return Book(symbol=symbol, at=self._clock.now(), bids=bids, asks=asks)

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        if self.told is not None and self.told.timeframe is timeframe:
            return self.told
        raise NoData(f"No {limit} {timeframe} candles of {symbol} until {until} here.")


class Account:
    """The venue, and what the bot has of it; ``crash`` loses all but what was written down."""

    def __init__(self, fake: FakeBinance | FakeKraken | FakeOkx, within: float = 20.0) -> None:
        self.fake = fake
        self.name = "kraken" if isinstance(fake, FakeKraken) else "okx" if isinstance(fake, FakeOkx) else "binance"
        if isinstance(fake, FakeKraken):
            fake.counter.most = 1000
        self.record = MemoryRecord()
        self.prices = BookOf(fake)
        self._within = within
        self._less: dict[str, Any] = {}
        self.venue, self._inner = self._open()

    def _open(self) -> tuple[Recorded, CcxtExchange]:
        clock = WallClock()
        passphrase = SecretStr(self.fake.passphrase) if isinstance(self.fake, FakeOkx) else None
        keys = VenueKeys(
            api_key=SecretStr(self.fake.keys.key), secret=SecretStr(self.fake.keys.secret), password=passphrase
        )
        self.account = VenueAccount(
            exchange=self.name,
            api_url=self.fake.url,
            answer_within=timedelta(seconds=self._within),
            clock=clock,
            keys=keys,
            share=100.0,  # nobody waits here for what a venue's minute allows
        )
        inner = CcxtExchange(
            name=self.name,
            account=self.account,
            market_data=self.prices,
            record=self.record,
            clock=clock,
            symbols=tuple(names_of(self.fake)),
        )
        return Recorded(inner, self.record), inner

    @property
    def symbol(self) -> str:
        """The market that is traded here."""
        return next(iter(names_of(self.fake)))

    def move(self, price: float) -> None:
        """Move that market to a price."""
        self.fake.set_price(names_of(self.fake)[self.symbol], price)

    def can_only(self, **less: Any) -> None:
        """Let the venue hold less than it does, over crashes too."""
        self._less = less
        self.account.habits = replace(self.account.habits, **less)

    async def crash(self) -> None:
        await self._inner.close()
        self.venue, self._inner = self._open()
        if self._less:
            await self.account.open()
            self.can_only(**self._less)

    @property
    def exchange(self) -> CcxtExchange:
        """The venue itself, without what writes its orders down."""
        return self._inner

    async def news(self) -> bool:
        """Wait for what the venue tells by itself."""
        return await self._inner.news()

    async def close(self) -> None:
        await self._inner.close()

    async def state(self, name: str) -> OrderState:
        found = await self.venue.find(self.symbol, client_id(name))
        assert isinstance(found, OrderState)
        return found


@asynccontextmanager
async def account_at(fake: FakeBinance | FakeKraken | FakeOkx, within: float = 20.0) -> AsyncIterator[Account]:
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
