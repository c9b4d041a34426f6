"""Decimals and times survive both databases exactly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.exc import StatementError

from engine.store.columns import ExactDecimal, UtcTime
from engine.store.connections import connect
from tests.fakes import postgres

KEPT = Table(
    "kept", MetaData(), Column("id", Integer, primary_key=True), Column("money", ExactDecimal), Column("time", UtcTime)
)
MONEY = st.decimals("-1e24", "1e24", allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")])).filter(
    lambda at: datetime(2, 1, 1, tzinfo=UTC) < at < datetime(9998, 1, 1, tzinfo=UTC)
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    engine = create_engine("sqlite://") if request.param == "sqlite" else connect(postgres.create(), writer=True)
    with engine.connect() as opened:
        KEPT.create(opened)
        yield opened
    engine.dispose()


def there_and_back(connection: Connection, **values: Any) -> Any:
    """What comes out of the table after it went in."""
    connection.execute(KEPT.delete())
    connection.execute(insert(KEPT).values(**values))
    return connection.execute(select(KEPT)).one()


@given(MONEY)
def test_money_comes_back_to_the_last_digit(connection: Connection, amount: Decimal):
    assert there_and_back(connection, money=amount).money == amount


def test_small_and_large_money_is_plain_digits(connection: Connection):
    assert str(there_and_back(connection, money=Decimal("1E-10")).money) == "1E-10"
    there_and_back(connection, money=Decimal("1E+5"))
    assert str(connection.execute(text("SELECT money FROM kept")).scalar_one()) == "100000"


@pytest.mark.parametrize("nonsense", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_not_kept(connection: Connection, nonsense: str):
    with pytest.raises(StatementError, match="no amount of money"):
        there_and_back(connection, money=Decimal(nonsense))


@given(TIMES)
def test_a_time_comes_back_as_the_same_moment_in_utc(connection: Connection, time: datetime):
    back = there_and_back(connection, time=time).time
    assert back == time.astimezone(UTC)
    assert back.tzinfo is UTC


@given(st.lists(TIMES, min_size=2, max_size=4))
def test_times_sort_as_text_as_they_do_in_life(connection: Connection, times: list[datetime]):
    connection.execute(KEPT.delete())
    connection.execute(insert(KEPT), [{"time": time} for time in times])
    assert list(connection.execute(select(KEPT.c.time).order_by(KEPT.c.time)).scalars()) == sorted(
        time.astimezone(UTC) for time in times
    )


def test_a_time_without_a_zone_is_refused(connection: Connection):
    with pytest.raises(StatementError, match="without a time zone"):
        there_and_back(connection, time=datetime(2024, 1, 1))  # noqa: DTZ001 - that is the point


def test_nothing_stays_nothing(connection: Connection):
    row = there_and_back(connection, money=None, time=None)
    assert (row.money, row.time) == (None, None)


def test_a_bound_of_a_time_span_is_compared_exactly(connection: Connection):
    at = datetime(2024, 1, 1, tzinfo=UTC)
    there_and_back(connection, time=at)
    assert connection.execute(select(KEPT).where(KEPT.c.time > at - timedelta(microseconds=1))).first()
    assert connection.execute(select(KEPT).where(KEPT.c.time > at)).first() is None
