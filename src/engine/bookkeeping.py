"""The account day by day: marks, the equity curve, halts that begin and end by themselves, and the daily digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.analysis.quality import DataQualityMonitor
from engine.analysis.technical import HISTORY
from engine.data_halts import note_changes
from engine.domain.decisions import QualityReport
from engine.domain.errors import DataError, VenueError
from engine.domain.events import DigestDue, Halted, HaltEnded
from engine.domain.market import Timeframe
from engine.domain.reports import Digest
from engine.domain.trading import HaltKind, Position
from engine.ports import Exchange
from engine.risk.halts import drawdown_halt
from engine.risk.rules import RiskLimits
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class _Close:
    """What a market closed at, if its candles can be believed, and what these are like."""

    price: Decimal | None
    report: QualityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeping:
    """Keeps the books of one account.

    Attributes:
        markets: The traded markets, each with the timeframe whose closes it is marked at.
        quality: What a close must pass before anything is valued at it.
        timezone: Where days begin and end.
    """

    store: Database
    exchange: Exchange
    markets: Mapping[str, Timeframe]
    quality: DataQualityMonitor
    limits: RiskLimits
    timezone: ZoneInfo

    async def mark(self, at: datetime) -> None:
        """Note the closing price of every market that has a good one, and end the halts whose time is over.

        A market without one keeps its last good price; its data is none of the other markets' business.
        """
        found = {symbol: await self._close_of(symbol, timeframe, at) for symbol, timeframe in self.markets.items()}
        await self.store.transact(lambda uow: _mark(uow, found, at))

    async def _close_of(self, symbol: str, timeframe: Timeframe, at: datetime) -> _Close:
        try:
            candles, report = self.quality.check(await self.exchange.candles(symbol, timeframe, HISTORY), at)
            if not len(candles) or not report.priced or candles.closed_at != at:
                return _Close(price=None, report=report)
            return _Close(price=self.exchange.market(symbol).price(float(candles.close[-1])), report=report)
        except (VenueError, DataError):
            return _Close(price=None, report=QualityReport())

    async def close(self, at: datetime) -> None:
        """Put the account on the equity curve; stop entries where it has fallen too far."""
        await self.store.transact(lambda uow: self._close(uow, at))

    async def digest(self, at: datetime) -> None:
        """Fix the figures of the day that ends now, once."""

        def work(uow: UnitOfWork) -> None:
            digest = figures(uow, previous_end(uow, at), at, self.timezone)
            if digest is not None and uow.account.add_digest(digest):
                uow.emit(DigestDue(at=at, digest_id=digest.id))

        await self.store.transact(work)

    def _close(self, uow: UnitOfWork, at: datetime) -> None:
        portfolio = uow.account.record_equity(at)
        halt = drawdown_halt(portfolio, [found.halt for found in uow.halts.open()], self.limits, at)
        if halt is not None:
            uow.emit(Halted(at=at, halt_id=uow.halts.add(halt), kind=halt.kind))


def _mark(uow: UnitOfWork, seen: Mapping[str, _Close], at: datetime) -> None:
    """What was bought as one thing is not valued at the price of another: a market that has changed keeps its mark."""
    changed = {symbol for symbol, close in seen.items() if note_changes(uow, symbol, close.report, at)}
    closes = {symbol: close.price for symbol, close in seen.items() if close.price is not None}
    uow.account.mark({symbol: price for symbol, price in closes.items() if symbol not in changed}, at)
    for found in uow.halts.open():
        if found.halt.until is not None and found.halt.until <= at:
            end_halt(uow, found.id, found.halt.kind, at)


def end_halt(uow: UnitOfWork, halt_id: str, kind: HaltKind, at: datetime, by: str = "") -> None:
    """End a halt; after a drawdown pause the fall is counted from the equity of now."""
    uow.halts.end(halt_id, at, by)
    if kind is HaltKind.DRAWDOWN:
        uow.account.rebase_peak()
    uow.emit(HaltEnded(at=at, halt_id=halt_id, kind=kind, by=by))


def previous_end(uow: UnitOfWork, at: datetime) -> datetime | None:
    """When the last fixed day before a time ended; else when the account began; ``None`` without either."""
    fixed = [digest.ends for digest in uow.account.newest_digests(1) if digest.ends < at]
    if fixed:
        return fixed[0]
    began = uow.settings.get("account.began")
    return datetime.fromisoformat(began) if began else None


def figures(uow: UnitOfWork, begins: datetime | None, ends: datetime, timezone: ZoneInfo) -> Digest | None:
    """The figures of ``(begins, ends]``; ``None`` for no time at all."""
    if begins is None or begins >= ends:
        return None
    before, curve = uow.account.equity_at(begins), uow.account.equity_within(begins, ends)
    portfolio = uow.account.portfolio()
    equity = curve[-1][1] if curve else portfolio.equity
    closed = uow.positions.closed_within(begins, ends)
    settled = uow.approvals.settled_within(begins, ends)
    expired = settled.pop("expired", 0)
    return Digest(
        id=begins.astimezone(timezone).date().isoformat(),
        begins=begins,
        ends=ends,
        quote=uow.account.quote,
        net=equity - before,
        realised=sum((position.net for position in closed), Decimal(0)),
        fees=uow.orders.fees_within(begins, ends),
        equity=equity,
        drawdown=portfolio.drawdown,
        equity_curve=(before, *(value for _, value in curve)),
        opened=uow.positions.opened_within(begins, ends),
        closed=len(closed),
        won=sum(position.net > 0 for position in closed),
        open_positions=len(portfolio.positions),
        open_risk=sum((open_risk(p, portfolio.mark(p)) for p in portfolio.positions), Decimal(0)),
        asked=uow.approvals.asked_within(begins, ends),
        answered=sum(settled.values()),
        expired=expired,
    )


def open_risk(position: Position, price: Decimal) -> Decimal:
    """What a position loses from a price on if its stop fills at its own price; all of it without a stop."""
    return position.quantity * max(Decimal(0), price - (position.stop or Decimal(0)))
