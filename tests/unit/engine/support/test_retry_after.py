"""Times in headers: with a zone or without, and how long to wait."""

from datetime import UTC, datetime

import pytest

from engine.support.retry_after import parse_date, seconds_to_wait

NOON = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)


def test_a_time_without_a_zone_is_utc_wherever_this_machine_is() -> None:
    assert parse_date("Sun, 29 Mar 2026 12:00:00 -0000") == NOON
    assert parse_date("Sun, 29 Mar 2026 14:00:00 +0200") == NOON


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        ("0", 0),
        ("Sun, 29 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 29 Mar 2026 11:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u00b2", None),
    ],
)
def test_how_long_to_wait(said: str, seconds: float | None) -> None:
    assert seconds_to_wait(said, NOON) == seconds
