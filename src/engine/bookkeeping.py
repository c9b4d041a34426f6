"""The account day by day: marks, the equity curve, halts that begin and end by themselves, and the daily digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import takewhile

from engine.analysis.performance import own_and_external, tally
from engine.analysis.quality import DataQualityMonitor
from engine.analysis.technical import HISTORY
from engine.data_halts import note_changes
from engine.domain.days import Day, Days
from engine.domain.decisions import QualityReport
from engine.domain.errors import DataError, VenueError
from engine.domain.events import DigestDue
from engine.domain.market import Timeframe
from engine.domain.orders import Fill, Side
from engine.domain.payments import Change, paid
from engine.domain.positions import Portfolio, Position
from engine.domain.reports import MOST_TOLD, Digest, EquityPoint, FillView
from engine.domain.weeks import ends_week, week_of
from engine.ports import MarketData
from engine.risk.halts import drawdown_halt, paused_at
from engine.risk.rules import RiskLimits
from engine.store.database import Database
from engine.store.halting import begin_halt, end_halt
from engine.store.unit_of_work import UnitOfWork

_NOTHING = Decimal(0)


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
        days: Where days end.
        told_weekly: Whether people are told of weeks instead of days; each day has its figures all the same.
    """

    store: Database
    market_data: MarketData
    markets: Mapping[str, Timeframe]
    quality: DataQualityMonitor
    limits: RiskLimits
    days: Days
    told_weekly: bool = False

    async def mark_to_market(self, at: datetime) -> None:
        """Note the closing price of every market that has a good one.

        A market without one keeps its last good price; its data is none of the other markets' business.
        """
        found = {symbol: await self._close_of(symbol, timeframe, at) for symbol, timeframe in self.markets.items()}
        await self.store.transact(lambda uow: _mark(uow, found, at))

    async def _close_of(self, symbol: str, timeframe: Timeframe, at: datetime) -> _Close:
        try:
            candles, report = self.quality.check(await self.market_data.candles(symbol, timeframe, HISTORY), at)
            if not len(candles) or not report.priced or candles.closed_at != at:
                return _Close(price=None, report=report)
            return _Close(price=self.market_data.market(symbol).price(float(candles.close[-1])), report=report)
        except (VenueError, DataError):
            return _Close(price=None, report=QualityReport())

    async def record_equity(self, at: datetime) -> None:
        """Put the account on the equity curve; stop entries where it has fallen too far."""
        await self.store.transact(lambda uow: self._close(uow, at))

    async def end_halts(self, at: datetime) -> None:
        """End the halts whose time is over."""
        await self.store.transact(lambda uow: _end_halts(uow, at))

    async def next_halt_end(self) -> datetime | None:
        """When the next halt ends by itself."""
        standing = await self.store.read(lambda uow: uow.halts.open())
        return min((found.halt.until for found in standing if found.halt.until is not None), default=None)

    async def digest(self, at: datetime) -> None:
        """Fix the figures of each day that has ended by a time and has none yet.

        People are told of the newest, or of the newest weeks that ended with one of them.
        """
        await self.store.transact(lambda uow: self._digest(uow, at))

    def _digest(self, uow: UnitOfWork, at: datetime) -> None:
        ended = list(takewhile(lambda day: day.ends <= at, days_to_come(uow, self.days)))
        new = [day for day in ended if _fix(uow, day) is not None]
        told = [week_of(day.date) for day in new if ends_week(day.date)] if self.told_weekly else [d.name for d in new]
        for digest_id in told[-MOST_TOLD:]:
            uow.emit(DigestDue(at=at, digest_id=digest_id))

    def _close(self, uow: UnitOfWork, at: datetime) -> None:
        portfolio = uow.account.record_equity(at, self.markets)
        halt = drawdown_halt(portfolio, [found.halt for found in uow.halts.open()], self.limits, at)
        uow.account.note_pause(paused_at(portfolio, self.limits))
        if halt is not None:
            begin_halt(uow, halt)


def _mark(uow: UnitOfWork, seen: Mapping[str, _Close], at: datetime) -> None:
    """What was bought as one thing is not valued at the price of another: a market that has changed keeps its mark."""
    changed = {symbol for symbol, close in seen.items() if note_changes(uow, symbol, close.report, at)}
    closes = {symbol: close.price for symbol, close in seen.items() if close.price is not None}
    uow.account.mark({symbol: price for symbol, price in closes.items() if symbol not in changed}, at)


def _end_halts(uow: UnitOfWork, at: datetime) -> None:
    for found in uow.halts.open():
        if found.halt.until is not None and found.halt.until <= at:
            end_halt(uow, found, found.halt.until)  # however late anybody looks, entries were possible from then on


def days_to_come(uow: UnitOfWork, days: Days) -> Iterator[Day]:
    """The days without figures, oldest first and without end; none before an account has begun.

    No two have one date, and none ends before the last fixed one did, whatever was set for the days before.
    """
    last, begins = _last(uow), _begins(uow)
    after = days.after(begins) if begins else iter(())
    return (day for day in after if last is None or day.name > last.id)


