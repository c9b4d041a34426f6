"""What a replay came to, read off the records that it has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from engine.backtest.fee_values import fee_value, is_beside, paid_beside
from engine.backtest.fill_sources import book_fills, shorter_candles
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.setup_candles import candles_of
from engine.backtest.short_entries import short_entries
from engine.backtest.slots import slots_of
from engine.domain.backtests import Asked, BacktestFill, BacktestResult, BacktestTrade, DailyEquity, HeldAtEnd
from engine.domain.market import to_millis
from engine.domain.orders import Fill
from engine.domain.positions import Position
from engine.domain.trade_views import FillView
from engine.ports import MarketFeed
from engine.store.account_period import closed_by
from engine.store.unit_of_work import UnitOfWork

_DAY = 86_400_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def result_of(
    setup: BacktestSetup, uow: UnitOfWork, feed: MarketFeed, span: tuple[datetime, datetime], seconds: float
) -> BacktestResult:
    """What a replay came to.

    Args:
        setup: What it was run on.
        uow: What it has left.
        feed: What its venue traded along.
        span: From when to when.
        seconds: What it took.
    """
    begins, ends = span
    account, fills = uow.account.portfolio(), uow.orders.fills_after(_LONG_AGO)
    closed = sorted(uow.positions.closed_within(_LONG_AGO, ends), key=lambda each: each.closed_at or ends)
    of_position: dict[str, list[FillView]] = {}
    for each in fills:
        of_position.setdefault(each.position_id, []).append(each)
    beside = paid_beside(setup, feed, fills)
    daily = _daily(uow, begins, ends, float(account.equity), float(account.exposure))
    daily = replace(daily, equity=daily.equity - beside.until(daily.at_ms))
    trades = tuple(_trade(setup, uow, feed, each, of_position.get(each.id, ())) for each in closed)
    held = tuple(
        HeldAtEnd(
            context=each.context,
            symbol=each.symbol,
            opened_at=each.opened_at,
            quantity=float(each.quantity),
            entry_price=float(each.entry_price),
            price=float(account.mark(each)),
        )
        for each in account.positions
    )
    return BacktestResult(
        quote=setup.quote,
        begins=begins,
        ends=ends,
        candles=sum(_count(setup, symbol, begins) for symbol in setup.candles),
        cash=float(setup.cash),
        final_equity=float(daily.equity[-1]),
        read_trades=lambda: trades,
        read_short=lambda result: short_entries(setup, slots_of(setup), result),
        held=held,
        daily=daily,
        fees=sum(each.fees for each in trades)
        + sum(_fees(setup, feed, each, of_position.get(each.id, ())) for each in account.positions),
        slippage=None,
        entries_ended=next((found.halt.since for found in uow.halts.open() if found.halt.is_total), None),
        seconds=seconds,
        compile_seconds=0.0,
        asked=_asked(uow, ends) if isinstance(setup.terms, RiskTerms) and setup.terms.people else None,
        shorter=shorter_candles(setup, [each.fill for each in fills], begins),
        predicted=uow.predictions.by_whom() if setup.reads_predictions else None,
        books=book_fills(fills, uow.orders.get, feed.book) if setup.live and setup.live.books else None,
    )


def _asked(uow: UnitOfWork, ends: datetime) -> Asked:
    counts = uow.approvals.settled_within(_LONG_AGO, ends)
    return Asked(**{each.name: counts.get(each.name, 0) for each in fields(Asked)})


def _count(setup: BacktestSetup, symbol: str, begins: datetime) -> int:
    opens = candles_of(setup, symbol).open_ms
    return len(opens) - int(opens.searchsorted(to_millis(begins)))


def _daily(uow: UnitOfWork, begins: datetime, ends: datetime, equity: float, exposure: float) -> DailyEquity:
    """The last point of the curve up to each midnight."""
    points = [each for each in uow.curve.within(begins, ends) if to_millis(each.at) % _DAY == 0 and each.at > begins]
    return DailyEquity(
        at_ms=np.array([*(to_millis(each.at) for each in points), to_millis(ends)], dtype=np.int64),
        equity=np.array([*(float(each.equity) for each in points), equity]),
        exposure=np.array([*(float(each.equity - each.cash) for each in points), exposure]),
    )


def _fees(setup: BacktestSetup, feed: MarketFeed, position: Position, fills: Sequence[FillView]) -> float:
    """What a position has paid: as it was counted, but for what its fees in a currency of their own were worth."""
    beside = [each for each in fills if is_beside(each)]
    known = sum((each.fee_value for each in beside), Decimal(0))
    return float(position.fees - known + sum((fee_value(setup, feed, each) for each in beside), Decimal(0)))


def _trade(
    setup: BacktestSetup, uow: UnitOfWork, feed: MarketFeed, position: Position, fills: Sequence[FillView]
) -> BacktestTrade:
    closed = position.closed_at or position.opened_at
    span = setup.candles[position.symbol].timeframe
    return BacktestTrade(
        context=position.context,
        symbol=position.symbol,
        opened_at=position.opened_at,
        closed_at=closed if setup.live else span.floor(closed),
        quantity=float(position.bought),
        entry_price=float(position.cost / position.bought),
        exit_price=float(position.exit_price or 0),
        fees=_fees(setup, feed, position, fills),
        slippage=None,
        reason=closed_by(uow, position),
        fills=tuple(_fill(each.fill) for each in fills),
    )


def _fill(fill: Fill) -> BacktestFill:
    return BacktestFill(
        at=fill.at,
        side=fill.side,
        quantity=float(fill.quantity),
        price=float(fill.price),
        fee=float(fill.fee.amount) if fill.fee else 0.0,
        fee_currency=fill.fee.currency if fill.fee else fill.quote,
    )
