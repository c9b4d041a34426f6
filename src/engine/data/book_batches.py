"""Recorded order books in batches of Arrow that lie in a file: what is not looked at takes no memory.

The file is mapped, and has no name any more from then on: it goes when nobody holds it.
"""

from __future__ import annotations

import heapq
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from engine.data.book_files import RecordedBook

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1_024
"""Books in a batch."""
_SIDES = ("bids", "asks")


class BookBatches:
    """The books of one market, oldest first; of the same moment in the order in which they were read.

    Args:
        symbol: As their files write it.
        batches: Each in order, and none begins before the one before it ends.
    """

    def __init__(self, symbol: str, batches: Sequence[pa.RecordBatch]) -> None:
        self._symbol, self._batches = symbol, tuple(batches)
        self._begins = [_at(each, 0) for each in self._batches]

    def __iter__(self) -> Iterator[RecordedBook]:
        for batch in self._batches:
            yield from _books(self._symbol, batch)

    def newest(self, at_us: int) -> RecordedBook | None:
        """The newest one not later than a moment, in microseconds since 1970; ``None`` where there is none."""
        number = bisect_right(self._begins, at_us) - 1
        if number < 0:
            return None
        batch = self._batches[number]
        return _book(self._symbol, batch, int(batch.column("at_us").to_numpy().searchsorted(at_us, side="right")) - 1)


class BookWriter:
    """Lays the books of one market into a file as they are read, in any order; a batch is held at a time.

    Raises:
        OSError: There is no room.
    """

    def __init__(self, symbol: str) -> None:
        import pyarrow as pa

        levels = pa.list_(pa.list_(pa.float64(), 2))
        self._schema = pa.schema([("at_us", pa.int64()), *((side, levels) for side in _SIDES)])
        self._symbol = symbol
        self._rows: list[RecordedBook] = []
        self._folder = tempfile.TemporaryDirectory(prefix="greenlight-books-")
        self._file = str(Path(self._folder.name) / "books.arrow")
        self._sink = pa.OSFile(self._file, "wb")
        self._writer = pa.ipc.new_file(self._sink, self._schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._folder.cleanup()

    def add(self, book: RecordedBook) -> None:
        """Take in one more."""
        self._rows.append(book)
        if len(self._rows) == _ROWS:
            self._write()

    def books(self) -> BookBatches:
        """All that were taken in; nothing can be added any more."""
        import pyarrow as pa

        if self._rows:
            self._write()
        self._close()
        reader = pa.ipc.open_file(pa.memory_map(self._file))
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        if any(_at(before, -1) > _at(after, 0) for before, after in pairwise(batches)):
            return stored(self._symbol, heapq.merge(*(_books(self._symbol, each) for each in batches), key=_moment))
        return BookBatches(self._symbol, batches)

    def _close(self) -> None:
        if not self._sink.closed:
            self._writer.close()
            self._sink.close()

    def _write(self) -> None:
        import pyarrow as pa

        rows = sorted(self._rows, key=_moment)
        sides = [_levels([getattr(row, side) for row in rows]) for side in _SIDES]
        times = pa.array([row.at_us for row in rows], pa.int64())
        self._writer.write_batch(pa.record_batch([times, *sides], schema=self._schema))
        self._rows.clear()


def stored(symbol: str, books: Iterable[RecordedBook]) -> BookBatches:
    """Books of one market, laid into a file.

    Raises:
        OSError: There is no room.
    """
    with BookWriter(symbol) as writer:
        for book in books:
            writer.add(book)
        return writer.books()


def _moment(book: RecordedBook) -> int:
    return book.at_us


def _at(batch: pa.RecordBatch, row: int) -> int:
    return int(batch.column("at_us")[row].as_py())


def _levels(sides: Sequence[Sequence[tuple[float, float]]]) -> pa.ListArray:
    """One side of each of some books: the prices and quantities of all of them, and where each book's begin."""
    import pyarrow as pa

    ends = np.cumsum([0, *map(len, sides)], dtype=np.int32)
    numbers = np.fromiter(chain.from_iterable(chain.from_iterable(sides)), dtype=np.float64, count=2 * int(ends[-1]))
    return pa.ListArray.from_arrays(pa.array(ends), pa.FixedSizeListArray.from_arrays(pa.array(numbers), 2))


def _books(symbol: str, batch: pa.RecordBatch) -> Iterator[RecordedBook]:
    return (_book(symbol, batch, row) for row in range(batch.num_rows))


def _book(symbol: str, batch: pa.RecordBatch, row: int) -> RecordedBook:
    numbers = (batch.column(side)[row].values.flatten().to_numpy().reshape(-1, 2) for side in _SIDES)
    bids, asks = (list(map(tuple, each.tolist())) for each in numbers)
    return RecordedBook(symbol, _at(batch, row), bids, asks)