def _fix(uow: UnitOfWork, day: Day) -> Digest | None:
    digest = figures(uow, day.name, day.ends)
    return digest if digest is not None and uow.account.add_digest(digest) else None


def _last(uow: UnitOfWork) -> Digest | None:
    return next(iter(uow.account.newest_digests(1)), None)


def _begins(uow: UnitOfWork) -> datetime | None:
    """When the last fixed day ended; else when the account began; ``None`` without either."""
    last, began = _last(uow), uow.settings.get("account.began")
    return last.ends if last else datetime.fromisoformat(began) if began else None


def figures(uow: UnitOfWork, name: str, ends: datetime, account: Portfolio | None = None) -> Digest | None:
    """The figures of all that is not fixed yet up to a time, as they were then; ``None`` where no time has passed.

    Prices and stops of what was held are those of now: for a day that is fixed late, ``open_risk`` is an estimate.

    Args:
        uow: Where they are kept.
        name: Of the day.
        ends: When it ends.
        account: That of now at the prices of now, where now is when it ends; without it the last closes count.
    """
    begins, last = _begins(uow), _last(uow)
    if begins is None or begins >= ends:
        return None
    first = uow.account.point_at(begins)
    if last is not None:
        first = replace(first, equity=last.equity, payments=last.payments)
    curve = (first, *uow.account.curve_within(begins, ends))
    portfolio, fills = account or uow.account.portfolio(), uow.orders.fills_after(curve[-1].at)
    payments, counted = uow.account.payments(), _counted(uow, curve[-1], ends)
    if account is not None:
        equity = account.equity
    else:
        equity = curve[-1].equity + paid(payments[curve[-1].payments : counted])
        equity += sum(
            (_gain(portfolio, each.fill) for each in fills if each.fill.at <= ends and each.position_id), _NOTHING
        )
    became = Change(before=first.equity, after=equity, payments=payments[first.payments : counted])
    held = _held(uow, ends, [each for each in fills if each.fill.at > ends])
    closed, others = own_and_external(uow.positions.closed_within(begins, ends))
    theirs = tally(others)
    settled = uow.approvals.settled_within(begins, ends)
    expired = settled.pop("expired", 0)
    return Digest(
        id=name,
        begins=begins,
        ends=ends,
        quote=uow.account.quote,
        net=became.net,
        realised=sum((position.net for position in closed), Decimal(0)),
        fees=uow.orders.fees_within(begins, ends),
        equity=equity,
        drawdown=_drawdown(uow, portfolio, equity + paid(payments[counted:]), ends),
        equity_curve=tuple(point.equity - paid(payments[first.payments : point.payments]) for point in curve),
        opened=uow.positions.opened_within(begins, ends),
        closed=len(closed),
        won=sum(position.net > 0 for position in closed),
        open_positions=len(held),
        open_risk=sum((open_risk(position, portfolio.mark(position)) for position in held), Decimal(0)),
        asked=uow.approvals.asked_within(begins, ends),
        answered=sum(settled.values()),
        expired=expired,
        share=became.share,
        benchmark=became.held(first.benchmark, uow.account.benchmark_at(ends)),
        paid_in=became.paid_in,
        paid_out=became.paid_out,
        payments=counted,
        external=theirs.trades,
        external_net=theirs.net,
        external_cost=theirs.cost,
    )


def _counted(uow: UnitOfWork, newest: EquityPoint, ends: datetime) -> int:
    """How many payments are in the equity at a time: those of the newest point, and those after it up to then."""
    later = uow.account.payments()[newest.payments :]
    return newest.payments + sum(1 for _ in takewhile(lambda payment: payment.at <= ends, later))


def _drawdown(uow: UnitOfWork, portfolio: Portfolio, equity: Decimal, ends: datetime) -> Decimal:
    """The drawdown at a time: of a day that is fixed late from the peak of its own time, as it was recorded then.

    The peak of now has moved with every payment: so has the equity that it is compared with.
    """
    recorded = uow.account.last_equity_at()
    if recorded is not None and recorded > ends:
        return uow.account.drawdown_at(ends)
    return max(Decimal(0), replace(portfolio, equity=equity).drawdown)


def _gain(portfolio: Portfolio, fill: Fill) -> Decimal:
    """What a fill changes about equity, at the last known price."""
    better = (portfolio.marks or {}).get(fill.symbol, fill.price) - fill.price
    return fill.quantity * (better if fill.side is Side.BUY else -better) - fill.fee


def _held(uow: UnitOfWork, at: datetime, later: Sequence[FillView]) -> list[Position]:
    """What was held at a time, by what was filled later."""
    held = {position.id: position for position in uow.positions.held_at(at)}
    for each in later:
        if (position := held.get(each.position_id)) is not None:
            bought = each.fill.quantity if each.fill.side is Side.BUY else -each.fill.quantity
            held[position.id] = replace(position, quantity=position.quantity - bought)
    return list(held.values())


def open_risk(position: Position, price: Decimal) -> Decimal:
    """What a position loses from a price on if its stop fills at its own price; all of it without a stop."""
    return position.quantity * max(Decimal(0), price - (position.stop or Decimal(0)))
