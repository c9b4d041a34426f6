"""Dumps become candle files: small ones made by hand, dirtied clean ones, and the real ones."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.cleaning import Cleaned, clean
from engine.analysis.dump_rows import Clock
from engine.data.files import check_file, read_candles
from engine.data.importing import Imported, import_dump, read_dump
from engine.domain.errors import DataError
from engine.domain.market import Timeframe, from_millis, to_millis
from tests.fakes.data import real_file
from tests.fakes.dumps import (
    HEADER,
    URL,
    Bar,
    Line,
    columns,
    every,
    in_am_pm,
    in_seconds,
    lines,
    rounded,
    swapped,
    text,
)
from tests.fakes.examples import examples

FIRST = 1_502_942_400_000
HOUR = 3_600_000
BARS = [
    Bar(open=426_148, high=431_362, low=426_132, close=430_883, volume=4_718_100_900),
    Bar(open=430_883, high=432_869, low=429_137, close=431_532, volume=2_323_491_600),
    Bar(open=433_029, high=434_545, low=430_937, close=432_435, volume=722_969_100),
]
CLEAN = lines(BARS, FIRST, HOUR)


def dump(folder: Path, content: str, name: str = "dump.csv") -> Path:
    file = folder / name
    file.write_text(content)
    return file


def kinds(cleaned: Cleaned) -> Counter[tuple[str, bool]]:
    return Counter((finding.kind, finding.refused) for finding in cleaned.findings)


def imported(tmp_path: Path, content: str, **options: Any) -> Imported:
    return import_dump(dump(tmp_path, content), tmp_path / "out", **options)


def test_a_clean_dump_becomes_a_candle_file_with_an_empty_report(tmp_path: Path) -> None:
    done = imported(tmp_path, text(CLEAN))
    assert done.path == tmp_path / "out" / "BTCUSDT-1h.parquet"
    assert done.cleaned.findings == ()
    candles = read_candles(done.path)
    assert candles.open_ms.tolist() == [FIRST, FIRST + HOUR, FIRST + 2 * HOUR]
    assert candles.open.tolist() == [4261.48, 4308.83, 4330.29]
    assert candles.volume.tolist() == [47.181009, 23.234916, 7.229691]
    assert check_file(done.path).findings == ()


def test_all_the_dirt_at_once_is_repaired_and_each_repair_is_named(tmp_path: Path) -> None:
    old = rounded(CLEAN[1], close_before=CLEAN[0][6])
    rows = [CLEAN[2], swapped(CLEAN[1]), old, in_am_pm(in_seconds(CLEAN[0]))]
    done = imported(tmp_path, text(rows, before=URL + "\n"))
    assert kinds(done.cleaned) == {
        ("line before the header", False): 1,
        ("order", False): 1,
        ("swapped volumes", False): 1,
        ("time in seconds", False): 2,
        ("date in AM/PM", False): 2,
        ("duplicate, rounded", False): 1,
    }
    assert columns(read_candles(done.path)) == columns(
        clean(read_dump(dump(tmp_path, text(CLEAN))).records, "BTC/USDT").candles
    )


def test_the_report_names_every_finding_by_its_line(tmp_path: Path) -> None:
    rows = [CLEAN[2], [*CLEAN[1][:6], "NULL", *CLEAN[1][7:]], in_seconds(CLEAN[0]), ["the end"]]
    done = imported(tmp_path, text(rows, before=URL + "\n"), timeframe=Timeframe.H1)
    with done.report.open(newline="") as file:
        told = [(each["line"], each["outcome"], each["kind"]) for each in csv.DictReader(file)]
    assert told[:5] == [
        ("", "repaired", "order"),
        ("1", "repaired", "line before the header"),
        ("4", "refused", "not a number"),
        ("5", "repaired", "time in seconds"),
        ("6", "refused", "fields"),
    ]
    assert {outcome for _, outcome, _ in told[5:]} == {"remark"}
    assert done.report.name == "BTCUSDT-1h.report.csv"


@st.composite
def series(draw: st.DrawFn) -> list[Bar]:
    """Candles that open near the close before and trade something."""
    bars, close = [], draw(st.integers(100_000, 5_000_000))
    for _ in range(draw(st.integers(3, 25))):
        opened = close + draw(st.integers(-2000, 2000))
        close = opened + draw(st.integers(-20_000, 20_000))
        high, low = max(opened, close) + draw(st.integers(0, 9000)), min(opened, close) - draw(st.integers(0, 9000))
        volume = draw(st.integers(10**6, 10**12))
        bars.append(Bar(open=opened, high=high, low=max(low, 1000), close=close, volume=volume))
        close = max(close, 60_000)
    return bars


@examples(60)
@given(data=st.data(), bars=series(), step=st.sampled_from([Timeframe.M5, Timeframe.H1, Timeframe.D1]))
def test_a_clean_series_comes_back_equal_however_it_was_dirtied(
    data: st.DataObject, bars: list[Bar], step: Timeframe
) -> None:
    first = FIRST - FIRST % Timeframe.D1.millis
    clean_rows = lines(bars, first, step.millis)

    def marks() -> list[bool]:
        return data.draw(st.lists(st.booleans(), min_size=len(bars), max_size=len(bars)))

    dirty = every(in_seconds, clean_rows, marks())
    if step is not Timeframe.M5:
        dirty = every(in_am_pm, dirty, marks())
    dirty = every(swapped, dirty, marks())
    copies: list[Line] = []
    for index, (again, old) in enumerate(zip(marks(), marks(), strict=True)):
        copies += [list(dirty[index])] * again
        if old and step is not Timeframe.M5:
            copies.append(rounded(clean_rows[index], clean_rows[index - 1][6] if index else None))
    order = data.draw(st.sampled_from(["newest first", "oldest first", "shuffled"]))
    rows = sorted([*dirty, *copies], key=lambda row: float(row[0].removesuffix(".0").ljust(13, "0")))
    rows = data.draw(st.permutations(rows)) if order == "shuffled" else rows[:: -1 if order == "newest first" else 1]
    before = data.draw(st.sampled_from(["", URL + "\n", URL + "\r\n\r\n"]))
    with TemporaryDirectory() as folder:
        records = read_dump(dump(Path(folder), text(rows, before=before))).records
        plain = read_dump(dump(Path(folder), text(clean_rows))).records
    cleaned = clean(records, "BTC/USDT", step)
    assert [finding for finding in cleaned.findings if finding.refused] == []
    assert columns(cleaned.candles) == columns(clean(plain, "BTC/USDT", step).candles)
    assert len(cleaned.candles) == len(bars)


def test_a_gzipped_dump_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    packed = tmp_path / "dump.csv.gz"
    packed.write_bytes(gzip.compress(("\ufeff" + text(CLEAN).replace("\n", "\r\n")).encode()))
    assert len(import_dump(packed, tmp_path).cleaned.candles) == 3


@pytest.mark.parametrize(
    ("header", "swaps"),
    [
        ("unix,date,symbol,open,high,low,close,volume,Volume USD,tradecount", 0),
        ("Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount", 0),
        ("unix,date,symbol,open,high,low,close,Volume USDT,Volume BTC,tradecount", 3),
    ],
)
def test_headers_of_several_years_are_understood(tmp_path: Path, header: str, swaps: int) -> None:
    done = imported(tmp_path, text(CLEAN, header))
    assert done.cleaned.candles.volume.tolist() == [47.181009, 23.234916, 7.229691]
    assert kinds(done.cleaned)["swapped volumes", False] == swaps


def test_symbol_and_timeframe_may_be_given(tmp_path: Path) -> None:
    rows = [CLEAN[0], ["x" if at == 2 else field for at, field in enumerate(CLEAN[1])]]
    with pytest.raises(DataError, match=r"BTC/USDT, x.*--symbol"):
        imported(tmp_path, text(rows))
    with pytest.raises(DataError, match="--timeframe"):
        imported(tmp_path, text(rows), symbol="BTC/USDT")
    done = imported(tmp_path, text(rows), symbol="btc-usdt", timeframe=Timeframe.H1)
    assert (len(done.cleaned.candles), kinds(done.cleaned)) == (1, {("other market", True): 1})


def test_a_name_that_could_be_misread_gets_a_mark(tmp_path: Path) -> None:
    rows = [["ADA/TUSD" if at == 2 else field for at, field in enumerate(row)] for row in CLEAN]
    done = imported(tmp_path, text(rows, HEADER.replace("BTC", "ADA")))
    assert done.path.name == "ADA_TUSD-1h.parquet"
    assert read_candles(done.path).symbol == "ADA/TUSD"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "hold no header"),
        (URL + "\n" * 20 + text(CLEAN), "hold no header"),
        ("unix,open,high,low,close\n1,1,1,1,1\n", "its columns are"),
        ("open,high,low,close,volume\n1,1,1,1,1\n", "its columns are"),
        ("unix,open,high,low,close,volume\n1502942400,1,1,1,1,1\n", "does not say which market"),
        (
            "unix,symbol,open,high,low,close,Volume USDT\n1502942400,BTC/USDT,1,1,1,1,1\n",
            "only volume is 'Volume USDT'",
        ),
        (text(CLEAN, HEADER.replace("BTC", "ETH")), "neither 'Volume ETH' nor 'Volume USDT' is in BTC"),
        ("unix,symbol,open,high,low,close,volume\n1502942400,BTC,1,1,1,1,1\n", "'BTC' is no market"),
    ],
)
def test_what_is_no_dump_is_refused_with_what_to_do(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        imported(tmp_path, content)
    assert "dump.csv" in caught.value.message
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_a_dump_without_one_good_row_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of its 1 rows can be used.*line 2: close is 'NULL'"):
        imported(tmp_path, text([[*CLEAN[0][:6], "NULL", *CLEAN[0][7:]]]), timeframe=Timeframe.H1)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "it has no rows."),
        (
            ["1640995200000000000000"],
            "none of its 1 rows can be used. The first, line 2: unix '1640995200000000000000'",
        ),
        (["27349920"], "line 2: unix '27349920' is no time between 2009 and 2100 in seconds down to nanoseconds."),
        (["2022-01-01T00:00:00Z"], "unix '2022-01-01T00:00:00Z' is a date, so its column must be called date."),
        (["1640995200", "x", "y"], "2 of its 3 rows are refused. The first, line 3: unix 'x' is no number. The other"),
        (["1640995200,1"] * 3, "none of its 3 rows can be used. The first, line 2: has 7 fields, not 6: '1640995200,"),
    ],
)
def test_rows_that_are_refused_are_told_before_what_they_would_have_told(
    tmp_path: Path, rows: list[str], words: str
) -> None:
    content = "timestamp,open,high,low,close,volume\n" + "".join(f"{row},1,1,1,1,1\n" for row in rows)
    with pytest.raises(DataError) as caught:
        imported(tmp_path, content, symbol="BTC/USDT")
    assert words in caught.value.message


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^There is no file {tmp_path / 'dump.csv'}\."):
        import_dump(tmp_path / "dump.csv", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "unix,open,high,low,close,\x1b]0;title\x07\n",
        "unix,symbol,open,high,low,close,volume\n1,A\x1b]0;title\x07,1,1,1,1,1\n1,B,1,1,1,1,1\n",
    ],
)
def test_what_a_dump_holds_never_steers_the_terminal_that_shows_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"\\x1b\]0;title\\x07") as caught:
        imported(tmp_path, content)
    assert str(caught.value).isprintable()


def test_nor_does_it_by_way_of_the_report(tmp_path: Path) -> None:
    other = [*CLEAN[1][:2], "\x1b]0;title\x07", *CLEAN[1][3:]]
    done = imported(tmp_path, text([*CLEAN, other]), symbol="BTC/USDT")
    assert [each.detail for each in done.cleaned.findings] == [r"is of \x1b]0;title\x07, not of BTC/USDT"]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(text(CLEAN).encode())
    for name, content in (("a.csv.gz", packed[:-20]), ("b.csv", b"\xff\xfe"), ("c.csv.gz", b"plain")):
        (tmp_path / name).write_bytes(content)
    for name in ("a.csv.gz", "b.csv", "c.csv.gz", "absent.csv"):
        with pytest.raises(DataError, match=name):
            import_dump(tmp_path / name, tmp_path)


def test_files_that_are_there_are_replaced_only_by_force(tmp_path: Path) -> None:
    done = imported(tmp_path, text(CLEAN))
    with pytest.raises(DataError, match=r"already there.*--force"):
        imported(tmp_path, text(CLEAN[:2]))
    assert len(read_candles(done.path)) == 3
    imported(tmp_path, text(CLEAN[:2]), force=True)
    assert len(read_candles(done.path)) == 2
    with pytest.raises(DataError, match="another of these dumps"):
        imported(tmp_path, text(CLEAN), force=True, taken=[done.path])
    assert sorted(path.name for path in done.path.parent.iterdir()) == ["BTCUSDT-1h.parquet", "BTCUSDT-1h.report.csv"]


# The real dumps, against the clean files of the same markets


@pytest.fixture(scope="module")
def hourly(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """Binance's hourly dump as it is imported when nothing more is said."""
    return import_dump(real_file("candles_dirty/Binance_BTCUSDT_1h.csv.gz"), tmp_path_factory.mktemp("hourly"))


