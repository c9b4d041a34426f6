"""What the risk rules look at, with plausible contents, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from engine.domain.halts import Halt
from engine.domain.judging import RiskView
from engine.domain.market import Book, Level, Market, Timeframe
from engine.domain.plans import TradePlan
from engine.domain.positions import Buying, Portfolio
from engine.domain.risk_stats import RiskStats
from tests.fakes.feed import BTC, START
from tests.fakes.reports import plan


def entry(**changes: Any) -> TradePlan:
    """A plan to buy one BTC at 100.02."""
    usual = plan(quantity=Decimal(1), price=Decimal("100.02"), stop=Decimal(98), target=Decimal(103))
    return replace(usual, **changes)


def portfolio(**changes: Any) -> Portfolio:
    """Ten thousand in cash."""
    usual = Portfolio(free_cash=Decimal(10_000), equity=Decimal(10_000), peak=Decimal(10_000))
    return replace(usual, **changes)


def buying(value: Decimal, **changes: str) -> Buying:
    """An unfinished buying order of the context ``momentum`` on BTC that may still cost so much."""
    return Buying(
        value=value, **{"order_id": "O7", "context": "momentum", "venue": "paper", "symbol": "BTC/USDT", **changes}
    )


def risk_stats(**changes: Any) -> RiskStats:
    """Figures of an hourly market that has hardly moved."""
    usual = RiskStats(
        symbol="BTC/USDT",
        timeframe=Timeframe.H1,
        as_of=START,
        returns=np.full(40, 0.001),
        volatility=0.005,
        atr=0.5,
        daily_volume=1e6,
        known_volume=1e6,
    )
    return replace(usual, **changes)


def view(
    *,
    portfolio: Portfolio | None = None,
    bid: Decimal = Decimal("99.98"),
    ask: Decimal = Decimal("100.02"),
    depth: Decimal = Decimal(100),
    close: Decimal = Decimal(100),
    halts: tuple[Halt, ...] = (),
    now: datetime = START,
    market: Market = BTC,
) -> RiskView:
    """A quiet market around 100 with one deep level on each side."""
    book = Book(
        symbol=market.symbol,
        at=now,
        bids=(Level(price=bid, quantity=depth),),
        asks=(Level(price=ask, quantity=depth),),
    )
    return RiskView(
        market=market,
        portfolio=portfolio or Portfolio(free_cash=Decimal(10_000), equity=Decimal(10_000), peak=Decimal(10_000)),
        book=book,
        close=close,
        stats=risk_stats(as_of=now, symbol=market.symbol),
        halts=halts,
        now=now,
    )
