"""One row of a dump: what is read, what is repaired, what is refused."""

from typing import Any

import pytest

from engine.analysis.dump_rows import Clock, Finding, Record, Row, read_row

AT = 1_502_949_600_000  # 2017-08-17 06:00


def read(trust: Clock | None = None, **changes: Any) -> tuple[Row | None, list[Finding]]:
    good = {
        "unix": str(AT),
        "date": "2017-08-17 06:00:00",
        "symbol": "BTC/USDT",
        "open": "4315.32",
        "high": "4345.45",
        "low": "4309.37",
        "close": "4324.35",
        "volume": "7.23",
        "quote_volume": "31282.31",
    }
    return read_row(Record(line=9, **(good | changes)), "BTC/USDT", trust)


def row(trust: Clock | None = None, **changes: Any) -> tuple[Row, list[str]]:
    """The row, and the kinds of repairs it needed."""
    found, findings = read(trust, **changes)
    assert found is not None, findings
    assert not any(finding.refused for finding in findings)
    return found, [finding.kind for finding in findings]


def refusal(**changes: Any) -> Finding:
    found, findings = read(**changes)
    assert found is None
    (finding,) = findings
    assert finding.refused
    assert finding.line == 9
    return finding


def test_a_clean_row_needs_no_repair() -> None:
    found, repairs = row()
    assert repairs == []
    assert (found.open_ms, *found.values) == (AT, 4315.32, 4345.45, 4309.37, 4324.35, 7.23, 31282.31)


@pytest.mark.parametrize(
    ("unix", "repairs"),
    [
        ("1502949600", ["time in seconds"]),
        ("1502949600.0", ["time in seconds"]),
        ("1502949600000", []),
        ("1502949600000.0", []),
        ("1502949600000000", ["time in microseconds"]),
        ("", []),
    ],
)
def test_the_unit_of_a_time_is_told_by_its_size(unix: str, repairs: list[str]) -> None:
    found, kinds = row(unix=unix)
    assert (found.open_ms, kinds) == (AT, repairs)


@pytest.mark.parametrize("trust", [None, *Clock])
@pytest.mark.parametrize(
    ("date", "repairs"),
    [
        ("2017-08-17 06-AM", ["date in AM/PM"]),
        ("2017-08-17 06:00", []),
        ("2017-08-17T06:00:00Z", []),
        ("2017-08-17 08:00:00+02:00", []),
        ("", []),
    ],
)
def test_dates_are_read_in_every_form(date: str, repairs: list[str], trust: Clock | None) -> None:
    found, kinds = row(trust, date=date)
    assert (found.open_ms, kinds) == (AT, repairs)


@pytest.mark.parametrize(("date", "hour"), [("12-AM", 0), ("01-AM", 1), ("11-AM", 11), ("12-PM", 12), ("11-PM", 23)])
def test_noon_and_midnight_are_not_mixed_up(date: str, hour: int) -> None:
    assert row(unix="", date=f"2017-08-17 {date}")[0].open_ms == AT + (hour - 6) * 3_600_000


def test_a_row_that_says_two_times_is_refused_until_somebody_says_which_is_right() -> None:
    finding = refusal(date="2017-08-17 02-AM")
    assert finding.kind == "two times"
    assert "2017-08-17 06:00" in finding.detail
    assert "2017-08-17 02-AM" in finding.detail
    by_unix, kinds = row(Clock.UNIX, date="2017-08-17 02-AM")
    assert (by_unix.open_ms, kinds[0]) == (AT, "two times")
    by_date, kinds = row(Clock.DATE, date="2017-08-17 02-AM")
    assert (by_date.open_ms, kinds[0]) == (AT - 4 * 3_600_000, "two times")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"unix": "", "date": ""}, "no time"),
        ({"unix": "soon"}, "no time"),
        ({"unix": "NaN"}, "no time"),
        ({"unix": "15029496"}, "no time"),
        ({"unix": "1502949600.0005"}, "no time"),
        ({"date": "17/08/2017"}, "no time"),
        ({"date": "2017-08-17 00-AM"}, "no time"),
        ({"date": "2017-02-30 04-AM"}, "no time"),
        ({"symbol": "ETH/USDT"}, "other market"),
        ({"close": "NULL"}, "not a number"),
        ({"open": ""}, "not a number"),
        ({"volume": "inf"}, "not a number"),
        ({"quote_volume": "NULL"}, "not a number"),
        ({"low": "0"}, "not positive"),
        ({"volume": "-7.23"}, "not positive"),
        ({"high": "4310"}, "range"),
        ({"low": "4324"}, "range"),
        ({"volume": "723"}, "volumes"),
        ({"quote_volume": "0"}, "volumes"),
    ],
)
def test_what_cannot_be_repaired_for_certain_is_refused_and_named(changes: dict[str, str], kind: str) -> None:
    assert refusal(**changes).kind == kind


def test_a_symbol_may_be_written_otherwise() -> None:
    assert row(symbol="btcusdt")[1] == []


def test_swapped_volumes_are_told_by_the_price_between_them() -> None:
    found, kinds = row(volume="31282.31", quote_volume="7.23")
    assert (found.volume, found.quote_volume, kinds) == (7.23, 31282.31, ["swapped volumes"])


@pytest.mark.parametrize(
    "volumes",
    [("0.0", "0.0"), ("1.26", "5460"), ("0.00", "8.65"), ("7.23", None)],
    ids=["nothing traded", "rounded by half a cent", "rounded to nothing", "one column only"],
)
def test_volumes_that_rounding_explains_are_left_alone(volumes: tuple[str, str | None]) -> None:
    assert row(volume=volumes[0], quote_volume=volumes[1])[1] == []
