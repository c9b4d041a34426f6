"""Weeks of days that have figures: Monday to Sunday, by the dates of the account's days. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from math import prod

from engine.domain.adjustments import AdjusterTally
from engine.domain.digests import Digest

_SUNDAY = 7
_MARK = "-W"


def week_of(day: date) -> str:
    """The week that a day belongs to, as ISO 8601 writes it: ``2026-W05``."""
    year, week, _ = day.isocalendar()
    return f"{year}{_MARK}{week:02}"


def is_week(name: str) -> bool:
    """Whether figures with this name are those of a week."""
    return _MARK in name


def ends_week(day: date) -> bool:
    """Whether a day is the last of its week."""
    return day.isoweekday() == _SUNDAY


def dates_of(week: str) -> tuple[date, ...]:
    """The dates of a week, oldest first.

    Raises:
        ValueError: There is no such week.
    """
    year, _, number = week.partition(_MARK)
    return tuple(date.fromisocalendar(int(year), int(number), weekday) for weekday in range(1, _SUNDAY + 1))


def together(week: str, days: Sequence[Digest]) -> Digest:
    """The figures of a week, of those of its days, oldest first; what is of a moment is as the last of them left it."""
    first, last = days[0], days[-1]
    net, paid_in, paid_out = (sum(each, Decimal(0)) for each in zip(*map(_moved, days), strict=True))
    base = first.equity - first.net + first.paid_out - first.paid_in + paid_in
    held = [day.benchmark for day in days if day.benchmark is not None]
    return Digest(
        id=week,
        begins=first.begins,
        ends=last.ends,
        quote=last.quote,
        net=net,
        realised=sum((day.realised for day in days), Decimal(0)),
        fees=sum((day.fees for day in days), Decimal(0)),
        equity=last.equity,
        drawdown=last.drawdown,
        equity_curve=tuple(_curve(days)),
        opened=sum(day.opened for day in days),
        closed=sum(day.closed for day in days),
        won=sum(day.won for day in days),
        open_positions=last.open_positions,
        open_risk=last.open_risk,
        asked=sum(day.asked for day in days),
        answered=sum(day.answered for day in days),
        expired=sum(day.expired for day in days),
        share=net / base if base > 0 else None,
        benchmark=prod((1 + share for share in held), start=Decimal(1)) - 1 if len(held) == len(days) else None,
        paid_in=paid_in,
        paid_out=paid_out,
        payments=last.payments,
        external=sum(day.external for day in days),
        external_net=sum((day.external_net for day in days), Decimal(0)),
        external_cost=_external_cost(days),
        models_usd=sum((day.models_usd for day in days), Decimal(0)),
        graded=sum(day.graded for day in days),
        brier=_mean([(day.brier, day.graded) for day in days]),
        sure=_mean([(day.sure, day.graded) for day in days]),
        graded_won=sum(day.graded_won for day in days),
        adjuster=sum((day.adjuster for day in days), AdjusterTally()),
    )


def _mean(of_days: Sequence[tuple[float | None, int]]) -> float | None:
    """The mean over all graded trades, of days with theirs; ``None`` without any."""
    known = [(mean, count) for mean, count in of_days if mean is not None]
    trades = sum(count for _, count in known)
    return sum(mean * count for mean, count in known) / trades if trades else None


def _external_cost(days: Sequence[Digest]) -> Decimal | None:
    """What somebody else's trades had cost; ``None`` where that is not known of each day that had any."""
    costs = [day.external_cost for day in days if day.external]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _moved(day: Digest) -> tuple[Decimal, Decimal, Decimal]:
    return day.net, day.paid_in, day.paid_out


def _curve(days: Sequence[Digest]) -> Iterator[Decimal]:
    """The curves of some days as one, without what was paid in or out since the first began."""
    yield from days[0].equity_curve[:1]
    paid = Decimal(0)
    for day in days:
        yield from (value - paid for value in day.equity_curve[1:])
        paid += day.paid_in - day.paid_out


def ended(days: Sequence[Digest]) -> tuple[Digest, ...]:
    """The weeks that have ended among some days, each with all of its days that are there; both oldest first."""
    by_week: dict[str, list[Digest]] = {}
    for day in days:
        by_week.setdefault(week_of(date.fromisoformat(day.id)), []).append(day)
    return tuple(together(week, own) for week, own in by_week.items() if ends_week(date.fromisoformat(own[-1].id)))
