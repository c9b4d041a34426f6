import gzip
import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.commands.data import app
from engine.data.files import check_file, parse_name, read_candles, write_candles
from engine.data.importing import import_dump
from engine.domain.errors import DataError
from engine.domain.market import Timeframe
from tests.fakes.feed import START, hand_candles

HEAD = "timestamp,open,high,low,close,volume\n"
HOUR = 3_600_000
BEGIN = int(START.timestamp() * 1000)


def csv(tmp_path: Path, text: str, name: str = "BTCUSDT-1h.csv") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def table(tmp_path: Path, times: object, *, suffix: str) -> Path:
    """A file of rows that differ in their times alone."""
    column = times if isinstance(times, pa.Array) else pa.array(times)
    rows = {"timestamp": column, **{name: [10.0] * len(column) for name in HEAD[10:-1].split(",")}}
    file = tmp_path / f"BTCUSDT-1h.{suffix}"
    pq.write_table(pa.table(rows), file) if suffix == "parquet" else pa_csv.write_csv(pa.table(rows), file)
    return file


def row(hour: int, numbers: str = "10,12,9,11,1") -> str:
    return f"{BEGIN + hour * HOUR},{numbers}\n"


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("BTCUSDT-1h.parquet", "BTC/USDT", Timeframe.H1),
        ("BTCUSD-COINBASE-1d.parquet", "BTC/USD", Timeframe.D1),
        ("BTCUSD-COINBASE2016-1m.csv", "BTC/USD", Timeframe.M1),
        ("ETHBTC-5m.parquet", "ETH/BTC", Timeframe.M5),
        ("ethusdc-15m-2022.csv", "ETH/USDC", Timeframe.M15),
        ("BNB_USD-4h.csv", "BNB/USD", Timeframe.H4),
    ],
)
def test_a_name_says_market_and_timeframe(name: str, symbol: str, timeframe: Timeframe) -> None:
    assert parse_name(Path(name)) == (symbol, timeframe)


@pytest.mark.parametrize(
    "name", ["BTCUSDT.csv", "BTC-PERP-FTX-1m.csv", "USDT-1h.csv", "BTCUSDT-7h.csv", "_USDT-1h.csv"]
)
def test_a_name_that_does_not_say_them_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(DataError, match=f"{name}: .*BTCUSDT-1h.parquet"):
        parse_name(Path(name))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    candles = hand_candles([(10.5, 12, 9, 11, 1), None, (11, 12, 0.3, 0.1 + 0.2, 2)])
    file = tmp_path / f"BTCUSDT-1h.{suffix}"
    write_candles(file, candles)
    again = read_candles(file)
    assert (again.symbol, again.timeframe) == (candles.symbol, candles.timeframe)
    for name in ("open_ms", "open", "high", "low", "close", "volume"):
        assert getattr(again, name).tolist() == getattr(candles, name).tolist()


def test_a_file_is_written_only_under_a_name_that_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Name it BTCUSDT-1h"):
        write_candles(tmp_path / "ETHUSDT-1h.csv", hand_candles([(10, 12, 9, 11, 1)]))
    with pytest.raises(DataError, match="neither"):
        write_candles(tmp_path / "BTCUSDT-1h.txt", hand_candles([(10, 12, 9, 11, 1)]))