@pytest.mark.slow
def test_the_bitstamp_dump_comes_back_as_the_clean_file(tmp_path: Path) -> None:
    done = import_dump(real_file("candles_dirty/BTC_USD-Hourly_bitstamp.csv.gz"), tmp_path)
    assert kinds(done.cleaned) == {
        ("order", False): 1,
        ("time in seconds", False): 33_259,
        ("swapped volumes", False): 20_143,
    }
    assert columns(done.cleaned.candles) == columns(read_candles(real_file("candles/BTCUSD-BITSTAMP-1h.parquet")))


@pytest.mark.xdist_group("hourly dump")
def test_the_hourly_binance_dump_is_repaired_and_what_is_doubtful_is_refused(hourly: Imported) -> None:
    assert kinds(hourly.cleaned) == {
        ("order", False): 1,
        ("time in seconds", False): 28_493 - 6 - 1,
        ("date in AM/PM", False): 28_493 - 6 - 1,
        ("duplicate, rounded", False): 2_643,
        ("conflict", True): 2 * 6,
        ("two times", True): 91,
        ("stray open", True): 1,
    }
    (stray,) = [finding for finding in hourly.cleaned.findings if finding.kind == "stray open"]
    assert (stray.line, "16199.91" in stray.detail) == (36_063, True)
    assert len(hourly.cleaned.candles) == hourly.rows - 2_643 - 2 * 6 - 91 - 1
    assert {finding.kind for finding in check_file(hourly.path).findings} == {"gap", "idle"}  # away in 2018-02


