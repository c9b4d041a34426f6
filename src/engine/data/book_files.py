"""Files of recorded order books, read line by line, plain or gzipped, and told apart by how they begin.

    snapshots    CSV as Tardis writes it (``book_snapshot_25``): ``symbol``, ``timestamp`` in microseconds, and
                 ``asks[0].price``, ``asks[0].amount``, ``bids[0].price``, ``bids[0].amount`` and so on
    depth        CSV as Binance gives it away: ``symbol``, ``timestamp`` in milliseconds, ``side``, ``update_type``
                 (``snap``, ``set``), ``price``, ``qty``, and the numbers of its updates
    capture      what Binance's sockets said, a line each: the nanosecond at which it came, and its JSON; among it a
                 ``depth`` of REST, without which nobody knows the whole book

Of a book that is told of by its changes nothing is known before the whole of it is, and after a change that is missing.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from engine.data.book_changes import Change, ChangingBook, Side
from engine.data.unreadable import unreadable
from engine.domain.errors import DataError

_MILLI = 1_000
"""Microseconds."""
_LEVELS = 50
"""Of a book that is told of by its changes, on each side."""


class RecordedBook(NamedTuple):
    """A book, best prices first.

    Attributes:
        symbol: As the file writes it.
        at_us: When it was so, in microseconds since 1970.
        bids, asks: Prices and quantities.
    """

    symbol: str
    at_us: int
    bids: Sequence[tuple[float, float]]
    asks: Sequence[tuple[float, float]]


def books_in(path: Path) -> Iterator[RecordedBook]:
    """Everything that is known of books by a file.

    Raises:
        DataError: It cannot be read, is something else, or a line of it is none.
    """
    line = 0
    try:
        with _opened(path) as text:
            first = text.readline()
            read = _shape(path, first)
            text.seek(0)
            for line, book in read(text):  # noqa: B007 - where it breaks off is told
                yield book
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path}: after line {line} is no book ({error!r:.80}).", "Mend the line, or leave it out."
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text:
        yield text


_Books = Iterator[tuple[int, RecordedBook]]
"""Books with the lines at which they were known."""


def _shape(path: Path, first: str) -> Callable[[TextIO], _Books]:
    if "asks[0].price" in first and "bids[0].price" in first:
        return _snapshots
    if "update_type" in first and "last_update_id" in first:
        return _depth
    if first[:1].isdigit() and "{" in first:
        return _capture
    raise DataError(
        f"{path}: these are no order books that are known.",
        "Give Tardis's book_snapshot CSV, Binance's depth CSV, or a capture of its sockets with a snapshot.",
    )


def _snapshots(text: TextIO) -> _Books:
    rows = csv.DictReader(text)
    names = rows.fieldnames or ()
    count = sum(name.startswith("asks[") and name.endswith("].price") for name in names)
    for row in rows:
        bids, asks = (
            [
                (float(row[f"{side}[{level}].price"]), float(row[f"{side}[{level}].amount"]))
                for level in range(count)
                if row[f"{side}[{level}].price"]
            ]
            for side in ("bids", "asks")
        )
        yield rows.line_num, RecordedBook(row["symbol"], int(row["timestamp"]), bids, asks)


def _depth(text: TextIO) -> _Books:
    rows, known = csv.DictReader(text), dict[str, ChangingBook]()
    for (symbol, at, last, kind), group in groupby(rows, key=_of_one_message):
        message = list(group)
        book = known.setdefault(symbol, ChangingBook())
        sides = _sides(message)
        if kind == "snap":
            book.begin(sides, int(last))
        else:
            book.change(Change(sides, int(message[0]["first_update_id"]), int(last), int(message[0]["pu"])))
        yield from _told(rows.line_num, symbol, int(at) * _MILLI, book)


def _of_one_message(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    return row["symbol"], row["timestamp"], row["last_update_id"], row["update_type"]


def _sides(rows: Sequence[Mapping[str, str]]) -> tuple[Side, Side]:
    bids, asks = ([(float(row["price"]), float(row["qty"])) for row in rows if row["side"] == side] for side in "ba")
    return bids, asks


def _capture(text: TextIO) -> _Books:
    book, symbol, waiting = ChangingBook(), "", list[Change]()
    for line, words in enumerate(text, 1):
        _, _, said = words.partition(" ")
        message: dict[str, Any] = json.loads(said)
        data = message.get("data", message)
        if "lastUpdateId" in data:
            book.begin((_numbers(data["bids"]), _numbers(data["asks"])), int(data["lastUpdateId"]))
            for change in waiting:
                book.change(change)
        elif data.get("e") == "depthUpdate":
            if data["s"] != (symbol or data["s"]):
                raise ValueError(f"{symbol} and {data['s']} in one capture")
            symbol = data["s"]
            sides = _numbers(data["b"]), _numbers(data["a"])
            change = Change(sides, int(data["U"]), int(data["u"]), int(data.get("pu", -1)))
            waiting = [] if book.is_known else [*waiting, change]
            book.change(change)
            yield from _told(line, symbol, int(data["E"]) * _MILLI, book)


def _numbers(levels: Sequence[Sequence[str]]) -> Side:
    return [(float(price), float(quantity)) for price, quantity in levels]


def _told(line: int, symbol: str, at_us: int, book: ChangingBook) -> _Books:
    if book.is_known:
        yield line, RecordedBook(symbol, at_us, *book.best(_LEVELS))