def test_times_may_be_text_in_utc(tmp_path: Path) -> None:
    text = HEAD + "2024-01-01T00:00:00Z,10,12,9,11,1\n2024-01-01T01:00:00Z,10,12,9,11,1\n"
    assert read_candles(csv(tmp_path, text)).open_ms.tolist() == [BEGIN, BEGIN + HOUR]
    table = pa.table(
        {"timestamp": pa.array([BEGIN * 1000], pa.timestamp("us")), **{key: [1.0] for key in HEAD[10:-1].split(",")}}
    )
    pq.write_table(table, tmp_path / "BTCUSDT-1h.parquet")
    assert read_candles(tmp_path / "BTCUSDT-1h.parquet").open_ms.tolist() == [BEGIN]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "it has no rows"),
        ("", "cannot be read"),
        ("unix,open,high,low,close,volume\n1,1,1,1,1,1\n", "no column timestamp, an unknown column unix"),
        (HEAD + row(0) + row(1) + row(1), r"row 3 \(2024-01-01 01:00 UTC\) repeats the time of the row before"),
        (HEAD + row(0) + row(2) + row(1), r"row 3 \(2024-01-01 01:00 UTC\) is older than the row before"),
        (HEAD + row(0) + row(1, "10,12,nine,11,1"), "row 2: its low is 'nine', which is no number"),
        (HEAD + row(0) + ",10,12,9,11,1\n", "row 2 has no timestamp"),
        (HEAD + "0.5,10,12,9,11,1\n", "row 1 has the time 0.5, which is none between 2009 and 2100"),
        (HEAD + "01/05/2022 00:00,10,12,9,11,1\n", "row 1 has the time '01/05/2022 00:00', which cannot be read"),
        (HEAD + row(0) + "\n1,2\n", "row 2: it has 2 fields, not 6: '1,2'"),
        (HEAD + row(0) + row(1, "10,12,9,11,1,2,3"), "row 2: it has 8 fields, not 6: '1704070800000,10,12,9,11,1,2,3'"),
        (HEAD + row(0, "1,0,1,2,0,9,1,1,1,0"), "row 1: it has 11 fields, not 6"),
        (HEAD + row(0) + row(1, '"10,12,9,11,1') + row(2), "row 2: it has 2 fields, not 6: '1704070800000,\"10,12"),
        (
            HEAD + "".join(row(10 * hour) for hour in range(3)),
            "its rows are usually 600 min apart, but its name says 1h",
        ),
    ],
)
def test_a_file_that_cannot_be_traded_on_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = csv(tmp_path, text)
    with pytest.raises(DataError, match=words) as caught:
        read_candles(file)
    assert str(file) in caught.value.message
    assert caught.value.remedy


def test_a_file_without_rows_is_refused_by_whoever_reads_it(tmp_path: Path) -> None:
    file = csv(tmp_path, HEAD)
    for read in (read_candles, check_file):
        with pytest.raises(DataError, match="it has no rows"):
            read(file)


@pytest.mark.parametrize("name", ["BTCUSDT-1m.csv", "BTCUSDT-4h.csv"])
def test_a_file_whose_rows_are_further_or_closer_than_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    file = csv(tmp_path, HEAD + "".join(map(row, range(5))), name)
    for read in (read_candles, check_file):
        with pytest.raises(DataError, match="its rows are usually 1h apart, but its name says"):
            read(file)


def test_candles_that_are_often_missing_do_not_make_a_file_one_of_longer_candles(tmp_path: Path) -> None:
    """Some venues have no candle for a minute in which nobody traded."""
    file = csv(tmp_path, HEAD + "".join(map(row, (0, 1, 2, 4, 7, 9, 12, 16))))
    assert len(read_candles(file)) == 8


@pytest.mark.parametrize("name", ["BTCUSDT-1h.csv", "BTCUSDT-1h.csv.gz", "BTCUSDT-1h.parquet"])
def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        read_candles(tmp_path / name)
    assert caught.value.message == f"There is no file {tmp_path / name}."
    with pytest.raises(DataError, match=r"it cannot be read \(.*directory\)"):
        read_candles(_folder(tmp_path / "folder" / name))


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


