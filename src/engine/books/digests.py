"""The daily digest: which days are still to come, and the figures that are fixed when one has ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from statistics import fmean

from engine.analysis.performance import own_and_external, tally
from engine.analysis.reliability import reliability
from engine.domain.account import EquityPoint
from engine.domain.adjustments import AdjusterTally
from engine.domain.days import Day, Days
from engine.domain.digests import MOST_TOLD, Digest
from engine.domain.events import DigestDue
from engine.domain.market import Listing
from engine.domain.orders import Fill
from engine.domain.payments import Change, paid
from engine.domain.positions import Portfolio, Position
from engine.domain.trade_views import FillView
from engine.domain.weeks import ends_week, week_of
from engine.store.unit_of_work import UnitOfWork

_NOTHING = Decimal(0)


def fix_days(uow: UnitOfWork, days: Days, at: datetime, *, told_weekly: bool) -> None:
    """Fix the figures of each day that has ended by a time and has none yet.

    People are told of the newest, or of the newest weeks that ended with one of them.
    """
    ended = list(takewhile(lambda day: day.ends <= at, days_to_come(uow, days)))
    new = [day for day in ended if _fix(uow, day) is not None]
    told = [week_of(day.date) for day in new if ends_week(day.date)] if told_weekly else [day.name for day in new]
    for digest_id in told[-MOST_TOLD:]:
        uow.emit(DigestDue(at=at, digest_id=digest_id))


def days_to_come(uow: UnitOfWork, days: Days) -> Iterator[Day]:
    """The days without figures, oldest first and without end; none before an account has begun.

    No two have one date, and none ends before the last fixed one did, whatever was set for the days before.
    """
    last, begins = _last(uow), _begins(uow)
    after = days.after(begins) if begins else iter(())
    return (day for day in after if last is None or day.name > last.id)


def _fix(uow: UnitOfWork, day: Day) -> Digest | None:
    digest = figures(uow, day.name, day.ends)
    return digest if digest is not None and uow.digests.add(digest) else None


def _last(uow: UnitOfWork) -> Digest | None:
    return next(iter(uow.digests.newest(1)), None)


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
    begins = _begins(uow)
    if begins is None or begins >= ends:
        return None
    first = account_at(uow, begins)
    curve = (first, *uow.curve.within(begins, ends))
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
    heard = [each for each in uow.outcomes.closed_within(begins, ends) if each.heard]
    graded = reliability(heard)
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
        open_risk=sum((position.at_risk(portfolio.mark(position)) for position in held), Decimal(0)),
        asked=uow.approvals.asked_within(begins, ends),
        answered=sum(settled.values()),
        expired=expired,
        share=became.share,
        benchmark=became.held(first.benchmark, uow.curve.benchmark_at(ends)),
        paid_in=became.paid_in,
        paid_out=became.paid_out,
        payments=counted,
        external=theirs.trades,
        external_net=theirs.net,
        external_cost=theirs.cost,
        models_usd=uow.model_calls.booked_within(begins, ends),
        graded=graded.trades if graded else 0,
        brier=graded.brier if graded else None,
        sure=fmean(each.confidence for each in heard) if heard else None,
        graded_won=sum(each.won for each in heard),
        adjuster=AdjusterTally.of(uow.decisions.adjusted_within(begins, ends)),
    )


def account_at(uow: UnitOfWork, at: datetime) -> EquityPoint:
    """The account as it was at a time: at the last close; where a day ended then, with what was filled since."""
    point, day = uow.curve.point_at(at), uow.digests.ended_at(at)
    return point if day is None else replace(point, equity=day.equity, payments=day.payments)


def _counted(uow: UnitOfWork, newest: EquityPoint, ends: datetime) -> int:
    """How many payments are in the equity at a time: those of the newest point, and those after it up to then."""
    later = uow.account.payments()[newest.payments :]
    return newest.payments + sum(1 for _ in takewhile(lambda payment: payment.at <= ends, later))


def _drawdown(uow: UnitOfWork, portfolio: Portfolio, equity: Decimal, ends: datetime) -> Decimal:
    """The drawdown at a time: of a day that is fixed late from the peak of its own time, as it was recorded then.

    The peak of now has moved with every payment: so has the equity that it is compared with.
    """
    recorded = uow.curve.last_at()
    if recorded is not None and recorded > ends:
        return uow.curve.drawdown_at(ends)
    return max(Decimal(0), replace(portfolio, equity=equity).drawdown)


def _gain(portfolio: Portfolio, fill: Fill) -> Decimal:
    """What a fill changes about equity, at the last known price."""
    mark = (portfolio.marks or {}).get(Listing(fill.venue, fill.symbol), fill.price)
    moved = fill.moved()
    return moved[fill.base] * mark + moved[fill.quote]


def _held(uow: UnitOfWork, at: datetime, later: Sequence[FillView]) -> list[Position]:
    """What was held at a time, by what was filled later."""
    held = {position.id: position for position in uow.positions.held_at(at)}
    for each in later:
        if (position := held.get(each.position_id)) is not None:
            came = each.fill.moved()[each.fill.base]
            held[position.id] = replace(position, quantity=position.quantity - came)
    return list(held.values())
