"""How durations, speeds, times and URLs are written."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from config.kinds import (
    ClockTime,
    Duration,
    DurationRange,
    HttpUrl,
    Speed,
    UtcTime,
    format_duration,
    mask_url,
    parse_duration,
    passwords_in,
)

durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_000))


@given(durations)
def test_a_duration_is_read_back_as_it_was_written(duration: timedelta):
    assert parse_duration(format_duration(duration)) == duration


@given(st.integers(0, 10**9))
def test_a_number_is_seconds_whether_it_is_text_or_not(seconds: int):
    assert parse_duration(seconds) == parse_duration(str(seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        (" 2H ", timedelta(hours=2)),
        (0.5, timedelta(milliseconds=500)),
        ("0", timedelta(0)),
    ],
)
def test_durations_are_written_as_people_write_them(text: object, duration: timedelta):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "m", "15x", "15 minutes", "-5m", -5, "30m1h", "1h1h", True, None, [], "nan", "9" * 40]
)
def test_what_is_no_duration_is_refused(text: object):
    with pytest.raises(PydanticCustomError):
        parse_duration(text)


def test_a_duration_of_more_than_a_hundred_years_is_refused():
    with pytest.raises(PydanticCustomError, match="hundred years"):
        parse_duration("40000d")


def test_a_duration_is_dumped_as_text():
    assert TypeAdapter(Duration).dump_python(timedelta(minutes=90), mode="json") == "1h30m"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("2s", 2, 2), (2, 2, 2), ("200ms", 0.2, 0.2), ("1s-3s", 1, 3), ("0.5 - 2m", 0.5, 120), ((1, 3), 1, 3), (0, 0, 0)],
)
def test_a_range_of_durations_is_one_or_two_of_them(text: object, least: float, most: float):
    kind = TypeAdapter(DurationRange)
    ends = timedelta(seconds=least), timedelta(seconds=most)
    assert kind.validate_python(text) == ends
    assert kind.validate_python(kind.dump_python(ends, mode="json")) == ends


@pytest.mark.parametrize("text", ["", "-", "3s-1s", "1s-2s-3s", "-5", True, None, [], "soon", "5mss"])
def test_what_is_no_range_of_durations_is_refused(text: object):
    with pytest.raises(ValidationError):
        TypeAdapter(DurationRange).validate_python(text)


@pytest.mark.parametrize(
    ("text", "speed"), [("max", "max"), ("MAX", "max"), (60, 60.0), ("3600", 3600.0), ("0.5", 0.5)]
)
def test_a_speed_is_a_number_or_max(text: object, speed: object):
    assert TypeAdapter(Speed).validate_python(text) == speed


@pytest.mark.parametrize("text", [0, "0", -1, "fast", "inf", "nan", None])
def test_what_is_no_speed_is_refused_once(text: object):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Speed).validate_python(text)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2022-05-01", datetime(2022, 5, 1, tzinfo=UTC)),
        ("2022-05-01T12:00", datetime(2022, 5, 1, 12, tzinfo=UTC)),
        ("2022-05-01T12:00+02:00", datetime(2022, 5, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_utc_unless_it_says_otherwise(text: str, at: datetime):
    read = TypeAdapter(UtcTime).validate_python(text)
    assert read == at
    assert read.tzinfo is UTC


def test_a_number_is_no_moment():
    with pytest.raises(ValidationError):
        TypeAdapter(UtcTime).validate_python(20220501)


@pytest.mark.parametrize(("text", "at"), [("00:00", time(0)), ("8:30", time(8, 30)), ("23:59", time(23, 59))])
def test_a_time_of_day_is_hours_and_minutes(text: str, at: time):
    assert TypeAdapter(ClockTime).validate_python(text) == at


@pytest.mark.parametrize("text", ["24:00", "12:60", "12", 12, "12:30Z", "noon"])
def test_what_is_no_time_of_day_is_refused(text: object):
    with pytest.raises(ValidationError):
        TypeAdapter(ClockTime).validate_python(text)


def test_a_web_root_loses_its_last_slash():
    assert TypeAdapter(HttpUrl).validate_python("http://127.0.0.1:9002/") == "http://127.0.0.1:9002"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://bot:hunter2@db/green", "postgresql://bot:********@db/green"),
        ("postgresql+psycopg://bot:p/w@#x@db:5432/green", "postgresql+psycopg://bot:********@db:5432/green"),
        ("postgresql:///green?user=bot&password=hunter2&x=1", "postgresql:///green?user=bot&password=********&x=1"),
        ("sqlite:///var/demo/greenlight.sqlite", "sqlite:///var/demo/greenlight.sqlite"),
        ("sqlite:////srv/a:b@c/green.sqlite", "sqlite:////srv/a:b@c/green.sqlite"),
    ],
)
def test_only_the_password_of_a_database_url_is_masked(url: str, masked: str):
    assert mask_url(url) == masked
    assert bool(passwords_in(url)) == (url != masked)