TITLE = "\x1b]0;title\x07"


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("low", TITLE) + row(0),
        HEAD + f"{TITLE},10,12,9,11,1\n",
        HEAD + row(0, f"{TITLE},12,9,11,1"),
        HEAD + row(0) + f"{TITLE},1\n",
        HEAD + row(0) + f'"{TITLE},1\n',
    ],
)
def test_what_a_file_holds_never_steers_the_terminal_that_shows_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"\\x1b\]0;title\\x07") as caught:
        read_candles(csv(tmp_path, text))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("per_milli", [Fraction(1, 1000), 1, 1000, 1_000_000], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_times_are_read_in_every_unit_that_their_size_tells(tmp_path: Path, suffix: str, per_milli: Fraction) -> None:
    times = [int((BEGIN + hour * HOUR) * per_milli) for hour in range(3)]
    file = table(tmp_path, times, suffix=suffix)
    assert read_candles(file).open_ms.tolist() == [BEGIN, BEGIN + HOUR, BEGIN + 2 * HOUR]
    report = check_file(file)
    assert (report.first, report.findings) == (START, ())


@pytest.mark.parametrize(
    "kind",
    [*(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Kolkata")),
     pa.float64(), pa.uint64(), pa.string()],
    ids=str,
)  # fmt: skip
def test_times_are_read_from_every_type_of_column(tmp_path: Path, kind: pa.DataType) -> None:
    plain = pa.array([BEGIN, BEGIN + HOUR])
    times = plain.cast(pa.timestamp("ms")).cast(kind) if pa.types.is_timestamp(kind) else plain.cast(kind)
    assert read_candles(table(tmp_path, times, suffix="parquet")).open_ms.tolist() == [BEGIN, BEGIN + HOUR]


def test_days_may_be_dates(tmp_path: Path) -> None:
    text = HEAD + "2024-01-01,10,12,9,11,1\n2024-01-02,10,12,9,11,1\n"
    candles = read_candles(csv(tmp_path, text, "BTCUSDT-1d.csv"))
    assert candles.open_ms.tolist() == [BEGIN, BEGIN + 24 * HOUR]


def test_a_file_may_be_packed_begin_with_a_mark_and_end_its_lines_as_windows_does(tmp_path: Path) -> None:
    text = "\ufeff" + (HEAD + row(0) + row(1)).replace("\n", "\r\n")
    (tmp_path / "BTCUSDT-1h.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert read_candles(tmp_path / "BTCUSDT-1h.csv.gz").open_ms.tolist() == [BEGIN, BEGIN + HOUR]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([BEGIN, (BEGIN + HOUR) * 1000], r"row 2 has the time \d+, which is in microseconds; the rows before .* milli"),
        ([BEGIN * 1_000_000, BEGIN + HOUR], "row 2 has the time .* in milliseconds; the rows before are in nanosec"),
        ([BEGIN, -BEGIN], "row 2 has the time -1704067200000, which is none between 2009 and 2100"),
        ([0, HOUR], "row 1 has the time 0, which is none"),
        ([BEGIN, 9_000_000_000_000], "row 2 has the time 9000000000000, which is none"),
        ([BEGIN, 2**63 - 1], "row 2 has the time 9223372036854775807, which is none"),
        ([BEGIN * 1000, BEGIN * 1000 + 1], "row 2 has the time .*, which is no whole millisecond"),
        (["2024-01-01", "1999-01-01"], "row 2 has the time .*, which is none between 2009 and 2100"),
        (["2024-01-01 00:00:00", "9999-12-31 23:00:00"], "row 2 has the time .*, which is none"),
        ([BEGIN, "soon"], "row 2 has the time 'soon', which cannot be read"),
        ([BEGIN, "2024-01-01T01:00:00"], "row 2 has the time '2024-01-01T01:00:00', which is in dates"),
        ([BEGIN, 10**30], "row 2 has the time 1e.30, which is none"),
        ([BEGIN, "nan"], "row 2 has no timestamp"),
        ([BEGIN, BEGIN + 1], r"row 2 \(2024-01-01 00:00 UTC\) does not open on a 1h boundary"),
    ],
)
def test_times_that_cannot_be_are_refused_with_their_row_by_every_reader(
    tmp_path: Path, times: list[object], words: str
) -> None:
    file = csv(tmp_path, HEAD + "".join(f"{at},10,12,9,11,1\n" for at in times))
    with pytest.raises(DataError, match=words) as caught:
        read_candles(file)
    assert caught.value.remedy
    assert str(file) in caught.value.message
    checked = CliRunner().invoke(app, ["check", str(file)])
    assert isinstance(checked.exception, SystemExit)
    assert (checked.exit_code, re.search(words, checked.output) is not None) == (1, True), checked.output


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ("10,nan,9,11,1", "no number"),
        ("10,inf,9,11,1", "no number"),
        ("10,1e400,9,11,1", "no number"),
        (",12,9,11,1", "no number"),
        ("10,12,0,11,1", "cannot be"),
        ("10,12,9,11,-1", "cannot be"),
        ("10,1e13,9,11,1", "beyond what any coin had"),
        ("10,12,1e-20,11,1", "beyond what any coin had"),
        ("10,12,9,11,1e30", "beyond what any coin had"),
        ("10,10.5,9,11,1", "opens or closes outside low to high"),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_their_row_by_every_reader(
    tmp_path: Path, numbers: str, words: str
) -> None:
    file = csv(tmp_path, HEAD + row(0) + row(1, numbers))
    with pytest.raises(DataError, match=rf"row 2 .*{words}"):
        read_candles(file)
    (finding,) = check_file(file).findings
    assert words in finding.detail
    dump = csv(tmp_path, HEAD + row(0) + row(1, numbers) + row(2) + row(3), "dump.csv")
    done = import_dump(dump, tmp_path / "out", symbol="BTC/USDT", timeframe=Timeframe.H1)
    assert [each.line for each in done.cleaned.findings if each.refused] == [3]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 columns open"):
        read_candles(csv(tmp_path, "timestamp,open,open,high,low,close,volume\n" + row(0, "10,10,12,9,11,1")))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode()))
