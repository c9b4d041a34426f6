"""Weeks of days that have figures: Monday to Sunday, by the dates of the account's days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import prod

from engine.domain.reports import Digest

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
    net, before = sum((day.net for day in days), Decimal(0)), first.equity - first.net
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
        equity_curve=(*first.equity_curve, *(value for day in days[1:] for value in day.equity_curve[1:])),
        opened=sum(day.opened for day in days),
        closed=sum(day.closed for day in days),
        won=sum(day.won for day in days),
        open_positions=last.open_positions,
        open_risk=last.open_risk,
        asked=sum(day.asked for day in days),
        answered=sum(day.answered for day in days),
        expired=sum(day.expired for day in days),
        share=net / before if before > 0 else None,
        benchmark=prod((1 + share for share in held), start=Decimal(1)) - 1 if len(held) == len(days) else None,
    )


def ended(days: Sequence[Digest]) -> tuple[Digest, ...]:
    """The weeks that have ended among some days, each with all of its days that are there; both oldest first."""
    by_week: dict[str, list[Digest]] = {}
    for day in days:
        by_week.setdefault(week_of(date.fromisoformat(day.id)), []).append(day)
    return tuple(together(week, own) for week, own in by_week.items() if ends_week(date.fromisoformat(own[-1].id)))
