"""When something is due: for ever, without a gap, and the same however it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.days import Days
from engine.domain.market import Timeframe
from engine.timing.triggers import Daily, Trigger, every, often
from tests.fakes.examples import examples
from tests.fakes.feed import START

TRIGGERS = [
    *(every(timeframe) for timeframe in Timeframe),
    often(timedelta(seconds=5)),
    often(timedelta(seconds=0.2)),
    *(
        Daily(Days(at=at, zone=ZoneInfo(zone)))
        for at in (time(), time(2, 30), time(18))
        for zone in ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia")
    ),
]


@given(
    trigger=st.sampled_from(TRIGGERS),
    moment=st.floats(3e5, 2.1e9).map(lambda stamp: datetime.fromtimestamp(stamp, UTC)),
)
@examples(300)
def test_the_newest_time_and_the_next_one_have_no_other_between(trigger: Trigger, moment: datetime):
    latest, following = trigger.latest(moment), trigger.after(moment)
    assert latest <= moment < following
    assert trigger.after(latest) == following
    assert trigger.latest(following) == following
    assert trigger.latest(following - timedelta.resolution) == latest
    assert trigger.after(latest - timedelta.resolution) == latest


@pytest.mark.parametrize(
    ("timeframe", "now", "following"),
    [
        (Timeframe.H1, 0.0, 0.0),
        (Timeframe.H1, 0.25, 1.0),
        (Timeframe.H4, 5.0, 8.0),
        (Timeframe.D1, 1.0, 24.0),
        (Timeframe.W1, 1.0, 7 * 24.0),
    ],
)
def test_candles_close_where_venues_close_them(timeframe: Timeframe, now: float, following: float):
    """The first of January 2024 was a Monday."""
    moment = START + timedelta(hours=now)
    assert every(timeframe).after(moment - timedelta.resolution) == START + timedelta(hours=following)
    assert every(timeframe).latest(moment) == timeframe.floor(moment)
