from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.domain.errors import DataError
from engine.domain.market import Timeframe
from engine.exchanges.files import check_file, parse_name, read_candles, write_candles
from tests.fakes.feed import START, hand_candles

HEAD = "timestamp,open,high,low,close,volume\n"
HOUR = 3_600_000
BEGIN = int(START.timestamp() * 1000)


def csv(tmp_path: Path, text: str, name: str = "BTCUSDT-1h.csv") -> Path:
    file = tmp_path / name
    file.write_text(text)
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
    candles = hand_candles([(10.5, 12, 9, 11, 1), None, (11, 12, 10, 0.1 + 0.2, 2)])
    file = tmp_path / f"BTCUSDT-1h.{suffix}"
    write_candles(file, candles)
    again = read_candles(file)
    assert (again.market, again.timeframe) == (candles.market, candles.timeframe)
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
        (HEAD + row(0) + row(1) + row(1), "row 3 repeats the time of the row before"),
        (HEAD + row(0) + row(2) + row(1), "row 3 is older than the row before"),
        (HEAD + row(0) + row(1, "10,12,nine,11,1"), "column low is not all numbers"),
        (HEAD + row(0) + ",10,12,9,11,1\n", "row 2 has no timestamp"),
        (HEAD + "0.5,10,12,9,11,1\n", "column timestamp is double"),
        (HEAD + row(0) + "1,2\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_traded_on_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = csv(tmp_path, text)
    with pytest.raises(DataError, match=words) as caught:
        read_candles(file)
    assert str(file) in caught.value.message
    assert caught.value.remedy


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
        "unsorted", "duplicate", "off-grid", "gap", "gap", "not a number", "negative", "inconsistent",
    ]  # fmt: skip
    assert report.findings[3].detail == "2 candles are missing after 2024-01-01 01:00"
    assert report.findings[5].detail == "row 4 (2024-01-01 04:00) has a price or volume that is no number"


def test_many_findings_are_summed_up(tmp_path: Path) -> None:
    report = check_file(csv(tmp_path, HEAD + "".join(row(hour) for hour in range(0, 40, 2))))
    assert len(report.findings) == 6
    assert report.findings[-1].detail == "and 14 more gaps with 14 candles"


def test_an_empty_file_is_reported_as_such(tmp_path: Path) -> None:
    report = check_file(csv(tmp_path, HEAD))
    assert (report.rows, report.first, report.last) == (0, None, None)


def test_columns_come_as_plain_arrays(tmp_path: Path) -> None:
    candles = read_candles(csv(tmp_path, HEAD + row(0)))
    assert (candles.open_ms.dtype, candles.open.dtype) == (np.int64, np.float64)
