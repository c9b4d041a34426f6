"""Where days end: at any time of day, in any time zone, through everything that clocks have been made to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.domain.days import Day, Days, Period
from tests.fakes.examples import examples

HOUR = timedelta(hours=1)
NASTY = (
    "Africa/Cairo",  # clocks go forward at midnight
    "America/Havana",  # midnight comes twice
    "America/New_York",
    "America/Sao_Paulo",  # forward at midnight, until 2018
    "America/St_Johns",  # back from 00:01 to the day before, until 2011
    "Africa/Casablanca",  # four changes a year
    "Antarctica/Troll",  # by two hours
    "Asia/Kathmandu",  # 45 minutes
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Berlin",
    "Pacific/Apia",  # no 30 December 2011
    "Pacific/Chatham",
    "Pacific/Kiritimati",  # UTC+14
    "Pacific/Pago_Pago",  # UTC-11
    "UTC",
)
zones = st.sampled_from(NASTY) | st.sampled_from(sorted(available_timezones()))
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0)) | st.just(time())
moments = st.floats(3e5, 2.1e9).map(lambda stamp: datetime.fromtimestamp(stamp, UTC))


def days_of(zone: str, at: time = time()) -> Days:
    return Days(at=at, zone=ZoneInfo(zone))


def ends(zone: str, at: str, day: str) -> str:
    """When a day ends, as the clocks there show it, and how far they are from UTC."""
    days = days_of(zone, time.fromisoformat(at))
    noon = datetime.combine(date.fromisoformat(day), time(12), UTC)
    found = next(each for each in days.after(noon - 72 * HOUR) if each.name >= day)
    return f"{found.name} {found.ends.astimezone(days.zone):%Y-%m-%d %H:%M:%S %z}"


@pytest.mark.parametrize(
    ("zone", "at", "day", "expected"),
    [
        ("UTC", "00:00", "2026-01-01", "2026-01-01 2026-01-02 00:00:00 +0000"),
        ("UTC", "18:00", "2026-01-01", "2026-01-01 2026-01-01 18:00:00 +0000"),
        ("UTC", "00:01", "2026-01-01", "2026-01-01 2026-01-01 00:01:00 +0000"),
        # where the clocks leave the time out: as they jump
        ("Europe/Berlin", "02:30", "2026-03-29", "2026-03-29 2026-03-29 03:00:00 +0200"),
        ("Europe/Berlin", "00:00", "2026-03-29", "2026-03-29 2026-03-30 00:00:00 +0200"),
        ("Europe/Berlin", "00:00", "2026-03-30", "2026-03-30 2026-03-31 00:00:00 +0200"),
        ("America/New_York", "02:30", "2026-03-08", "2026-03-08 2026-03-08 03:00:00 -0400"),
        ("Australia/Lord_Howe", "02:15", "2025-10-05", "2025-10-05 2025-10-05 02:30:00 +1100"),
        ("America/Sao_Paulo", "00:00", "2018-11-03", "2018-11-03 2018-11-04 01:00:00 -0200"),
        ("America/Sao_Paulo", "00:30", "2018-11-04", "2018-11-04 2018-11-04 01:00:00 -0200"),
        # where they show it twice: the first time
        ("Europe/Berlin", "02:30", "2026-10-25", "2026-10-25 2026-10-25 02:30:00 +0200"),
        ("America/Havana", "00:00", "2025-11-01", "2025-11-01 2025-11-02 00:00:00 -0400"),
        ("Australia/Lord_Howe", "01:45", "2026-04-05", "2026-04-05 2026-04-05 01:45:00 +1100"),
        # where a date is left out: it has no day
        ("Pacific/Apia", "00:00", "2011-12-29", "2011-12-29 2011-12-31 00:00:00 +1400"),
        ("Pacific/Apia", "00:00", "2011-12-30", "2011-12-31 2012-01-01 00:00:00 +1400"),
        ("Pacific/Apia", "18:00", "2011-12-30", "2011-12-31 2011-12-31 18:00:00 +1400"),
        ("Asia/Kathmandu", "18:00", "2026-05-05", "2026-05-05 2026-05-05 18:00:00 +0545"),
    ],
)
def test_a_day_ends_when_the_clocks_there_first_show_the_time_or_a_later_one(
    zone: str, at: str, day: str, expected: str
):
    assert ends(zone, at, day) == expected


@given(zone=zones, at=clocks, moment=moments)
@example(zone="Pacific/Apia", at=time(18), moment=datetime(2011, 12, 25, tzinfo=UTC))
@example(zone="America/Havana", at=time(), moment=datetime(2025, 10, 28, tzinfo=UTC))
@examples(150)
def test_every_date_there_is_has_one_day_and_they_follow_one_another(zone: str, at: time, moment: datetime):
    days = days_of(zone, at)
    found = list(islice(days.after(moment), 400))
    for before, day in pairwise(found):
        assert before.ends < day.ends
        left_out = [before.date + timedelta(days=n) for n in range(1, (day.date - before.date).days)]
        assert not any(_exists(each, days.zone) for each in left_out)
        assert day.date > before.date
        assert timedelta(0) < day.ends - before.ends <= 50 * HOUR


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Whether the clocks somewhere ever showed a date, by looking at them every quarter of an hour."""
    noon = datetime.combine(day, time(12), UTC)
    quarters = (noon + timedelta(minutes=15 * n) for n in range(-40 * 4, 40 * 4))
    return any(each.astimezone(zone).date() == day for each in quarters)


