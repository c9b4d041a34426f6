"""Weeks of days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.domain.weeks import dates_of, ended, ends_week, is_week, together, week_of
from tests.fakes import reports

MONDAY = date(2025, 12, 29)


def day(number: int, **changes):
    """A day of the week across New Year that begins with MONDAY."""
    ends = reports.NOON + timedelta(days=number)
    name = (MONDAY + timedelta(days=number)).isoformat()
    return reports.digest(id=name, begins=ends - timedelta(days=1), ends=ends, **changes)


def test_a_week_is_named_as_iso_8601_names_it_and_ends_with_its_sunday():
    assert {week_of(MONDAY + timedelta(days=number)) for number in range(7)} == {"2026-W01"}
    assert week_of(MONDAY + timedelta(days=7)) == "2026-W02"
    assert [ends_week(MONDAY + timedelta(days=number)) for number in range(7)] == [False] * 6 + [True]
    assert dates_of("2026-W01") == tuple(MONDAY + timedelta(days=number) for number in range(7))
    assert is_week("2026-W01")
    assert not is_week("2026-01-03")


def test_what_happened_in_a_week_is_added_up_and_what_is_of_a_moment_is_the_last():
    first = day(0, net=Decimal(100), equity=Decimal(10100), benchmark=Decimal("0.1"))
    last = day(1, net=Decimal(-50), equity=Decimal(10050), benchmark=Decimal("-0.1"), open_positions=3)
    week = together("2026-W01", [first, last])
    assert (week.net, week.share, week.equity) == (Decimal(50), Decimal("0.005"), Decimal(10050))
    assert week.benchmark == Decimal("1.1") * Decimal("0.9") - 1
    assert (week.begins, week.ends, week.open_positions) == (first.begins, last.ends, 3)
    assert (week.fees, week.opened, week.closed, week.won) == (Decimal(3), 6, 4, 2)
    assert (week.asked, week.answered, week.expired, week.realised) == (10, 8, 2, Decimal(40))
    assert week.equity_curve == (*first.equity_curve, last.equity_curve[1])


@pytest.mark.parametrize(("cost", "whole"), [(Decimal(50), Decimal(150)), (None, None)])
def test_what_somebody_elses_trades_had_cost_is_known_where_it_is_of_each_day(
    cost: Decimal | None, whole: Decimal | None
):
    first = day(0, external=1, external_net=Decimal(2), external_cost=Decimal(100))
    week = together("2026-W01", [first, day(1), day(2, external=2, external_net=Decimal(1), external_cost=cost)])
    assert (week.external, week.external_net, week.external_cost) == (3, Decimal(3), whole)


def test_what_was_paid_in_or_out_is_no_result_of_a_week_either():
    first = day(0, net=Decimal(100), equity=Decimal(15100), paid_in=Decimal(5000), payments=1)
    rest = day(1, net=Decimal(-50), equity=Decimal(15050), equity_curve=(Decimal(15100), Decimal(15050)))
    last = day(2, net=Decimal(0), equity=Decimal(13050), paid_out=Decimal(2000), payments=2, equity_curve=())
    week = together("2026-W01", [first, rest, last])
    assert (week.net, week.equity, week.paid_in, week.paid_out, week.payments) == (50, 13050, 5000, 2000, 2)
    assert week.share == Decimal(50) / (10_000 + 5000)
    assert week.equity_curve == (*first.equity_curve, Decimal(10050))


def test_what_a_market_came_to_in_a_week_is_not_known_where_it_is_not_of_each_day():
    assert together("2026-W01", [day(0), day(1, benchmark=None)]).benchmark is None


@pytest.mark.parametrize(("days", "weeks"), [(6, []), (7, ["2026-W01"]), (15, ["2026-W01", "2026-W02"])])
def test_only_a_week_whose_sunday_is_there_has_ended(days: int, weeks: list[str]):
    assert [week.id for week in ended([day(number) for number in range(days)])] == weeks


def test_the_grade_of_a_week_is_the_mean_over_its_trades_and_not_over_its_days():
    first = reports.digest(graded=3, graded_won=2, brier=0.2, sure=0.6)
    days = [first, reports.digest(), reports.digest(graded=1, graded_won=1, brier=0.4, sure=0.8)]
    found = together("2026-W01", days)
    assert (found.graded, found.brier) == (4, pytest.approx(0.25))
    assert (found.graded_won, found.sure) == (3, pytest.approx(0.65))
    assert together("2026-W01", [reports.digest()]).brier is None