@pytest.mark.xdist_group("hourly dump")
def test_where_the_hourly_binance_dump_is_fine_it_equals_the_clean_file(hourly: Imported) -> None:
    done = hourly.cleaned.candles
    true = read_candles(real_file("candles/BTCUSDT-1h.parquet"))
    fine = done.slice(int(np.searchsorted(done.open_ms, to_millis(datetime(2020, 8, 2, tzinfo=UTC)))), len(done))
    _, ours, theirs = np.intersect1d(fine.open_ms, true.open_ms, return_indices=True)
    assert len(ours) == len(fine) - 1 == 7470  # without one hour in which nothing traded
    other = np.zeros(len(ours), dtype=bool)
    for name in ("open", "high", "low", "close", "volume"):
        other |= getattr(fine, name)[ours] != getattr(true, name)[theirs]
    # Hours cut short by an outage of the venue or by the dump itself, which the file cannot tell.
    assert [f"{from_millis(at):%Y-%m-%d %H}" for at in fine.open_ms[ours][other].tolist()] == [
        "2020-12-21 13",
        "2021-01-11 08",
        "2021-01-21 09",
        "2021-04-23 01",
        "2021-06-10 00",
    ]


@pytest.mark.slow
def test_the_rows_with_two_times_are_right_by_their_unix_column(tmp_path: Path) -> None:
    dump_file = real_file("candles_dirty/Binance_BTCUSDT_1h.csv.gz")
    done = import_dump(dump_file, tmp_path, trust=Clock.UNIX).cleaned
    true = read_candles(real_file("candles/BTCUSDT-1h.parquet"))
    assert kinds(done)["two times", False] == 91
    first, last = 1_506_124_800_000, 1_506_448_800_000
    ours, theirs = ((each.open_ms >= first) & (each.open_ms <= last) for each in (done.candles, true))
    assert done.candles.close[ours].tolist() == true.close[theirs].tolist()
    assert ours.sum() == 91


def test_the_daily_binance_dump_loses_the_day_that_is_there_in_two_versions(tmp_path: Path) -> None:
    done = import_dump(real_file("candles_dirty/Binance_BTCUSDT_d_s260895.csv"), tmp_path)
    assert done.path.name == "BTCUSDT-1d.parquet"
    assert (len(done.cleaned.candles), kinds(done.cleaned)["conflict", True]) == (1310, 2)
