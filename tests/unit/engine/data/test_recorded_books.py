"""Recorded order books: read from each shape of file, and the newest one of a moment."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from engine.data.book_changes import Change, ChangingBook
from engine.data.book_files import books_in
from engine.data.recorded_books import read_books
from engine.domain.errors import DataError
from engine.domain.market import Level
from tests.fakes.data import real_file

MINUTE = timedelta(minutes=1)
AT = datetime(2024, 1, 1, 12, tzinfo=UTC)
DEPTH = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu\n"


def tardis(path: Path, *rows: tuple[datetime, Sequence[float]], symbol: str = "BTCUSDT") -> Path:
    """Snapshots of two levels: ask, its amount, bid, its amount, and again."""
    names = [
        f"{side}[{level}].{what}" for level in range(2) for side in ("asks", "bids") for what in ("price", "amount")
    ]
    lines = [",".join(["exchange,symbol,timestamp,local_timestamp", *names])]
    for at, numbers in rows:
        lines.append(
            ",".join(["x", symbol, str(int(at.timestamp() * 1e6)), "0", *map(str, numbers), *[""] * (8 - len(numbers))])
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def message(last: int, kind: str, *levels: tuple[str, float, float], pu: int = -1, at: int = 1_000) -> str:
    return "".join(f"ETHUSDT,{at},{last},{last},{side},{kind},{price},{qty},{pu}\n" for side, price, qty in levels)


def test_the_newest_book_is_one_of_before_and_not_too_old(tmp_path: Path) -> None:
    file = tardis(tmp_path / "a.csv", (AT, (101, 1, 99, 2, 102, 3, 98, 4)), (AT + MINUTE, (201.5, 1, 199, 2)))
    books = read_books([file], MINUTE)["BTC/USDT"]
    assert books.newest(AT - timedelta(microseconds=1)) is None
    for late in (timedelta(0), timedelta(seconds=59, milliseconds=999)):
        found = books.newest(AT + late)
        assert found is not None
        assert found.at == AT
        assert found.asks == (
            Level(price=Decimal(101), quantity=Decimal(1)),
            Level(price=Decimal(102), quantity=Decimal(3)),
        )
        assert found.bids[1] == Level(price=Decimal(98), quantity=Decimal(4))
    later = books.newest(AT + 2 * MINUTE)
    assert later is not None
    assert (later.ask, len(later.asks)) == (Decimal("201.5"), 1)
    assert books.newest(AT + 2 * MINUTE + timedelta(microseconds=1)) is None


def test_several_files_and_markets_are_sorted_by_time(tmp_path: Path) -> None:
    late = tardis(tmp_path / "b.csv", (AT + MINUTE, (3, 1, 2, 1)))
    early = tardis(tmp_path / "a.csv", (AT, (2, 1, 1, 1)))
    other = tardis(tmp_path / "c.csv", (AT, (9, 1, 8, 1)), symbol="eth-btc")
    found = read_books([late, early, other], MINUTE)
    assert set(found) == {"BTC/USDT", "ETH/BTC"}
    assert [each.asks[0][0] for each in found["BTC/USDT"].books] == [2, 3]
    assert found["BTC/USDT"].fingerprint != read_books([late], MINUTE)["BTC/USDT"].fingerprint


def test_a_book_told_of_by_changes_is_unknown_before_the_whole_and_after_a_gap(tmp_path: Path) -> None:
    whole = message(10, "snap", ("b", 99, 1), ("b", 98, 2), ("a", 101, 1))
    lines = [
        message(9, "set", ("b", 97, 1)),
        whole,
        message(11, "set", ("b", 99, 0), ("a", 100.5, 3), pu=10, at=2_000),
        message(13, "set", ("b", 98, 0), pu=12, at=3_000),
        message(14, "set", ("b", 96, 1), pu=13, at=4_000),
        message(20, "snap", ("b", 50, 1), ("a", 51, 1), at=5_000),
    ]
    (tmp_path / "depth.csv").write_text(DEPTH + "".join(lines))
    found = list(books_in(tmp_path / "depth.csv"))
    assert [(each.at_us, each.bids[0], each.asks[0]) for each in found] == [
        (1_000_000, (99, 1), (101, 1)),
        (2_000_000, (98, 2), (100.5, 3)),
        (5_000_000, (50, 1), (51, 1)),
    ]


def test_what_a_book_has_already_changes_nothing_and_a_price_may_go_and_come() -> None:
    book = ChangingBook()
    book.begin(([(99, 1)], [(101, 1)]), 5)
    book.change(Change(([(99, 7)], []), 4, 5))
    book.change(Change(([(99, 0), (98, 1)], []), 6, 7))
    book.change(Change(([(99, 4), (42, 0)], []), 8, 8))
    assert book.best(9) == ([(99, 4), (98, 1)], [(101, 1)])
    assert book.best(1)[0] == [(99, 4)]


def test_a_capture_begins_with_its_snapshot_and_what_came_before_that(tmp_path: Path) -> None:
    def update(first: int, last: int, bid: float, at: int) -> dict:
        return {"e": "depthUpdate", "E": at, "s": "BTCUSDT", "U": first, "u": last, "b": [[str(bid), "1"]], "a": []}

    said = [
        {"stream": "s", "data": update(1, 4, 90, 10)},
        {"stream": "s", "data": update(5, 8, 95, 20)},
        {"stream": "s", "data": {"e": "trade", "E": 21}},
        {"lastUpdateId": 6, "bids": [["80", "1"]], "asks": [["100", "2"]]},
        {"stream": "s", "data": update(9, 9, 96, 30)},
    ]
    with gzip.open(tmp_path / "capture.gz", "wt") as file:
        file.writelines(f"{number}000 {json.dumps(each)}\n" for number, each in enumerate(said, 1))
    (book,) = books_in(tmp_path / "capture.gz")
    assert (book.symbol, book.at_us) == ("BTCUSDT", 30_000)
    assert list(book.bids) == [(96, 1), (95, 1), (80, 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no order books that are known"),
        (DEPTH + message(9, "set", ("b", 97, 1)), "no whole order book"),
        (DEPTH + message(9, "snap", ("b", 97, 1), ("a", 98, 1)).replace("97", "x"), "is no book"),
    ],
)
def test_what_is_no_book_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "file.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_books([tmp_path / "file.csv"], MINUTE)


def test_a_file_that_is_cut_off_is_said(tmp_path: Path) -> None:
    whole = gzip.compress((DEPTH + message(9, "snap", ("b", 97, 1), ("a", 98, 1))).encode())
    (tmp_path / "file.csv.gz").write_bytes(whole[:-9])
    for file, words in (("file.csv.gz", "cannot be read"), ("nowhere.csv", "There is no file")):
        with pytest.raises(DataError, match=words):
            read_books([tmp_path / file], MINUTE)


def test_real_recordings_are_read() -> None:
    files = [
        real_file("orderbook/nautilus_tardis_binance-futures_book_snapshot_25_BTCUSDT.csv"),
        real_file("orderbook/hftbacktest_binance_spot_btcusdt_20240808.gz"),
    ]
    books = read_books(files, MINUTE)["BTC/USDT"]
    first = books.newest(datetime(2020, 9, 1, 0, 0, 3, 900_000, tzinfo=UTC))
    assert first is not None
    assert (first.bid, first.ask, len(first.bids)) == (Decimal("11657.07"), Decimal("11657.08"), 25)
    last = books.newest(datetime(2024, 8, 9, tzinfo=UTC))
    assert last is not None
    assert datetime(2024, 8, 9, tzinfo=UTC) - last.at < timedelta(seconds=0.2)
    assert all(each.bids[0][0] < each.asks[0][0] for each in books.books)


def test_books_in_any_order_come_in_that_of_time(tmp_path: Path) -> None:
    """Three files of more than a batch each, whose times lie within one another; the first two are turned round."""

    def of(number: int) -> Path:
        rows = [(AT + (3 * row + number) * MINUTE, (3 * row + number + 1, 1, 0.5, 1)) for row in range(1_500)]
        return tardis(tmp_path / f"{number}.csv", *(rows[::-1] if number < 2 else rows))

    found = read_books([of(2), of(0), of(1)], MINUTE)["BTC/USDT"]
    assert [each.asks[0][0] for each in found.books] == list(range(1, 4_501))
    for minute in (0, 1_023, 1_024, 4_499):
        book = found.newest(AT + minute * MINUTE)
        assert book is not None
        assert book.ask == minute + 1
    assert found.newest(AT - MINUTE) is None


def test_of_books_of_the_same_moment_the_one_that_was_read_last_counts(tmp_path: Path) -> None:
    files = [tardis(tmp_path / f"{ask}.csv", (AT, (ask, 1, 1, 1)), (AT, (ask + 1, 1, 1, 1))) for ask in (5, 3)]
    found = read_books(files, MINUTE)["BTC/USDT"].newest(AT)
    assert found is not None
    assert found.ask == 4


def test_memory_does_not_grow_with_what_was_recorded(tmp_path: Path) -> None:
    def held(count: int) -> int:
        level = (101.5, 1.25, 99.5, 2.5, 102.5, 3.5, 98.5, 4.5)
        file = tardis(tmp_path / f"{count}.csv", *((AT + row * MINUTE, level) for row in range(count)))
        tracemalloc.start()
        books = read_books([file], MINUTE)["BTC/USDT"]
        assert books.newest(AT + count * MINUTE) is not None
        found, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found + pa.total_allocated_bytes()

    held(1_100)
    few, many = held(1_100), held(6_000)
    assert many < few + 5_000, "a byte a book, where each is eight numbers"
