"""Order books that were recorded, by market: which one was the newest at a moment."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.data.book_batches import BookBatches, BookWriter
from engine.data.book_files import books_in
from engine.data.files import symbol_of
from engine.domain.errors import DataError, StoreError
from engine.domain.market import Book, Level

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedBooks:
    """The books of a market.

    Attributes:
        max_age: How old one may be and still stands for that of now.
        books: All of them, in a file.
    """

    symbol: str
    max_age: timedelta
    books: BookBatches

    def newest(self, now: datetime) -> Book | None:
        """The newest one not later than a moment; ``None`` where that is too old, or there is none."""
        found = self.books.newest((now - _EPOCH) // _MICROSECOND)
        if found is None:
            return None
        at = _EPOCH + found.at_us * _MICROSECOND
        if now - at > self.max_age or not found.bids or not found.asks:
            return None
        return Book(symbol=self.symbol, at=at, bids=_levels(found.bids), asks=_levels(found.asks))

    @property
    def fingerprint(self) -> str:
        """What they are in 32 characters: others have others."""
        made = hashlib.blake2b(f"{self.symbol} {self.max_age}".encode(), digest_size=16)
        for each in self.books:
            made.update(repr((each.at_us, each.bids, each.asks)).encode())
        return made.hexdigest()


def read_books(files: Iterable[Path], max_age: timedelta) -> dict[str, RecordedBooks]:
    """The books of every market of some files; they are read one after another, and none stays in memory.

    Raises:
        DataError: A file has none, cannot be read, or is something else.
        StoreError: There is no room to lay them down.
    """
    writers: dict[str, BookWriter] = {}
    try:
        with ExitStack() as stack:
            for file in files:
                book = None
                for book in books_in(file):
                    symbol = symbol_of(book.symbol, file)
                    if symbol not in writers:
                        writers[symbol] = stack.enter_context(BookWriter(symbol))
                    writers[symbol].add(book)
                if book is None:
                    remedy = "Give a file that begins with a snapshot."
                    raise DataError(f"{file}: no whole order book is in it.", remedy)
            return {
                symbol: RecordedBooks(symbol=symbol, max_age=max_age, books=writer.books())
                for symbol, writer in writers.items()
            }
    except OSError as error:
        raise StoreError(
            f"Recorded books cannot be laid down in {tempfile.gettempdir()}: {error.strerror}.",
            "Make room, or set TMPDIR to a folder where there is some.",
        ) from error


def _levels(side: Iterable[tuple[float, float]]) -> tuple[Level, ...]:
    return tuple(Level(price=Decimal(repr(price)), quantity=Decimal(repr(quantity))) for price, quantity in side)