def test_whatever_stands_in_a_file_it_is_read_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "BTCUSDT-1h.csv"
        file.write_bytes(content)
        for read in (read_candles, check_file, lambda path: import_dump(path, Path(folder) / "out", symbol="BTC/USDT")):
            with suppress(DataError):
                read(file)


@pytest.mark.parametrize("name", ["BTCUSDT-1h.parquet", "BTCUSDT-1h.csv", "BTCUSDT-1h.txt"])
def test_a_file_that_is_not_there_or_is_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        read_candles(tmp_path / name)
    (tmp_path / name).write_bytes(b"\0\1\2")
    with pytest.raises(DataError, match=name):
        read_candles(tmp_path / name)


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    report = check_file(csv(tmp_path, HEAD + row(0) + row(1)))
    assert (report.rows, report.first, report.findings) == (2, START, ())
    assert report.last is not None
    assert (report.last - START).total_seconds() == 7200


def test_everything_wrong_with_a_file_is_found(tmp_path: Path) -> None:
    odd = f"{BEGIN + 9 * HOUR + 1},10,12,9,11,1\n"
    bad = row(4, "10,nan,9,11,1") + row(5, "10,12,-9,11,1") + row(6, "10,10.5,9,11,1") + row(8) + odd
    report = check_file(csv(tmp_path, HEAD + row(1) + row(0) + row(0) + bad))
    assert [issue.kind for issue in report.findings] == [
        "unsorted", "duplicate", "off-grid", "not a number", "negative", "inconsistent", "gap", "gap",
    ]  # fmt: skip
    assert report.findings[6].detail == "2 candles missing after 2024-01-01 01:00 UTC"
    assert report.findings[3].detail == "row 4 (2024-01-01 04:00 UTC) has a price or volume that is no number"


def test_what_a_series_became_is_found_wherever_it_stands_in_its_file(tmp_path: Path) -> None:
    volumes = [5.0] * 40 + [0.0] * 24 + [5.0] * 40
    closes = [10.0] * 20 + [90.0] + [10.0] * 59 + [10_000.0] * 24
    rows = [f"{close},{close},{close},{close},{volume}" for close, volume in zip(closes, volumes, strict=True)]
    report = check_file(csv(tmp_path, HEAD + "".join(row(hour, text) for hour, text in enumerate(rows))))
    assert [(issue.kind, issue.detail) for issue in report.findings] == [
        ("spike", "row 21 (2024-01-01 20:00 UTC) looks like a bad tick"),
        ("idle", "nothing was traded from 2024-01-02 16:00 UTC to 2024-01-03 16:00 UTC"),
        ("jump", "the price went from 10 to 10,000 within a candle, at 2024-01-04 08:00 UTC"),
    ]


def test_many_findings_are_summed_up(tmp_path: Path) -> None:
    report = check_file(csv(tmp_path, HEAD + "".join(row(hour) for hour in range(60) if hour % 3 != 2)))
    assert len(report.findings) == 6
    assert report.findings[-1].detail == "and 14 more gaps with 14 candles"


def test_columns_come_as_plain_arrays(tmp_path: Path) -> None:
    candles = read_candles(csv(tmp_path, HEAD + row(0)))
    assert (candles.open_ms.dtype, candles.open.dtype) == (np.int64, np.float64)