@given(zone=zones, at=clocks, moment=moments)
@examples(150)
def test_a_day_ends_when_its_time_has_come_there_and_not_a_moment_before(zone: str, at: time, moment: datetime):
    days = days_of(zone, at)
    for day in islice(days.after(moment), 30):
        wanted = datetime.combine(day.date, at) if at > time() else datetime.combine(day.date, at) + 24 * HOUR
        shown = day.ends.astimezone(days.zone).replace(tzinfo=None)
        before = (day.ends - timedelta(seconds=1)).astimezone(days.zone).replace(tzinfo=None)
        assert before < wanted <= shown
        assert shown == wanted or shown - before > timedelta(seconds=1), "the clocks jumped over it"


@given(zone=zones, at=clocks, moment=moments)
@examples(100)
def test_a_moment_is_in_the_day_that_has_begun_and_not_ended(zone: str, at: time, moment: datetime):
    days = days_of(zone, at)
    running, begun = days.running(moment), days.begin(moment)
    assert begun <= moment < running.ends
    assert days.running(begun) == running
    assert next(days.before(running.ends)) == running
    between = [day for day in islice(days.after(moment - 200 * HOUR), 20) if begun < day.ends < running.ends]
    assert between == []


def test_a_day_is_named_by_its_date():
    assert Day(date=date(2026, 1, 31), ends=datetime(2026, 2, 1, tzinfo=UTC)).name == "2026-01-31"


def test_weeks_begin_on_a_monday_and_months_on_the_first() -> None:
    days, now = days_of("UTC"), datetime(2026, 1, 14, 15, tzinfo=UTC)  # a Wednesday
    weeks, months = days.last(Period.WEEK, 3, now), days.last(Period.MONTH, 3, now)
    assert [each.name for _, each in weeks] == ["2025-12-29", "2026-01-05", "2026-01-12"]
    assert [each.name for _, each in months] == ["2025-11-01", "2025-12-01", "2026-01-01"]
    assert [f"{begin:%m-%d %H}" for begin, _ in weeks] == ["12-29 00", "01-05 00", "01-12 00"]
    assert months[-1] == (datetime(2026, 1, 1, tzinfo=UTC), Day(date=date(2026, 1, 1), ends=now))


def test_a_week_of_days_that_end_in_the_evening_begins_the_evening_before() -> None:
    days, now = days_of("Europe/Berlin", time(18)), datetime(2026, 3, 31, 12, tzinfo=UTC)
    (begin, week), _ = days.last(Period.WEEK, 2, now)
    assert (week.name, week.ends - begin) == ("2026-03-23", timedelta(days=7, hours=-1)), "clocks went forward in it"
    assert begin == datetime(2026, 3, 22, 17, tzinfo=UTC)


@given(zone=zones, at=clocks, now=moments, period=st.sampled_from(Period), count=st.integers(1, 15))
@example(zone="Pacific/Apia", at=time(), now=datetime(2011, 12, 31, 12, tzinfo=UTC), period=Period.DAY, count=4)
@examples(50)
def test_periods_follow_one_another_and_consist_of_whole_days(
    zone: str, at: time, now: datetime, period: Period, count: int
) -> None:
    """Each is what its days are: nothing is in two of them, and nothing is left out."""
    days = days_of(zone, at)
    spans = days.last(period, count, now)
    assert len(spans) == count
    assert spans[-1][1].ends == now
    assert all(before.ends == begin for (_, before), (begin, _) in pairwise(spans))
    for begin, span in spans[:-1]:
        within = [day for day in islice(days.after(begin), 32) if day.ends <= span.ends]
        assert within[-1].ends == span.ends
        assert {period.first(day.date) for day in within} == {span.date}
    assert period.first(days.running(now).date) == spans[-1][1].date
