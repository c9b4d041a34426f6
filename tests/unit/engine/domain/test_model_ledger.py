"""Caps by day and month, in UTC as providers bill."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.model_ledger import Cap, Spend, told_id

TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("at", "day", "month", "after_day", "after_month"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026-12-31", "2026-12-01", "2027-01-01", "2027-01-01"),
        (datetime(2027, 1, 1, 8, 59, tzinfo=TOKYO), "2026-12-31", "2026-12-01", "2027-01-01", "2027-01-01"),
        (datetime(2028, 2, 29, tzinfo=UTC), "2028-02-29", "2028-02-01", "2028-03-01", "2028-03-01"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31", "2026-01-01", "2026-02-01", "2026-02-01"),
        (datetime(2026, 7, 1, tzinfo=UTC), "2026-07-01", "2026-07-01", "2026-07-02", "2026-08-01"),
    ],
)
def test_days_and_months_are_those_of_utc(at: datetime, day: str, month: str, after_day: str, after_month: str):
    daily, monthly = (Cap(period=period, usd=Decimal(1)) for period in (Period.DAY, Period.MONTH))
    assert [daily.first(at), monthly.first(at)] == [date.fromisoformat(day), date.fromisoformat(month)]
    midnight = "T00:00+00:00"
    assert [daily.begins_anew(at), monthly.begins_anew(at)] == [
        datetime.fromisoformat(after_day + midnight),
        datetime.fromisoformat(after_month + midnight),
    ]


def test_a_cap_counts_its_own_time_and_what_it_is_for():
    at = datetime(2026, 3, 15, 12, tzinfo=UTC)
    spends = [
        Spend(day=day, provider=provider, purpose=purpose, context=context, usd=Decimal(usd))
        for day, provider, purpose, context, usd in [
            (date(2026, 2, 28), "openai", "analyst", "sol", "1000"),
            (date(2026, 3, 1), "openai", "analyst", "sol", "100"),
            (date(2026, 3, 15), "anthropic", "risk", "sol", "10"),
            (date(2026, 3, 15), "openai", "analyst", "btc", "1"),
        ]
    ]

    def used(period: Period, **about: str) -> Decimal:
        return Cap(period=period, usd=Decimal(1), **about).used(spends, at)

    assert (used(Period.MONTH), used(Period.DAY)) == (111, 11)
    assert (used(Period.MONTH, purpose="analyst"), used(Period.DAY, context="sol")) == (101, 10)


def test_notices_of_two_caps_or_of_two_periods_are_two():
    march, april = datetime(2026, 3, 15, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    caps = [Cap(period=Period.MONTH, usd=Decimal(1), purpose=purpose) for purpose in ("", "analyst")]
    caps.append(Cap(period=Period.DAY, usd=Decimal(1)))
    ids = {told_id(cap, at, percent) for cap in caps for at in (march, april) for percent in (50, 80)}
    assert len(ids) == 12
    assert "20260301-month-analyst-80" in ids


def test_a_context_that_is_named_like_a_role_has_notices_of_its_own():
    at = datetime(2026, 3, 15, tzinfo=UTC)
    role, context = (
        Cap(period=Period.DAY, usd=Decimal(1), **about) for about in ({"purpose": "risk"}, {"context": "risk"})
    )
    assert told_id(role, at, 80) != told_id(context, at, 80)
