"""The members of the family of venues on a test bench, an hour into the same market, and orders to send them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from engine.data.live.feed import LiveFeed
from engine.domain.market import Timeframe
from engine.domain.orders import NotFound, OrderRequest, OrderState, OrderType, Refused, Side, client_id
from engine.exchanges.paper import PaperExchange
from engine.ports import Exchange, MarketFeed
from engine.simulation.fills import FillModel
from tests.auditor import check_conservation
from tests.fakes.feed import BTC, START, HandClock, Row, hand_feed

QUIET: Row = (100, 101, 99, 100, 1000)
CASH = Decimal(10_000)
MODEL = FillModel(depth=Decimal("0.05"))


class Bench(Protocol):
    """A member of the family on a test bench."""

    venue: Exchange
    sees_it_fall: bool
    """Whether it knows that the price went through what lies between two turns, where it fell."""

    def to(self, minutes: float) -> None:
        """Let market time pass."""

    def crash(self) -> None:
        """Lose the connection to the venue without a word, and make a new one."""

    def check(self) -> None:
        """See that no money came or went otherwise than by fills."""


class PaperBench:
    sees_it_fall = True

    def __init__(self, file: Path, rows: Sequence[Row | None], cash: Decimal = CASH) -> None:
        self._file, self._feed, self._cash = file, self._follow(rows), cash
        self._clock = HandClock(60)
        self.venue = self._open()

    def _follow(self, rows: Sequence[Row | None]) -> MarketFeed:
        return hand_feed(rows)

    def _open(self) -> PaperExchange:
        return PaperExchange(
            file=self._file, feed=self._feed, clock=self._clock, model=MODEL, balances={"USDT": self._cash}
        )

    def to(self, minutes: float) -> None:
        self._clock.to(minutes)

    def crash(self) -> None:
        self.venue = self._open()

    def check(self) -> None:
        assert check_conservation(self._file) == []


class LiveBench(PaperBench):
    """The paper venue on a live feed, which somebody tells of each turn of the price when it comes."""

    sees_it_fall = False

    def _follow(self, rows: Sequence[Row | None]) -> MarketFeed:
        self._truth, self._told_until = hand_feed(rows), START - timedelta(minutes=1)
        self._live = LiveFeed([BTC.symbol], fresh_for=timedelta(minutes=21))
        self._live.list_as(BTC)
        self._observe(START + timedelta(hours=1))
        return self._live

    def to(self, minutes: float) -> None:
        super().to(minutes)
        self._observe(self._clock.now())

    def _observe(self, now: datetime) -> None:
        for at, price in self._truth.path(BTC.symbol, self._told_until, now):
            self._live.see(BTC.symbol, at, price)
        self._live.keep(self._truth.candles(BTC.symbol, Timeframe.H1, now, 500))
        self._told_until = now


BENCHES = {"paper": PaperBench, "paper on live data": LiveBench}
Make = Callable[..., Bench]


def order(name: str, quantity: str = "1", side: Side = Side.BUY) -> OrderRequest:
    return OrderRequest(
        venue="paper",
        client_id=client_id(name),
        symbol=BTC.symbol,
        side=side,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )


def oco(name: str, stop: str, target: str, quantity: str = "1") -> OrderRequest:
    plain = order(name, quantity, Side.SELL)
    return replace(plain, type=OrderType.OCO, trigger_price=Decimal(stop), limit_price=Decimal(target))


async def state(venue: Exchange, name: str) -> OrderState:
    found = await venue.find(BTC.symbol, client_id(name))
    assert isinstance(found, OrderState)
    return found


async def refused(venue: Exchange, request: OrderRequest) -> str:
    sent = await venue.submit(request)
    assert isinstance(sent, Refused), sent
    assert await venue.find(BTC.symbol, request.client_id) == NotFound(client_id=request.client_id)
    return sent.reason


FALL: Row = (100, 101, 90, 91, 1000)
RISE: Row = (100, 110, 99, 109, 1000)
