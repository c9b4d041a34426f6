"""Simulated people: when they answer, and how often they are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.people import SimulatedPeople
from engine.domain.approvals import Verb

DAY_AND_NIGHT = time(0)
MOMENTS = st.datetimes(datetime(2021, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - it gets its zone
TIMES = st.times().map(lambda at: at.replace(microsecond=0))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])


@given(MOMENTS, TIMES, TIMES, ZONES)
def test_nobody_answers_asleep_or_before_they_are_asked(asked_at: datetime, wakes: time, sleeps: time, zone: str):
    people = SimulatedPeople(wakes=wakes, sleeps=sleeps, zone=ZoneInfo(zone), spread=2.0)
    answer = people.answer(asked_at, 7, 1)
    local = answer.at.astimezone(ZoneInfo(zone)).time()
    assert answer.at >= asked_at
    assert wakes <= local < sleeps if wakes < sleeps else local >= wakes or local < sleeps
    assert people.answer(asked_at, 7, 1) == answer, "whatever else they were asked"
    assert answer.at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(("median", "spread"), [(timedelta(minutes=5), 1.0), (timedelta(hours=2), 0.3)])
def test_answer_times_have_the_median_and_the_spread_that_are_set(median: timedelta, spread: float):
    people = SimulatedPeople(median=median, spread=spread, wakes=DAY_AND_NIGHT, sleeps=DAY_AND_NIGHT, mistakes=0.25)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    answers = [people.answer(at, number, 1) for number in range(2_000)]
    took = np.log([(each.at - at) / median for each in answers])
    assert abs(float(np.median(took))) < 4 * spread / 2_000**0.5
    assert float(took.std()) == pytest.approx(spread, rel=0.1)
    assert sum(each.verb is Verb.REJECT for each in answers) / 2_000 == pytest.approx(0.25, abs=0.04)


def test_who_is_asked_at_night_answers_in_the_morning_of_their_zone():
    people = SimulatedPeople(median=timedelta(minutes=10), spread=0.0, zone=ZoneInfo("Europe/Berlin"))
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # half past midnight, and clocks go forward before the morning
    assert people.answer(night, 1, 1).at == datetime(2026, 3, 29, 6, 10, tzinfo=UTC)
    late = datetime(2026, 3, 28, 21, 55, tzinfo=UTC)  # five to eleven: the ten minutes end in the night
    assert people.answer(late, 1, 1).at == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)


def test_two_people_are_not_one():
    people, at = SimulatedPeople(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert len({people.answer(at, number, person).at for number in (1, 2) for person in (1, 2)}) == 4
    assert SimulatedPeople(seed=2).answer(at, 1, 1) != people.answer(at, 1, 1)
